"""Two runs side by side: the first difference, and the reason for it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.recording.compare import Comparison, Outcome, largest
from engine.session.session import Session
from tests.engine.recording.recordings import opened, record_session, replayed
from tests.engine.small_experiments import program

BASE: dict[str, Any] = {"training": {"epochs": 5}}


def compared(a: Session, b: Session, iterations: int = 5, tolerance: float = 0.0) -> Outcome:
    comparison = Comparison(a, b, iterations, tolerance)
    for _ in comparison.run():
        pass
    return comparison.outcome


def experiments(**changes: Any) -> Outcome:
    return compared(Session(program(**BASE)), Session(program(**(BASE | changes))))


def test_equal_runs() -> None:
    outcome = experiments()
    assert outcome.first is None
    assert outcome.reasons == []
    assert outcome.columns == [1, 2, 3, 4, 5]
    assert all(value == 0 for row in outcome.table.values() for value in row)


LAYERS = [{"type": "linear", "out": 3}, {"type": "relu"}, {"type": "linear", "out": 1}]
WEIGHT = {"type": "linear", "out": 1, "weight": [[1.0, 2.0, 3.0]]}


@pytest.mark.parametrize(
    ("changes", "tensor", "event", "reason"),
    [
        ({"seed": 1}, "linear1.weight", None, "seed: seed none → 1"),
        ({"dtype": "float32"}, "x", None, "dtype: dtype none → float32"),
        (
            {"optimizer": {"type": "sgd", "lr": 0.2}},
            "optimizer.lr",
            None,
            "hyper-parameter: optimizer.lr 0.1 → 0.2",
        ),
        ({"layers": LAYERS}, "linear2.out", 6, "layer 2: type tanh → relu"),
        (
            {"layers": [*LAYERS[:1], {"type": "tanh"}, WEIGHT]},
            "linear2.weight",
            None,
            "initial value: layer 3 weight none → [[1.0, 2.0, 3.0]]",
        ),
        ({"loss": {"type": "l1"}}, "loss", 7, "loss: loss.type mse → l1"),
    ],
)
def test_the_first_difference_and_why(
    changes: dict[str, Any], tensor: str, event: int | None, reason: str
) -> None:
    outcome = experiments(**changes)
    assert outcome.first is not None
    assert (outcome.first.tensor, outcome.first.event) == (tensor, event)
    assert reason in outcome.reasons


def test_other_data_of_the_same_shape() -> None:
    raw = program(**BASE).data.x.tolist()
    raw[2][1] += 1e-9
    outcome = experiments(data={"x": raw})
    assert outcome.first is not None
    assert (outcome.first.tensor, outcome.first.index) == ("x", (2, 1))
    assert any(reason.startswith("data: ") for reason in outcome.reasons)


def test_an_edit_is_the_reason(tmp_path: Path) -> None:
    session = Session(program(training={"epochs": 6}))
    session.goto(30)
    session.set("linear1.bias", 2.0, (1,))
    session.goto(100)
    record_session(tmp_path / "r.gradstep", session, "keyframes").writer.close()
    with opened(tmp_path / "r.gradstep") as recording:
        replay, _ = replayed(recording)
        outcome = compared(Session(program(training={"epochs": 6})), replay)
    assert outcome.first is not None
    assert (outcome.first.event, outcome.first.tensor) == (30, "linear1.bias")
    assert outcome.first.index == (1,)
    assert outcome.first.values is not None
    assert outcome.first.values[1] == 2.0
    assert outcome.reasons == ["edit: only B has #30 set linear1.bias[1] = 2.0"]


def test_a_tolerance_lets_small_differences_pass() -> None:
    raw = program(**BASE).data.x.tolist()
    raw[2][1] += 1e-9
    sides = [Session(program(**BASE)), Session(program(**BASE, data={"x": raw}))]
    outcome = compared(*sides, tolerance=1e-6)
    assert outcome.first is None
    assert 0 < max(value or 0 for value in outcome.table["linear1.weight"]) < 1e-6


def test_the_largest_difference() -> None:
    a, b = np.array([1.0, np.nan, np.inf]), np.array([1.5, np.nan, np.inf])
    assert largest(a, b) == 0.5
    assert largest(a, a[:2]) is None
    assert np.isnan(largest(a, np.array([1.0, 2.0, np.inf])) or 0)
