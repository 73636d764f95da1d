"""Quantities over the events, against stepping through the run and measuring at every event."""

import numpy as np
import pytest

from engine.errors import GradstepError
from engine.measure.metrics import evaluate
from engine.measure.series import Quantity, Series, gradient_norms, measured_rows, measures, watched
from engine.session.session import Session
from tests.engine.small_experiments import session_of


def fill(series: Series, session: Session) -> int:
    return sum(1 for _ in series.fill(session))


def points(series: Series, quantity: Quantity) -> dict[int, float]:
    events, values = series.series(quantity.name)
    return dict(zip(events.astype(int).tolist(), values.tolist(), strict=True))


def test_norms_and_watches_are_those_of_every_event():
    session = session_of("xor")
    program = session.program
    norm = gradient_norms(program)[0]
    watch = watched(program, "norm(linear1.weight)")
    expected: dict[str, dict[int, float]] = {norm.name: {}, watch.name: {}}
    for _ in range(5 * len(program.ops)):
        op = session.op
        session.step()
        if op is not None and (op.phase, op.name) == ("backward", "linear1.weight.grad"):
            size = np.linalg.norm(session.tensors["linear1.weight.grad"])
            expected[norm.name][session.event] = float(size)
        if op is not None and (op.phase, op.name) == ("update", "linear1.weight"):
            size = np.linalg.norm(session.tensors["linear1.weight"])
            expected[watch.name][session.event] = float(size)
    series = Series(program)
    series.want([norm, watch], "main")
    fill(series, session)
    for quantity in (norm, watch):
        assert points(series, quantity) == pytest.approx(expected[quantity.name])
        assert len(points(series, quantity)) == 5


def test_measures_are_those_of_the_parameters_at_each_iteration():
    session = session_of("iris")
    program, ops = session.program, len(session.program.ops)
    loss, accuracy = measures(program)
    expected = {}
    for iteration in range(1, 7):
        session.goto(iteration * ops)
        expected[iteration * ops] = evaluate(program, session.tensors)
    series = Series(program)
    series.want([loss, accuracy], "main")
    fill(series, session)
    assert points(series, loss) == pytest.approx({e: m["loss"] for e, m in expected.items()})
    assert points(series, accuracy) == {e: m["accuracy"] for e, m in expected.items()}


def test_steps_add_their_own_points_only():
    session = session_of("xor")
    series = Series(session.program)
    series.want(gradient_norms(session.program), "main")
    session.goto(60)
    assert fill(series, session) == 60
    assert fill(series, session) == 0
    session.goto(67)
    assert fill(series, session) == 7
    session.goto(40)
    assert fill(series, session) == 0
    session.goto(80)
    assert fill(series, session) == 13


def test_another_lineage_begins_anew_and_nothing_wanted_costs_nothing():
    session = session_of("xor", 60)
    series = Series(session.program)
    assert fill(series, session) == 0
    norm = gradient_norms(session.program)[0]
    series.want([norm], "main")
    fill(series, session)
    assert points(series, norm)
    series.want([norm], "main-1")
    assert points(series, norm) == {}
    assert fill(series, session) == 60


def test_an_edit_is_gone_back_over():
    session = session_of("xor", 25)
    session.set("linear1.weight", 3.0)
    session.goto(2 * len(session.program.ops))
    norm = watched(session.program, "linear1.weight[0,0] * 1")
    series = Series(session.program)
    series.want([norm], "main")
    fill(series, session)
    updates = [op.index for op in session.program.ops if op.name == "linear1.weight"]
    first = session.event_at(updates[0])
    assert first is not None
    assert points(series, norm)[updates[0] + 1] == first.after[0][0, 0] != 3.0


def test_what_is_no_number_has_no_points_and_bad_watches_are_refused():
    session = session_of("xor", 50)
    whole = watched(session.program, "linear1.weight")
    series = Series(session.program)
    series.want([whole], "main")
    fill(series, session)
    assert points(series, whole) == {}
    with pytest.raises(GradstepError):
        watched(session.program, "no_such_tensor + 1")


def test_large_data_is_measured_on_a_sample(monkeypatch):
    program = session_of("digits").program
    monkeypatch.setattr("engine.measure.series.WORK", 1)
    rows = measured_rows(program)
    assert len(rows) == 16
    assert rows[0] == 0
    assert len(set(rows.tolist())) == 16
    assert measures(program)[0].name == "loss on all data (16 rows)"
