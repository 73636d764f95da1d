"""The doctor of captured scripts: each mistake is found by its events, and nothing else is."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.capture.messages import Degree, Value
from engine.capture.opened import opened_capture
from engine.diagnostics.capture_doctor import CAPTURE_DETECTORS, CaptureDoctor
from engine.diagnostics.diagnosis import Diagnosis
from engine.run.phases import Phase
from tests.engine.capture.told import Net, Teller, trained, writer_at

ONE = np.float32([[1, 2], [3, 4]])


def test_every_kind_of_finding_is_declared() -> None:
    cards = [kind.card for kind in CAPTURE_DETECTORS]
    assert len({card.name for card in cards}) == len(cards)
    assert all(card.looks and card.remedy and card.cause for card in cards)
    assert all(len(limit.reason) > 10 for card in cards for limit in card.limits)


def findings(path: Path) -> list[Diagnosis]:
    with opened_capture(str(path)) as run:
        doctor = CaptureDoctor(run)
        assert [*doctor.run(1000)][-1:] == [run.timeline.iterations]
        return doctor.findings()


def names(path: Path) -> list[str]:
    return [f"{one.severity}: {one.name}" for one in findings(path)]


@pytest.mark.parametrize("options", [{}, {"step_every": 3}, {"rows": (5, 5, 2)}])
def test_a_sound_loop_has_nothing(options, tmp_path: Path) -> None:
    trained(tmp_path / "r", 12, lr=0.01, **options)
    assert names(tmp_path / "r") == []


def test_a_forgotten_zero_grad_is_told_from_accumulation(tmp_path: Path) -> None:
    trained(tmp_path / "r", 12, lr=0.001, forgets=True)
    (found,) = findings(tmp_path / "r")
    assert (found.name, found.serious) == ("accumulated-gradients", True)
    assert found.place.startswith("#19  iteration 2, backward")
    assert found.numbers == {"gradients": 4, "times": 11}


def test_numbers_that_are_not_finite(tmp_path: Path) -> None:
    with np.errstate(all="ignore"):
        trained(tmp_path / "r", 6, scale=np.inf)
    found = findings(tmp_path / "r")[0]
    assert (found.name, found.event, found.subject) == ("non-finite", 0, "h")
    assert "h = linear(x, fc1.weight, fc1.bias) at train.py:11" in found.evidence


Told = Callable[[Teller, int], Any]


def told(path: Path, count: int, happen: Told) -> Path:
    """A recording of iterations that each do the same."""
    teller = Teller(writer_at(path))
    for k in range(count):
        happen(teller, k)
        teller.end_iteration()
    teller.end()
    return path


def op(
    teller: Teller,
    phase: Phase,
    name: str,
    kind: str,
    array: np.ndarray | None = ONE,
    role: str = "activation",
    **more: Any,
) -> None:
    """An op that writes one tensor of its own name."""
    of = {"gradient_of": name.removesuffix(".grad")} if role == "gradient" else {}
    number = teller.tensor(name, role, ONE if array is None else array, **of)
    teller.happen(phase, more.pop("op", name), kind, {}, {name: (number, array)}, 3, **more)


def step(teller: Teller, k: int, name: str = "w", **more: Any) -> None:
    """A pass backwards and an update of one parameter."""
    op(teller, Phase.BACKWARD, f"{name}.grad", "AccumulateGrad", ONE + k, "gradient")
    moved = ONE * np.float32(1 + k / 1000)
    op(teller, Phase.UPDATE, name, "SGD.step", moved, "parameter", **more)


def test_a_parameter_that_no_optimizer_has(tmp_path: Path) -> None:
    def happen(teller: Teller, k: int) -> None:
        teller.given("lost", "parameter", ONE)
        op(teller, Phase.BACKWARD, "lost.grad", "AccumulateGrad", ONE + k, "gradient")
        step(teller, k)

    (found,) = findings(told(tmp_path / "r", 6, happen))
    assert (found.name, found.subject, found.event) == ("never-stepped", "lost", 0)
    assert found.serious


def test_a_parameter_that_its_updates_leave_as_it_is(tmp_path: Path) -> None:
    def happen(teller: Teller, k: int) -> None:
        op(teller, Phase.BACKWARD, "w.grad", "AccumulateGrad", ONE + k, "gradient")
        op(teller, Phase.UPDATE, "w", "SGD.step", ONE, "parameter", facts={"lr": 0.0})

    assert names(told(tmp_path / "r", 12, happen)) == ["serious: never-moves"]


@pytest.mark.parametrize(("back", "severity"), [(False, "serious"), (True, "warning")])
def test_evaluation_mode_in_training(back: bool, severity: str, tmp_path: Path) -> None:
    def happen(teller: Teller, k: int) -> None:
        on = back and k < 3
        name = f"drop{on}"
        op(teller, Phase.FORWARD, name, "dropout", attributes={"p": 0.5, "train": on})
        step(teller, k)

    assert names(told(tmp_path / "r", 8, happen)) == [f"{severity}: eval-while-training"]


def test_an_evaluation_between_iterations_is_none_of_that(tmp_path: Path) -> None:
    def happen(teller: Teller, k: int) -> None:
        op(teller, Phase.FORWARD, "on", "dropout", attributes={"train": True})
        step(teller, k)
        op(teller, Phase.FORWARD, "off", "dropout", attributes={"train": False})

    assert names(told(tmp_path / "r", 8, happen)) == []


@pytest.mark.parametrize("rows", [1, 2])
def test_batch_norm_of_one(rows: int, tmp_path: Path) -> None:
    def happen(teller: Teller, k: int) -> None:
        array = np.ones((rows, 3), np.float32)
        op(teller, Phase.FORWARD, "bn", "batch_norm", array, attributes={"training": True})
        step(teller, k)

    found = names(told(tmp_path / "r", 6, happen))
    assert found == (["serious: batch-norm-of-one"] if rows == 1 else [])


@pytest.mark.parametrize("norm", [0.5, 3.0])
def test_clipping_at_every_step(norm: float, tmp_path: Path) -> None:
    def happen(teller: Teller, k: int) -> None:
        op(teller, Phase.BACKWARD, "w.grad", "AccumulateGrad", ONE + k, "gradient")
        facts = {"norm": norm, "limit": 1.0}
        op(
            teller, Phase.BACKWARD, "w.grad", "clip_grad_norm_", ONE + k, "gradient",
            op="clip", facts=facts,
        )  # fmt: skip
        op(teller, Phase.UPDATE, "w", "SGD.step", ONE * np.float32(1 + k / 1000), "parameter")

    found = names(told(tmp_path / "r", 12, happen))
    assert found == (["warning: always-clipped"] if norm > 1 else [])


@pytest.mark.parametrize("often", [2, 6])
def test_updates_that_are_skipped_in_a_row(often: int, tmp_path: Path) -> None:
    def happen(teller: Teller, k: int) -> None:
        if k < often:
            facts = {"reason": "infinite gradients", "scale": 1024.0}
            teller.happen(Phase.UPDATE, "opt.step", "skipped", {}, {}, 3, facts=facts)
        else:
            step(teller, k)

    found = names(told(tmp_path / "r", 12, happen))
    assert found == (["serious: skipped-steps"] if often == 6 else [])


@pytest.mark.parametrize("skips", [True, False])
def test_what_a_scaler_meets_and_leaves_out_is_expected(skips: bool, tmp_path: Path) -> None:
    def happen(teller: Teller, k: int) -> None:
        if k == 1:
            odd = Value(Degree.STATISTICS, statistics=(0.0, math.inf, math.inf, math.inf, 0.0))
            op(teller, Phase.FORWARD, "h", "linear", values={"h": odd})
        if k == 1 and skips:
            facts = {"reason": "infinite gradients", "scale": 1024.0}
            teller.happen(Phase.UPDATE, "opt.step", "step skipped", {}, {}, 3, facts=facts)
        else:
            step(teller, k)

    found = names(told(tmp_path / "r", 4, happen))
    assert found == ["note: non-finite" if skips else "warning: non-finite"]


@pytest.mark.parametrize(
    ("kind", "statistics", "name"),
    [
        ("relu", (0.0, 0.0, 0.0, 0.0, 1.0), "serious: dead-relu"),
        ("relu", (0.0, 9.0, 0.5, 1.0, 0.9), None),
        ("tanh", (-1.0, 1.0, 0.0, 0.995, 0.0), "warning: saturated"),
        ("tanh", (-1.0, 1.0, 0.0, 0.7, 0.0), None),
    ],
)
def test_units_by_their_statistics(kind, statistics, name, tmp_path: Path) -> None:
    def happen(teller: Teller, k: int) -> None:
        values = {kind: Value(Degree.STATISTICS, statistics=statistics)}
        op(teller, Phase.FORWARD, kind, kind, values=values)
        step(teller, k)

    assert names(told(tmp_path / "r", 8, happen)) == ([name] if name else [])


def test_a_gradient_that_is_next_to_nothing(tmp_path: Path) -> None:
    def happen(teller: Teller, k: int) -> None:
        for name, size in (("first", 1e-9), ("last", 1.0)):
            teller.given(name, "parameter", ONE)
            grad = (ONE + k) * np.float32(size)
            op(teller, Phase.BACKWARD, f"{name}.grad", "AccumulateGrad", grad, "gradient")
            op(teller, Phase.UPDATE, name, "SGD.step", ONE * np.float32(1 + k / 1000), "parameter")

    (found,) = findings(told(tmp_path / "r", 8, happen))
    assert (found.name, found.subject) == ("vanishing-gradients", "first")


def test_a_bias_before_batch_norm_has_no_gradient_to_lose(tmp_path: Path) -> None:
    def happen(teller: Teller, k: int) -> None:
        teller.given("bias", "parameter", ONE[0])
        teller.given("x", "input", ONE)
        bias = teller.tensor("bias", "parameter", ONE[0])
        x = teller.tensor("x", "input", ONE)
        z = teller.tensor("z", "activation", ONE)
        teller.happen(Phase.FORWARD, "z", "linear", {"x": x, "b": bias}, {"z": (z, ONE)}, 3)
        out = teller.tensor("out", "activation", ONE)
        teller.happen(Phase.FORWARD, "out", "batch_norm", {"z": z}, {"out": (out, ONE)}, 4)
        for name, size in (("bias", 1e-9), ("last", 1.0)):
            array = (ONE + k)[0] * np.float32(size)
            op(teller, Phase.BACKWARD, f"{name}.grad", "AccumulateGrad", array, "gradient")
            op(teller, Phase.UPDATE, name, "SGD.step", ONE[0] * (k + 1), "parameter")

    assert findings(told(tmp_path / "r", 8, happen)) == []


def test_what_one_use_contributes_is_not_the_gradient(tmp_path: Path) -> None:
    def happen(teller: Teller, k: int) -> None:
        for name in ("first", "last"):
            teller.given(name, "parameter", ONE)
            if name == "first":
                op(teller, Phase.BACKWARD, "first.grad", "AccumulateGrad", ONE + k, "gradient")
                part = teller.tensor("first.grad@rnn", "gradient", ONE, gradient_of="first")
                small = ONE * np.float32(1e-9)
                teller.happen(Phase.BACKWARD, "first.grad@rnn", "Mm", {}, {"p": (part, small)}, 3)
            op(teller, Phase.BACKWARD, f"{name}.grad", "AccumulateGrad", ONE + k, "gradient")
            op(teller, Phase.UPDATE, name, "SGD.step", ONE * np.float32(1 + k / 1000), "parameter")

    assert findings(told(tmp_path / "r", 8, happen)) == []


def test_a_gradient_that_explodes(tmp_path: Path) -> None:
    def happen(teller: Teller, k: int) -> None:
        grad = (ONE + k) * np.float32(1e6 if k == 9 else 1)
        op(teller, Phase.BACKWARD, "w.grad", "AccumulateGrad", grad, "gradient")
        op(teller, Phase.UPDATE, "w", "SGD.step", ONE * np.float32(1 + k / 1000), "parameter")

    (found,) = findings(told(tmp_path / "r", 12, happen))
    assert (found.name, found.event) == ("exploding-gradients", 18)


def test_a_net_that_goes_astray(tmp_path: Path) -> None:
    path = tmp_path / "r"
    teller = Teller(writer_at(path))
    net = Net(teller, lr=0.001)
    for k in range(30):
        net.scale = 1.0 + k  # the loss goes up with the input
        net.iterate()
    teller.end()
    assert "serious: loss-rising" in names(path)


def test_a_scheduler_before_its_optimizer(tmp_path: Path) -> None:
    def happen(teller: Teller, k: int) -> None:
        step(teller, k, facts={"lr": 0.01} | ({} if k else {"scheduler_first": True}))

    (found,) = findings(told(tmp_path / "r", 6, happen))
    assert (found.name, found.event, found.serious) == ("scheduler-first", 1, False)
    assert "at a learning rate of 0.01" in found.evidence


@pytest.mark.parametrize(("factor", "said"), [(1.5, "high"), (1 + 1e-6, "low"), (1.001, None)])
def test_updates_beside_their_weights(factor: float, said: str | None, tmp_path: Path) -> None:
    weight = np.random.default_rng(0).normal(size=(40, 150)).astype(np.float64)

    def happen(teller: Teller, k: int) -> None:
        if not k:
            teller.given("w", "parameter", weight)
        op(teller, Phase.BACKWARD, "w.grad", "AccumulateGrad", ONE + k, "gradient")
        number = teller.tensor("w", "parameter", weight)
        now = weight * factor ** (k + 1)
        teller.happen(Phase.UPDATE, "w", "SGD.step", {}, {"w": (number, now)}, 3)

    found = findings(told(tmp_path / "r", 6, happen))
    assert [one.name for one in found] == (["update-ratio"] if said else [])
    if said:
        assert f"too {said}" in found[0].cause
        assert found[0].numbers["median"] == pytest.approx(factor - 1, rel=1e-3)


@pytest.mark.parametrize(("loss", "found"), [(4.7, True), (2.4, False), (0.1, False)])
def test_the_first_loss_of_classes(loss: float, found: bool, tmp_path: Path) -> None:
    scores = np.zeros((4, 10), np.float32)

    def happen(teller: Teller, k: int) -> None:
        z = teller.tensor("z", "activation", scores)
        teller.happen(Phase.FORWARD, "z", "linear", {}, {"z": (z, scores)}, 2)
        value = np.float32(loss)
        number = teller.tensor("loss", "activation", value)
        teller.happen(
            Phase.LOSS, "loss", "cross_entropy", {"z": z}, {"loss": (number, value)}, 3,
            attributes={"reduction": 1},
        )  # fmt: skip
        step(teller, k)

    names_ = [one.name for one in findings(told(tmp_path / "r", 3, happen))]
    assert ("initial-loss" in names_) is found


def test_it_goes_on_where_it_was_left(tmp_path: Path) -> None:
    trained(tmp_path / "r", 12, lr=0.001, forgets=True)
    with opened_capture(str(tmp_path / "r")) as run:
        doctor = CaptureDoctor(run)
        while doctor.done < doctor.last:
            next(doctor.look())  # left at once, again and again
        (found,) = doctor.findings()
    assert (found.name, found.numbers["times"]) == ("accumulated-gradients", 11)


@pytest.mark.parametrize("last", [True, False])
def test_an_exception_that_ended_the_script(last: bool, tmp_path: Path) -> None:
    def happen(teller: Teller, k: int) -> None:
        step(teller, k)
        if k == 3:
            facts = {"raised": "RuntimeError", "text": "shapes cannot be multiplied"}
            teller.happen(Phase.FORWARD, "h", "linear", {}, {}, 11, facts)

    found = findings(told(tmp_path / "r", 4 if last else 5, happen))
    assert [(one.name, one.event, one.serious) for one in found] == (
        [("raised", 8, True)] if last else []
    )
    if last:
        assert "at train.py:11 raised RuntimeError: shapes cannot be" in found[0].evidence
