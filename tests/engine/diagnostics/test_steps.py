"""The shape of a program, and where steps of every size lead, against a plain definition."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.run.phases import Phase
from engine.run.position import Granularity
from tests.engine.small_experiments import program

OPS = [
    ("zero_grad", "linear1.weight.grad"),
    ("zero_grad", "linear1.bias.grad"),
    ("zero_grad", "linear2.weight.grad"),
    ("zero_grad", "linear2.bias.grad"),
    ("forward", "linear1.out"),
    ("forward", "tanh1.out"),
    ("forward", "linear2.out"),
    ("loss", "loss"),
    ("backward", "linear2.out.grad"),
    ("backward", "linear2.weight.grad"),
    ("backward", "linear2.bias.grad"),
    ("backward", "tanh1.out.grad"),
    ("backward", "linear1.out.grad"),
    ("backward", "linear1.weight.grad"),
    ("backward", "linear1.bias.grad"),
    ("update", "linear1.weight"),
    ("update", "linear1.bias"),
    ("update", "linear2.weight"),
    ("update", "linear2.bias"),
]


def test_one_equation_an_op():
    ops = program().ops
    assert [(op.phase, op.name) for op in ops] == OPS
    assert [op.index for op in ops] == list(range(19))


def test_every_op_reads_and_writes_known_tensors_of_the_inferred_shapes():
    compiled = program(optimizer={"type": "adam"}, training={"input_gradient": True})
    tensors = compiled.initial()
    for op in compiled.ops:
        assert {*op.reads, *op.writes} <= set(compiled.tensors)
        for name, value in zip(op.writes, op.run(tensors), strict=True):
            info = compiled.tensors[name]
            assert (value.shape, value.dtype) == (info.shape, info.dtype), name
            tensors[name] = value
    assert set(tensors) == set(compiled.tensors)


def starts(compiled, granularity):
    """Every event at which a step of that size begins, and the end, one by one."""
    ops, per_epoch = compiled.ops, compiled.batches.count
    found = []
    for event in range(compiled.timeline.end):
        iteration, i = divmod(event, len(ops))
        first = {
            Granularity.OP: True,
            Granularity.PHASE: i == 0 or ops[i].phase != ops[i - 1].phase,
            Granularity.ITERATION: i == 0,
            Granularity.EPOCH: i == 0 and iteration % per_epoch == 0,
        }
        if first[granularity]:
            found.append(event)
    return [*found, compiled.timeline.end]


def destination(compiled, event, granularity, count):
    """Step by step: the next start after the event, or the last one before it."""
    points = starts(compiled, granularity)
    for _ in range(abs(count)):
        ahead = [p for p in points if p > event] or [event]
        behind = [p for p in points if p < event] or [event]
        event = ahead[0] if count > 0 else behind[-1]
    return event


PROGRAMS = [
    program(data={"batch_size": 3}, training={"epochs": 3}),
    program(
        training={"epochs": 1, "order": ["forward", "loss", "zero_grad", "backward", "update"]}
    ),
    program(data={"batch_size": 4, "drop_last": True}, training={"skip": ["zero_grad", "update"]}),
    program(layers=[{"type": "linear", "out": 1, "frozen": ["weight", "bias"]}]),
]


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(PROGRAMS),
    st.floats(0, 1),
    st.sampled_from(Granularity),
    st.integers(-12, 12),
)
def test_a_step_leads_where_its_definition_says(compiled, place, granularity, count):
    event = round(place * compiled.timeline.end)
    expected = destination(compiled, event, granularity, count)
    assert compiled.timeline.boundary(event, granularity, count) == expected


@pytest.mark.parametrize("granularity", Granularity)
def test_huge_counts_stop_at_the_ends(granularity):
    compiled = PROGRAMS[0]
    assert compiled.timeline.boundary(5, granularity, 10**18) == compiled.timeline.end
    assert compiled.timeline.boundary(5, granularity, -(10**18)) == 0


def test_positions_count_epochs_and_iterations_from_one():
    compiled = PROGRAMS[0]  # 7 rows in threes: 3 batches an epoch
    ops = len(compiled.ops)
    place = compiled.timeline.position(4 * ops + 7)
    assert (place.epoch, place.iteration, place.batch, place.op) == (2, 5, 1, 7)
    assert compiled.ops[place.op].phase == Phase.LOSS
    end = compiled.timeline.position(compiled.timeline.end)
    assert (end.event, end.epoch, end.iteration, end.op) == (9 * ops, 3, 9, ops)
    start = compiled.timeline.position(0)
    assert (start.epoch, start.iteration, start.batch, start.op) == (1, 1, 0, 0)


def test_a_phase_without_ops_is_none():
    compiled = PROGRAMS[3]
    assert compiled.timeline.listing(0).phases() == ["zero_grad", "forward", "loss", "backward"]


def test_yhat_is_the_last_output():
    compiled = program()
    names = ("yhat", "yhat.grad", "linear1.out")
    assert [compiled.resolve(n) for n in names] == [
        "linear2.out",
        "linear2.out.grad",
        "linear1.out",
    ]
