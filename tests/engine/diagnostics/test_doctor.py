"""The doctor beside a session: fed by steps of any size, it sees what a run of its own shows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.diagnostics import doctor as doctor_module
from engine.diagnostics.doctor import Doctor, diagnose
from engine.diagnostics.losses import NoisyLosses
from engine.errors import ExperimentError
from engine.experiment.builtins import builtin_names
from engine.experiment.reader import read_experiment
from engine.nn.table import LAYERS as NN_LAYERS
from engine.nn.table import LOSSES
from engine.program.compiler import compile_program
from engine.run.position import Granularity
from engine.session.session import Session
from engine.strict_json import strict_json
from tests.engine.small_experiments import built_in, document, program, session_of


def names(doctor):
    return {one.name for one in doctor.findings()}


def alone(compiled, iterations):
    """The findings of a doctor that runs the program itself."""
    doctor = Doctor(compiled)
    for _ in doctor.run(iterations):
        pass
    return doctor.findings()


@pytest.mark.parametrize("name", builtin_names())
def test_watching_a_session_finds_what_a_run_finds(name):
    session = session_of(name)
    doctor = Doctor(session.program)
    iterations = min(session.program.timeline.iterations, 60)
    for i in range(iterations):
        session.step(1, Granularity.ITERATION if i % 2 else Granularity.PHASE)
        doctor.observe(session)
    session.goto(iterations * len(session.program.ops))
    doctor.observe(session)
    assert str(doctor.findings()) == str(alone(session.program, iterations))  # NaN included


def test_op_by_op_the_finding_is_there_after_its_event():
    session = session_of("bug-no-zero-grad")
    doctor = Doctor(session.program)
    event = alone(session.program, 2)[0].event
    while session.event < event:
        session.step()
        doctor.observe(session)
        assert "accumulated-gradients" not in names(doctor)
    session.step()
    doctor.observe(session)
    assert "accumulated-gradients" in names(doctor)


def test_observing_changes_nothing():
    watched, other = session_of("bug-exploding"), session_of("bug-exploding")
    doctor = Doctor(watched.program, thorough=True)
    for _ in range(watched.program.timeline.end):
        watched.step()
        other.step()
        doctor.observe(watched)
        doctor.findings()
    assert watched.event == other.event
    assert watched.tensors.keys() == other.tensors.keys()
    for name, value in watched.tensors.items():
        assert value.tobytes() == other.tensors[name].tobytes()
    watched.goto(7)
    doctor.observe(watched)
    assert watched.event == 7
    assert watched.known == watched.program.timeline.end


def test_going_back_shows_nothing_new_and_forgets_nothing():
    session = session_of("bug-no-zero-grad")
    doctor = Doctor(session.program)
    session.goto(90)
    doctor.observe(session)
    found = doctor.findings()
    for event in (30, 0, 60, 90):
        session.goto(event)
        doctor.observe(session)
        assert doctor.findings() == found


def test_a_branch_keeps_what_was_found_before_it_parts():
    session = session_of("bug-frozen")
    doctor = Doctor(session.program)
    session.goto(200)
    doctor.observe(session)
    assert {"frozen", "summed-loss"} <= names(doctor)
    session.goto(100)
    session.set("linear1.weight", 1e200)
    session.goto(150)
    doctor.observe(session)
    assert {"frozen", "non-finite"} <= names(doctor)
    found = [one for one in doctor.findings() if one.name == "non-finite"]
    session.goto(100)
    while not any(np.isinf(value).any() for value in session.tensors.values()):
        session.step()
    assert found[0].event == session.event - 1
    session.branches.switch("main")
    doctor.observe(session)
    assert "frozen" in names(doctor)
    assert "non-finite" not in names(doctor)


def test_an_edit_at_the_cursor_is_seen():
    session = session_of("xor")
    doctor = Doctor(session.program)
    session.step(2, Granularity.ITERATION)
    doctor.observe(session)
    session.set("linear2.weight", float("nan"))
    session.step(1, Granularity.ITERATION)
    doctor.observe(session)
    one = next(one for one in doctor.findings() if one.name == "non-finite")
    assert one.subject == "linear2.out"
    assert one.cause == "linear2.weight is not finite itself"


def test_zero_grad_skipped_while_stepping():
    session = session_of("regression")
    doctor = Doctor(session.program)
    session.step(2, Granularity.ITERATION)
    session.skip("zero_grad")
    session.step(1, Granularity.ITERATION)
    doctor.observe(session)
    one = next(one for one in doctor.findings() if one.name == "accumulated-gradients")
    assert session.program.timeline.position(one.event).iteration == 3


def test_a_leap_beyond_the_window_is_no_mistake():
    session = session_of("bug-no-zero-grad", budget=2000)
    doctor = Doctor(session.program)
    doctor.observe(session)
    session.goto(session.program.timeline.end)
    doctor.observe(session)
    assert session.history.first > 0
    assert doctor.seen == session.event
    assert all(one.event >= 0 for one in doctor.findings())


def test_a_long_leap_is_looked_at_from_its_end(monkeypatch):
    monkeypatch.setattr(doctor_module, "MOST_EVENTS", 50)
    session = session_of("bug-log-zero")
    doctor = Doctor(session.program)
    session.goto(session.program.timeline.end)
    doctor.observe(session)
    one = next(one for one in doctor.findings() if one.name == "log-of-zero")
    assert one.event >= session.program.timeline.end - 50


def test_a_doctor_stops_where_the_run_ends():
    compiled = program(training={"epochs": 2})
    assert list(Doctor(compiled).run(5)) == [1, 2]


LAYERS = st.sampled_from([kind for kind in NN_LAYERS if kind not in ("linear", "dropout", "glu")])
NUMBERS = st.floats(-1e6, 1e6) | st.sampled_from([0.0, 1e300, float("nan"), float("inf")])


def weights_of(loss, outputs):
    """No weights, or where the loss takes some one for each output, 0 and below among them."""
    if not hasattr(LOSSES[loss], "weight"):
        return st.just({})
    some = st.lists(st.sampled_from([-1.0, 0.0, 1.0, 2.0]), min_size=outputs, max_size=outputs)
    return st.just({}) | some.map(lambda given: {"weight": given})


@st.composite
def documents(draw):
    """Small experiments, healthy and sick."""
    rows, inputs, outputs = (draw(st.integers(1, n)) for n in (5, 3, 3))
    loss = draw(st.sampled_from(sorted(LOSSES)))
    layers = []
    for _ in range(draw(st.integers(0, 3))):
        init = draw(st.sampled_from(["kaiming_uniform", "normal", "zeros", "constant"]))
        layers += [{"type": "linear", "out": draw(st.integers(1, 3)), "init": init}]
        layers += [{"type": draw(LAYERS)}]
    layers += [{"type": "linear", "out": outputs, "bias": draw(st.booleans())}]
    layers += [{"type": draw(LAYERS)}] if draw(st.booleans()) else []
    x = draw(
        st.lists(st.lists(NUMBERS, min_size=inputs, max_size=inputs), min_size=rows, max_size=rows)
    )
    if LOSSES[loss].labels:
        signs = st.lists(st.sampled_from([-1.0, 1.0]), min_size=outputs, max_size=outputs)
        y = draw(st.lists(signs, min_size=rows, max_size=rows))
    elif LOSSES[loss].takes_classes:
        y = draw(st.lists(st.integers(0, outputs - 1), min_size=rows, max_size=rows))
    else:
        y = draw(
            st.lists(
                st.lists(st.sampled_from([0.0, 1.0, 0.5]), min_size=outputs, max_size=outputs),
                min_size=rows,
                max_size=rows,
            )
        )
    skips = [[], [], [], ["zero_grad"], ["update"], ["backward"], ["backward", "update"]]
    return document(
        dtype=draw(st.sampled_from(["float64", "float32"])),
        data={"x": x, "y": y, "batch_size": draw(st.integers(1, rows))},
        layers=layers,
        loss={
            "type": loss,
            "reduction": draw(st.sampled_from(["sum", "mean", "batch_mean"])),
            **draw(weights_of(loss, outputs)),
        },
        optimizer=draw(
            st.sampled_from(
                [
                    {"type": "sgd", "lr": 0.1},
                    {"type": "sgd", "lr": 1e30, "momentum": 0.9, "nesterov": True},
                    {"type": "sgd", "lr": 0.0},
                    {"type": "sgd", "lr": 0.1, "maximize": True},
                    {"type": "adam", "lr": 0.1},
                    {"lines": "theta = theta - 0.1*g", "weight_decay": 0.1},
                    {"lr": 1e3, "lines": "v = v + g\ntheta = theta - lr*v"},
                ]
            )
        ),
        training={"epochs": draw(st.integers(1, 8)), "skip": draw(st.sampled_from(skips))},
    )


@settings(max_examples=60, deadline=None)
@given(raw=documents())
def test_never_raises_and_never_contradicts_itself(raw):
    try:
        compiled = compile_program(read_experiment(raw, "small.toml"))
    except ExperimentError:
        return  # a number too large for float32
    found = diagnose(compiled, compiled.timeline.iterations)
    assert str(found) == str(diagnose(compiled, compiled.timeline.iterations))
    session, doctor = Session(compiled), Doctor(compiled, thorough=True)
    while session.event < compiled.timeline.end:
        session.step(1, Granularity.ITERATION)
        doctor.observe(session)
    assert str(doctor.findings()) == str(found)
    for one in found:
        assert 0 <= one.event < compiled.timeline.end
        assert strict_json(dict(one.numbers)).startswith("{")


def test_losses_that_are_no_numbers_are_no_warning():
    """An infinite input: the mean of an epoch is then of infinities of both signs."""
    compiled = program(
        data={"x": [[0.0, np.inf], [0.0, 1.0]], "y": [0, 0], "batch_size": 1},
        layers=[{"type": "linear", "out": 1, "bias": False}],
        loss={"type": "nll", "reduction": "sum"},
        training={"epochs": 1},
    )
    assert diagnose(compiled, 2)


@pytest.mark.parametrize("name", ["bug-exploding", "bug-oscillating", "digits", "rnn"])
def test_a_glance_at_the_losses_finds_what_is_in_them_and_changes_nothing(name):
    """After the first iterations the losses alone are looked at: the run is the same to the bit."""
    compiled = built_in(name)
    close, glancing = Doctor(compiled), Doctor(compiled)
    count = min(compiled.timeline.iterations, 60)
    assert list(close.run(count)) == list(glancing.run(count, closely=8))
    for tensor, value in close.tensors.items():
        assert np.array_equal(value, glancing.tensors[tensor], equal_nan=True), tensor
    assert close.seen == glancing.seen
    of_losses = [
        [(type(one).__name__, one.losses.tolist(), one.events.tolist(), one.apart) for one in each]
        for each in (
            [one for one in doctor.detectors if isinstance(one, NoisyLosses)]
            for doctor in (close, glancing)
        )
    ]
    assert str(of_losses[0]) == str(of_losses[1])  # NaN included
