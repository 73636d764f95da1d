"""Targets against the last layer and the loss."""

import numpy as np
import pytest

from engine.diagnostics.diagnosis import Severity
from tests.engine.diagnostics.diagnosed import CLASSES, finding, found, linear

X = np.random.default_rng(7).normal(size=(24, 2))
INNER = np.tanh(X[:, :1])


def regression(y, *last, loss="mse", **more):
    return {
        "data": {"x": X.tolist(), "y": np.asarray(y).tolist()},
        "layers": [linear(4), {"type": "tanh"}, linear(1), *({"type": kind} for kind in last)],
        "loss": {"type": loss},
        **more,
    }


@pytest.mark.parametrize(
    ("y", "last"),
    [
        (50 + 40 * INNER, ["sigmoid"]),
        (np.sign(INNER), ["sigmoid"]),  # −1 and 1 where 0 and 1 are reached
        (5 * INNER, ["tanh"]),
        (INNER, ["relu"]),
        (INNER - 2, ["softplus"]),
        (INNER + 1, ["log_softmax"]),
        (INNER - 2, ["elu", "identity"]),
    ],
)
def test_a_last_activation_that_cannot_reach_the_targets(y, last):
    one = finding("unreachable-targets", **regression(y, *last))
    assert one.serious
    assert one.subject == f"{last[0]}{2 if last[0] == 'tanh' else 1}"
    assert last[0] in one.cause
    assert "targets are outside" in one.evidence


@pytest.mark.parametrize(
    ("y", "last"),
    [
        ((INNER > 0) * 1.0, ["sigmoid"]),  # 0 and 1 are the ends of its interval
        (np.sign(INNER), ["tanh"]),
        (np.abs(INNER), ["relu"]),
        (INNER, []),
        (100 * INNER, ["leaky_relu"]),
        (np.where(INNER > -0.9, np.abs(INNER), -0.01), ["relu"]),  # noise around the end
    ],
)
def test_targets_within_reach_are_left_alone(y, last):
    assert not found("unreachable-targets", **regression(y, *last))


def test_the_floor_is_the_mean_square_of_what_is_out_of_reach():
    y = np.array([[-2.0], [1.0], [-1.0], [4.0]])
    one = finding(
        "unreachable-targets",
        data={"x": X[:4].tolist(), "y": y.tolist()},
        layers=[linear(1), {"type": "relu"}],
    )
    assert one.numbers["floor"] == pytest.approx((4 + 1) / 4)
    assert one.numbers["share"] == pytest.approx(1.25 / y.var())


def test_scores_must_be_of_any_sign():
    yes = {"data": {"x": X.tolist(), "y": ((INNER > 0) * 1.0).tolist()}}
    relu = finding(
        "unreachable-targets",
        layers=[linear(1), {"type": "relu"}],
        loss={"type": "bce_with_logits"},
        **yes,
    )
    assert relu.serious
    # −log(1 − σ(0)) = ln 2 for each target of 0
    assert relu.numbers["floor"] == pytest.approx(np.log(2) * np.mean(INNER <= 0))
    behind = [linear(1), {"type": "relu"}, {"type": "sigmoid"}]
    one = finding("unreachable-targets", layers=behind, loss={"type": "bce"}, **yes)
    assert (one.subject, one.serious) == ("relu1", True)
    assert "behind relu, sigmoid gives 0.5 … 1" in one.evidence
    assert not found(
        "unreachable-targets",
        layers=[linear(1), {"type": "sigmoid"}],
        loss={"type": "bce"},
        **yes,
    )


@pytest.mark.parametrize(("kind", "loss"), [("softmax", "bce"), ("softmax", "mse")])
def test_a_softmax_of_one_output_is_always_one(kind, loss):
    yes = {"data": {"x": X.tolist(), "y": ((INNER > 0) * 1.0).tolist()}}
    tables = yes | {"layers": [linear(1), {"type": kind}], "loss": {"type": loss}}
    one = finding("unreachable-targets", **tables)
    assert one.serious
    assert "softmax of one output is always 1" in one.evidence
    assert {other.follows for other in found("never-moves", **tables)} == {"unreachable-targets"}


def test_what_is_explained_is_a_note():
    tables = regression(50 + 40 * INNER, "sigmoid", training={"epochs": 200})
    tables["optimizer"] = {"type": "sgd", "lr": 1.0}
    (one,) = found("saturated", **tables)
    assert (one.severity, one.follows) == (Severity.NOTE, "unreachable-targets")
    double = {
        "data": CLASSES,
        "layers": [linear(3), {"type": "softmax"}],
        "loss": {"type": "cross_entropy"},
    }
    assert finding("unreachable-targets", **double).follows == "double-softmax"


def test_targets_that_the_loss_is_not_made_for():
    labels = np.sign(INNER)
    one = finding("target-domain", **regression(labels, loss="bce_with_logits"))
    assert one.serious
    assert one.numbers["outside"] == int((labels < 0).sum())
    assert "(y + 1) / 2" in one.remedy
    assert not found("target-domain", **regression((labels + 1) / 2, loss="bce_with_logits"))


@pytest.mark.parametrize(
    ("rows", "severities"),
    [
        ([[1.0, 0.0], [0.5, 0.5]], []),
        ([[1.0, 1.0], [0.0, 1.0]], ["warning"]),
        ([[2.0, -1.0], [0.0, 1.0]], ["serious"]),
    ],
)
@pytest.mark.parametrize("loss", ["cross_entropy", "kl_div"])
def test_rows_of_classes_are_shares(rows, severities, loss):
    tables = {
        "data": {"x": X[:2].tolist(), "y": rows},
        "layers": [linear(2), {"type": "log_softmax"}],
        "loss": {"type": loss},
    }
    assert [one.severity for one in found("target-domain", **tables)] == severities


DOLLARS = 2e5 + 5e4 * INNER


def test_logarithms_of_shares_are_looked_at_as_shares():
    tables = {
        "data": {"x": X[:2].tolist(), "y": np.log([[0.25, 0.75], [0.5, 0.5]]).tolist()},
        "layers": [linear(2), {"type": "log_softmax"}],
    }
    assert not found("target-domain", loss={"type": "kl_div", "log_target": True}, **tables)
    assert finding("target-domain", loss={"type": "kl_div"}, **tables).serious


def test_a_divergence_takes_log_probabilities():
    tables = {"data": {"x": X[:2].tolist(), "y": [[0.25, 0.75], [0.5, 0.5]]}}
    one = finding("wrong-output", layers=[linear(2)], loss={"type": "kl_div"}, **tables)
    assert one.serious
    assert one.evidence.startswith("kl_div adds up −y ŷ, and linear")
    last = {"type": "log_softmax"}
    assert not found("wrong-output", layers=[linear(2), last], loss={"type": "kl_div"}, **tables)


def test_a_sigmoid_cannot_reach_the_margin_of_a_hinge():
    signs = np.sign(INNER)
    one = finding("unreachable-targets", **regression(signs, "sigmoid", loss="hinge"))
    assert one.serious
    assert not found("unreachable-targets", **regression(signs, "hard_tanh", loss="hinge"))


@pytest.mark.parametrize(
    "optimizer", [{"type": "sgd", "lr": 0.05}, {"type": "adam", "lr": 1e-3}], ids=["sgd", "adam"]
)
def test_targets_in_dollars_are_the_cause_of_what_comes_of_it(optimizer):
    tables = regression(DOLLARS, optimizer=optimizer, training={"epochs": 300})
    tables["layers"][1] = {"type": "relu"}
    one = finding("target-scale", **tables)
    assert one.serious
    assert one.numbers["targets"] == pytest.approx(np.sqrt(np.mean(DOLLARS**2)))


def test_large_targets_that_do_no_harm_are_a_note_or_nothing():
    line = {"layers": [linear(1)], "training": {"epochs": 100}}
    assert not found("target-scale", **(regression(DOLLARS) | line))
    fast = {"type": "adam", "lr": 1.0}
    slopes = {"optimizer": fast, "layers": [linear(1)], "training": {"epochs": 400}}
    (one,) = found("target-scale", **(regression(200 + 50 * INNER) | slopes))
    assert one.severity == Severity.NOTE
    assert not found("target-scale", **regression(20 + INNER))


def test_a_class_that_no_row_has():
    tables = {"data": CLASSES, "loss": {"type": "cross_entropy"}}
    assert not found("absent-class", layers=[linear(3)], **tables)
    one = finding("absent-class", layers=[linear(5)], **tables)
    assert (one.severity, one.numbers["absent"]) == (Severity.WARNING, 2)
    assert "3, 4" in one.evidence
    tables["data"] = CLASSES | {"y": [c + 1 for c in CLASSES["y"]]}
    one = finding("absent-class", layers=[linear(4)], **tables)
    assert "counted from 1" in one.cause
    ones = {"x": X.tolist(), "y": [[1.0]] * 24}
    assert found("absent-class", data=ones, layers=[linear(1)], loss={"type": "bce_with_logits"})
    assert not found("absent-class", data=ones, layers=[linear(1)])  # numbers, no classes
