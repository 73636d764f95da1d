"""Converged is not slow; no progress is measured against the best constant answer."""

import numpy as np
import pytest

from engine.diagnostics.diagnosis import Severity
from engine.diagnostics.doctor import Doctor
from tests.engine.diagnostics.diagnosed import CLASSES, XOR, every, finding, found, linear
from tests.engine.small_experiments import program

torch = pytest.importorskip("torch", reason="PyTorch is not installed (extra 'torch')")

LINE = np.linspace(-1, 1, 8)[:, None]


def test_converged_is_a_note_with_its_level_and_no_step_is_too_small():
    tables = {
        "data": {"x": LINE.tolist(), "y": (2 * LINE + 1).tolist()},
        "layers": [linear(1)],
        "optimizer": {"type": "sgd", "lr": 0.5},
        "training": {"epochs": 300},
    }
    findings = every(**tables)
    one = next(one for one in findings if one.name == "converged")
    assert one.severity == Severity.NOTE
    assert one.numbers["loss"] < 1e-20
    assert one.numbers["constant"] == pytest.approx((2 * LINE).var())
    assert not [one for one in findings if one.name == "update-ratio"]
    early = every(iterations=8, **tables)
    assert not [one for one in early if one.name == "converged"]
    saddle = every(layers=[linear(8), linear(1)], **XOR)
    assert not [one for one in saddle if one.name == "update-ratio"]


def test_a_rate_that_is_too_small_still_is():
    tables = {"optimizer": {"type": "sgd", "lr": 1e-8}, "training": {"epochs": 30}}
    assert [one.serious for one in found("update-ratio", **tables)] == [True, True]
    assert "is too small for the gradient" in found("update-ratio", **tables)[0].cause
    assert not found("converged", **tables)


def test_exclusive_or_of_one_linear_map_is_no_better_than_a_constant():
    one = finding("no-progress", layers=[linear(1)], **XOR)
    assert one.serious
    assert one.numbers["constant"] == pytest.approx(np.log(2))
    assert "one linear map" in one.cause
    bent = [linear(8), {"type": "tanh"}, linear(1)]
    assert not found("no-progress", layers=bent, **XOR)


WEIGHT = [0.2, 1.0, 5.0]


@pytest.mark.parametrize("reduction", ["mean", "sum", "batch_mean"])
def test_the_constant_answer_has_all_the_options_of_the_loss(reduction):
    """Inputs of zero: all that can be learnt is the constant, and PyTorch says what it costs."""
    y = [0, 0, 0, 0, 1, 2, 0, 1]
    loss = {
        "type": "cross_entropy",
        "weight": WEIGHT,
        "label_smoothing": 0.1,
        "reduction": reduction,
    }
    rate = 0.5 / (8 if reduction == "sum" else 1)
    tables = {
        "data": {"x": [[0.0]] * 8, "y": y},
        "layers": [linear(3)],
        "loss": loss,
        "optimizer": {"type": "sgd", "lr": rate},
        "training": {"epochs": 600},
    }
    one = finding("no-progress", **tables)
    doctor = Doctor(program(**tables))
    for _ in doctor.run(600):
        pass
    logits = torch.tensor(doctor.tensors["linear1.out"])
    how = {"batch_mean": "sum"}.get(reduction, reduction)
    theirs = torch.nn.functional.cross_entropy(
        logits,
        torch.tensor(y),
        torch.tensor(WEIGHT, dtype=torch.float64),
        label_smoothing=0.1,
        reduction=how,
    )
    value = float(theirs) / (8 if reduction == "batch_mean" else 1)
    assert one.numbers["constant"] == pytest.approx(value, rel=1e-6)


def test_nothing_is_said_before_the_run_is_over():
    tables = XOR | {"layers": [linear(1)]}
    assert not found("no-progress", iterations=299, **tables)


def test_what_still_falls_is_a_warning():
    slow = XOR | {"optimizer": {"type": "sgd", "lr": 0.1}, "training": {"epochs": 12}}
    layers = [linear(1, weight=[[3.0, 3.0]])]
    assert finding("no-progress", layers=layers, **slow).severity == Severity.WARNING


@pytest.mark.parametrize(
    ("loss", "cause"),
    [
        ({"type": "cross_entropy", "weight": [0.0, 0.0, 0.0]}, "all weights of the loss are 0"),
        ({"type": "cross_entropy", "weight": [0.0] * 3, "reduction": "sum"}, "weights"),
        ({"type": "nll", "weight": [0.0] * 3}, "weights"),
        ({"type": "cross_entropy", "scale": 0.0}, "scale = 0"),
        ({"type": "cross_entropy", "label_smoothing": 1.0}, "smoothing"),
        ({"type": "cross_entropy", "weight": [0.0, 0.0, 1.0]}, "weight = 0"),
    ],
)
def test_a_loss_in_which_nothing_counts(loss, cause):
    tables = {"data": CLASSES, "layers": [linear(3), {"type": "log_softmax"}], "loss": loss}
    one = finding("nothing-counts", **tables)
    assert one.serious
    assert cause in one.cause
    serious = {other.name for other in every(training={"epochs": 20}, **tables) if other.serious}
    assert serious == {"nothing-counts"}


def test_a_batch_of_ignored_rows_is_found_where_it_comes():
    y = [0, 1, 2, 0, -1, -1, -1, -1, 0, 1, 2, 0]
    tables = {
        "data": CLASSES | {"y": y, "batch_size": 4},
        "layers": [linear(3)],
        "loss": {"type": "cross_entropy", "ignore_index": -1},
    }
    one = finding("nothing-counts", **tables)
    assert program(**tables).timeline.position(one.event).iteration == 2
    assert one.numbers == {"empty": 3, "batches": 9}
    assert finding("non-finite", **tables).follows == "nothing-counts"
    tables["data"] |= {"batch_size": 6}
    assert not found("nothing-counts", **tables)


def test_one_class_without_weight_among_several_is_a_warning():
    tables = {"data": CLASSES, "layers": [linear(3)]}
    part = {"type": "cross_entropy", "weight": [0.0, 1.0, 1.0]}
    one = finding("nothing-counts", loss=part, **tables)
    assert (one.severity, one.subject) == (Severity.WARNING, "loss.weight")
    small = {"type": "cross_entropy", "weight": [0.01, 1.0, 1.0], "label_smoothing": 0.1}
    assert not found("nothing-counts", loss=small, **tables)
    yes = {"x": CLASSES["x"], "y": [[0.0], [1.0]] * 6}
    none = {"type": "bce_with_logits", "pos_weight": [0.0]}
    assert finding("nothing-counts", data=yes, layers=[linear(1)], loss=none).serious


def test_the_lowest_loss_from_the_start_is_no_fault():
    tables = {
        "data": {"x": LINE.tolist(), "y": (2 * LINE).tolist()},
        "layers": [linear(1, weight=[[2.0]], bias=[0.0])],
        "training": {"epochs": 20},
    }
    assert not [one for one in every(**tables) if one.severity != Severity.NOTE]


def test_an_obstacle_that_was_none_is_a_warning():
    """A tanh layer saturates once the classes are apart, and nothing is left to learn."""
    x = [[-3.0], [-2.0], [2.0], [3.0]]
    tables = {
        "data": {"x": x, "y": [[0.0], [0.0], [1.0], [1.0]]},
        "layers": [linear(4, init="normal", init_scale=40.0), {"type": "tanh"}, linear(1)],
        "loss": {"type": "bce_with_logits"},
        "optimizer": {"type": "adam", "lr": 0.05},
    }
    (one,) = found("saturated", training={"epochs": 300}, **tables)
    assert one.severity == Severity.WARNING
    assert "learnt all the same" in one.evidence
    (early,) = found("saturated", training={"epochs": 3}, **tables)
    assert early.serious
