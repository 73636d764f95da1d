"""Steps: events told together, and the JSON objects they become."""

import numpy as np
import pytest

from engine.recording.trace_json import header, step_object, steps, trace_lines
from engine.run.position import Granularity
from engine.session.session import Session
from tests.engine.plain_run import same_tensors, trained
from tests.engine.small_experiments import program

MOMENTUM = {"type": "sgd", "lr": 0.1, "momentum": 0.9}
BATCHED = {"batch_size": 3, "shuffle": True}


def test_the_steps_are_those_of_a_session():
    compiled = program(optimizer=MOMENTUM, data=BATCHED)
    session = Session(compiled)
    for step in steps(compiled, Granularity.OP, 4):
        session.step()
        (event,) = step.events
        known = session.last_event()
        assert event.position == known.position
        assert event.op is known.op
        assert [a.tobytes() for a in event.after] == [a.tobytes() for a in known.after]
        loss = session.tensor("loss")
        assert step.loss == (None if loss is None else float(loss))
    assert session.event == 4 * len(compiled.ops)


@pytest.mark.parametrize("size", [Granularity.PHASE, Granularity.ITERATION])
def test_larger_steps_tell_the_same_events(size):
    compiled = program(data=BATCHED)
    single = [s.events[0] for s in steps(compiled, Granularity.OP, 3)]
    joined = list(steps(compiled, size, 3))
    assert [e.index for s in joined for e in s.events] == [e.index for e in single]
    per_iteration = 5 if size == Granularity.PHASE else 1
    assert len(joined) == 3 * per_iteration
    assert [s.batch is not None for s in joined[:per_iteration]] == [True] + [False] * (
        per_iteration - 1
    )


def test_a_whole_iteration_reads_from_outside_and_writes_each_tensor_once():
    compiled = program(optimizer=MOMENTUM)
    first, second = (step_object(s, True) for s in steps(compiled, Granularity.ITERATION, 2))
    assert set(first["reads"]) == {
        "x",
        "y",
        *(info.name for info in compiled.parameters),
        *(f"{info.name}.momentum" for info in compiled.parameters),
        *(f"optimizer.{name}" for name in compiled.optimizer.hyper),
    }
    names = [write["name"] for write in first["writes"]]
    assert sorted(names) == sorted({name for op in compiled.ops for name in op.writes})
    tensors = trained(compiled, 1)
    for write, later in zip(first["writes"], second["writes"], strict=True):
        assert write["after"] == tensors[write["name"]].tolist() == later["before"]
        assert write["shape"] == list(np.shape(write["after"]))
    assert {w["name"]: w["before"] for w in first["writes"]}["linear1.weight"] is not None
    assert first["op"] is first["layer"] is first["formula"] is first["phase"] is None


def test_a_phase_has_its_name_and_no_op():
    lines = list(trace_lines(program(), Granularity.PHASE, 1))
    assert [line["phase"] for line in lines[1:]] == [
        "zero_grad",
        "forward",
        "loss",
        "backward",
        "update",
    ]
    assert [line["op"] for line in lines[1:]] == [None] * 5
    assert [line["loss"] is None for line in lines[1:]] == [True, True, False, False, False]


def test_the_keys_of_an_op():
    lines = list(trace_lines(program(), Granularity.OP, 1))
    place, what = ["event", "epoch", "iteration"], ["phase", "op", "layer", "formula"]
    keys = [*place, *what, "reads", "writes", "loss"]
    assert [list(line) for line in lines[1:]] == [keys] * (len(lines) - 1)
    assert all(list(w) == ["name", "shape", "dtype"] for line in lines[1:] for w in line["writes"])


def test_the_last_smaller_batch_has_its_own_shapes():
    compiled = program(data=BATCHED)
    last = list(steps(compiled, Granularity.ITERATION, 3))[-1]
    shapes = {w["name"]: w["shape"] for w in step_object(last)["writes"]}
    assert shapes["linear1.out"] == [1, 3]


def test_the_header_has_values_only_when_asked():
    compiled = program()
    plain, full = header(compiled), header(compiled, with_values=True)
    assert plain["ops"] == len(compiled.ops)
    assert plain["parameters"][0] == {"name": "linear1.weight", "shape": [3, 2]}
    initial = compiled.initial()
    assert [p["value"] for p in full["parameters"]] == [
        initial[p["name"]].tolist() for p in plain["parameters"]
    ]


def test_a_trace_ends_with_the_run():
    compiled = program()
    assert (
        len(list(steps(compiled, Granularity.ITERATION, 99))) == compiled.timeline.iterations == 3
    )


def test_there_is_no_trace_by_epochs():
    with pytest.raises(ValueError, match="an op, a phase or an iteration"):
        next(steps(program(), Granularity.EPOCH, 1))


@pytest.mark.parametrize("iterations", [1, 9, 10, 11, 20])
def test_a_longer_run_begins_as_the_shorter_one(iterations):
    compiled = program(optimizer=MOMENTUM, data=BATCHED)
    assert compiled.timeline.iterations == 9
    longer = compiled.lasting(iterations)
    assert (longer is compiled) == (iterations <= 9)
    assert iterations <= longer.timeline.iterations < max(10, iterations + compiled.batches.count)
    common = min(iterations, 9)
    assert same_tensors(trained(longer, common), trained(compiled, common))


def test_training_gives_the_bits_of_a_session():
    compiled = program(optimizer=MOMENTUM, data=BATCHED)
    session = Session(compiled)
    session.goto(compiled.timeline.end)
    assert same_tensors(trained(compiled, compiled.timeline.iterations), dict(session.tensors))
