"""What flows through the layers, against numbers computed from the tensors in the plainest way."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine.diagnostics import layer_stats as flow
from engine.diagnostics.layer_stats import (
    KEPT,
    LIMIT,
    SPAN,
    LayerStats,
    activity,
    magnitude,
    sampled,
    update_ratio,
)
from engine.diagnostics.layer_verdicts import judge, reference
from engine.run.drive import advance, initial_state
from engine.session.session import Session
from tests.engine.small_experiments import built_in, session_of


def filled(session: Session) -> LayerStats:
    record = LayerStats(session.program)
    for _ in record.fill(session.event_at, session.tensors, session.event):
        pass
    return record


def medians(record: LayerStats, event: int) -> dict[str, float]:
    found = {}
    for layer in record.gauges:
        known = [v for v in record.series(layer, "gradient", event) if v is not None]
        found[layer] = float(np.median(known)) if known else 0.0
    return found


def words(name: str, iterations: float) -> dict[str, set[str]]:
    session = session_of(name, iterations=iterations)
    record = filled(session)
    values = record.values(session.event)
    found = judge(session.program, values, medians(record, session.event))
    return {layer: {verdict.word for verdict in verdicts} for layer, verdicts in found.items()}


@pytest.mark.parametrize("name", ["regression", "xor", "iris", "classification-relu"])
def test_every_number_of_every_iteration_is_that_of_its_tensors(name):
    session = session_of(name, iterations=7)
    program, record = session.program, filled(session)
    state, expected = initial_state(program), {}
    for _ in range(7 * len(program.ops)):
        state, event = advance(program, state)
        new, old = event.after[0], event.before[0]
        for node in program.network.nodes:
            if (event.op.phase, event.op.name) == ("forward", node.output):
                add(expected, node.name, "mean", new.mean())
                add(expected, node.name, "spread", new.std())
                add(expected, node.name, "zeros", (new == 0).sum() / new.size)
                if node.layer.type == "relu":
                    off = [not new[:, unit].any() for unit in range(new.shape[1])]
                    add(expected, node.name, "dead", sum(off) / len(off))
            if (event.op.phase, event.op.name) == ("backward", f"{node.output}.grad"):
                add(expected, node.name, "gradient", np.sqrt((new**2).sum()))
            if (event.op.phase, event.op.name) == ("update", f"{node.name}.weight"):
                ratio = np.sqrt(((new - old) ** 2).sum()) / np.sqrt((old**2).sum())
                add(expected, node.name, "update", ratio)
    assert expected
    for (layer, quantity), values in expected.items():
        found = record.series(layer, quantity, session.event)
        assert found == pytest.approx(values, rel=1e-6), (layer, quantity)


def add(found: dict[tuple[str, str], list[float]], layer: str, quantity: str, value: float) -> None:
    found.setdefault((layer, quantity), []).append(float(value))


def test_the_past_before_the_cursor_only():
    session = session_of("regression", iterations=5)
    record = filled(session)
    ops = len(session.program.ops)
    assert len(record.series("relu1", "mean", 3 * ops)) == 3
    assert len(record.series("relu1", "mean", 2 * ops + 5)) == 2, "z₂ is written by op 5 itself"
    assert len(record.series("relu1", "mean", 2 * ops + 6)) == 3
    assert record.value("relu1", "update", session.event) is None, "no weights, no update"


def test_a_step_costs_its_own_measurements_only():
    session = session_of("regression", iterations=5)
    record = filled(session)
    assert list(record.fill(session.event_at, session.tensors, session.event)) == []
    session.goto(session.event + 6)  # four zero_grad ops, z₁ and z₂
    new = list(record.fill(session.event_at, session.tensors, session.event))
    assert new == [session.event - 1, session.event - 2]


def test_another_lineage_forgets():
    session = session_of("regression", iterations=5)
    record = filled(session)
    record.follow("one")
    assert record.cells == {}
    for _ in record.fill(session.event_at, session.tensors, session.event):
        pass
    before = record.value("linear1", "mean", session.event)
    record.follow("one")
    assert record.value("linear1", "mean", session.event) == before


def test_where_the_past_is_lost_the_tensors_tell():
    session = session_of("regression", iterations=5)
    record = LayerStats(session.program)
    for _ in record.fill(lambda event: None, session.tensors, session.event):
        pass
    relu = session.tensors["relu1.out"]
    assert record.value("relu1", "mean", session.event) == pytest.approx(float(relu.mean()))
    assert record.value("linear1", "update", session.event) is None, "there is no weight before"


def test_bounded_memory_and_look_back(monkeypatch):
    session = session_of("regression", iterations=0)
    session.goto(session.program.timeline.end)
    monkeypatch.setattr(flow, "SPAN", 4)
    monkeypatch.setattr(flow, "KEPT", 6)
    record = filled(session)
    assert len(record.cells) == 4 * len(record.by_op)
    for iteration in range(session.program.timeline.iterations, 0, -1):
        event = iteration * len(session.program.ops)
        for _ in record.fill(session.event_at, session.tensors, event):
            pass
        assert len(record.cells) <= 6 * len(record.by_op)
    assert SPAN <= KEPT


@given(arrays(np.float64, st.integers(0, 60), elements=st.floats(allow_nan=True)))
def test_magnitude_of_anything(values):
    found = magnitude(values)
    if np.isnan(values).any():
        assert np.isnan(found)
    elif np.isinf(values).any():
        assert found == np.inf
    else:
        expected = math.hypot(*values.tolist()) if values.size else 0.0
        assert found == pytest.approx(expected, rel=1e-9)


def test_large_tensors_are_sampled():
    rng = np.random.default_rng(0)
    large = rng.normal(3, 2, (1024, 1024)).astype(np.float32)
    assert sampled(large).size <= LIMIT
    assert magnitude(large) == pytest.approx(np.linalg.norm(large), rel=0.01)
    found = activity("relu", np.maximum(large, 0))
    assert found["mean"] == pytest.approx(np.maximum(large, 0).mean(), rel=0.02)
    assert found["zeros"] == pytest.approx((large <= 0).mean(), rel=0.1)
    assert update_ratio(large, large * 1.5) == pytest.approx(0.5, rel=1e-5)
    large[:, ::2] = 0
    assert activity("relu", large)["dead"] == pytest.approx(0.5, abs=0.1)


def test_flat_units():
    out = np.array([[0.5, 0.99, 0.9999, 0.0001]])
    assert activity("sigmoid", out)["flat"] == 0.5
    assert activity("tanh", np.array([[0.0, 0.99, 0.999, -0.999]]))["flat"] == 0.5
    assert "flat" not in activity("relu", out)


def test_weights_of_zero_have_no_ratio():
    assert np.isnan(update_ratio(np.zeros(3), np.ones(3)))
    assert update_ratio(np.ones(3), np.ones(3)) == 0


def test_the_words_of_the_common_mistakes():
    assert "vanishing" in words("bug-vanishing", 3)["linear1"]
    assert "vanishing" in words("deep-sigmoid", 3)["linear1"]
    assert "exploding" in words("bug-large-init", 3)["linear1"]
    assert "dead" in words("bug-dead-relu", 3)["relu1"]
    assert "no gradient" in words("bug-dead-relu", 3)["linear1"]
    assert "saturated" in words("bug-saturated", 3)["sigmoid1"]
    assert "tiny steps" in words("bug-tiny-rate", 3)["linear1"]
    assert "not finite" in words("bug-exploding", 20)["linear1"]


@pytest.mark.parametrize("name", ["digits", "iris", "classification-bce"])
def test_healthy_networks_have_no_words(name):
    assert set().union(*words(name, 20).values()) == set()


def test_growing_from_iteration_to_iteration_is_exploding():
    program = built_in("regression")
    values = {node.name: {"gradient": 5e3} for node in program.network.nodes}
    usual = {node.name: 1.0 for node in program.network.nodes}
    found = judge(program, values, usual)
    assert [(v.word, v.severe) for v in found["linear1"]] == [("exploding", True)]
    assert judge(program, values, dict.fromkeys(usual, 10.0))["linear1"] == []
    assert reference(program) == "linear2"
