"""What stands in the network where it does not help, and the order of the samples."""

import numpy as np
import pytest

from engine.diagnostics.diagnosis import Severity
from engine.diagnostics.losses import LossOscillating
from engine.diagnostics.order import mean_entropy, mean_variance
from tests.engine.diagnostics.diagnosed import XOR, every, finding, found, linear
from tests.engine.small_experiments import program

TANH = {"type": "tanh"}
IDENTITY = {"type": "identity"}
FLAT = {"type": "leaky_relu", "negative_slope": 1.0}
DROP = {"type": "dropout", "p": 0.5}
RNG = np.random.default_rng(11)
X = RNG.normal(size=(48, 2))
LEVEL = X[:, :1] - 0.5 * X[:, 1:]


@pytest.mark.parametrize("between", [[], [IDENTITY], [DROP], [FLAT, IDENTITY]])
def test_linear_layers_in_a_row(between):
    one = finding("linear-in-a-row", layers=[linear(4), *between, linear(1)])
    assert (one.subject, one.severity) == ("linear2", Severity.WARNING)
    assert "an activation is missing" in one.cause


@pytest.mark.parametrize(
    "layers",
    [
        [linear(4), TANH, linear(1)],
        [linear(4), IDENTITY, TANH, linear(1), IDENTITY],
        [linear(4), {"type": "leaky_relu"}, linear(1)],
        [linear(1)],
    ],
)
def test_layers_with_a_bend_between_them_are_left_alone(layers):
    assert not found("linear-in-a-row", layers=layers)


def test_a_bottleneck_is_a_factorization_and_so_a_note():
    narrow = [linear(1), linear(4), TANH, linear(1)]
    assert finding("linear-in-a-row", layers=narrow).severity == Severity.NOTE


def test_a_missing_activation_is_as_serious_as_what_comes_of_it():
    findings = every(layers=[linear(8), linear(1)], **XOR)
    assert [one.name for one in findings if one.severity != Severity.NOTE] == ["linear-in-a-row"]
    assert findings[0].serious
    follows = {one.name: one.follows for one in findings}
    assert follows["no-progress"] == "linear-in-a-row"
    assert follows["converged"] == ""


def line(offset, **last):
    return {
        "data": {"x": X.tolist(), "y": (LEVEL + offset).tolist()},
        "layers": [linear(1, **last)],
        "optimizer": {"type": "sgd", "lr": 0.2},
        "training": {"epochs": 100},
    }


def test_a_missing_bias_where_the_residuals_have_a_mean():
    one = finding("missing-bias", **line(9.0, bias=False))
    assert one.serious
    residual = X @ np.linalg.lstsq(X, LEVEL + 9, rcond=None)[0] - LEVEL - 9
    assert one.numbers["share"] == pytest.approx(residual.mean() ** 2 / np.mean(residual**2))
    assert finding("missing-bias", **line(9.0, frozen=["bias"])).serious


@pytest.mark.parametrize(
    "tables",
    [
        line(9.0),
        line(0.0, bias=False),  # through the origin: none is needed
        line(9.0, bias=False) | {"training": {"epochs": 4}},  # too early to say
    ],
)
def test_no_bias_is_missed_where_none_is_needed(tables):
    assert not found("missing-bias", **tables)


def test_a_classifier_without_bias_misses_it_too():
    x = np.abs(RNG.normal(size=(40, 1))) + 1
    y = [[0.0]] * 39 + [[1.0]]
    tables = {
        "data": {"x": (1 / x).tolist(), "y": y},
        "layers": [linear(1, bias=False)],
        "loss": {"type": "bce_with_logits"},
        "optimizer": {"type": "sgd", "lr": 1.0},
        "training": {"epochs": 300},
    }
    assert not found("missing-bias", **tables)  # the input is positive, and stands in for it
    tables["data"]["x"] = RNG.normal(size=(40, 1)).tolist()
    tables["data"]["y"] = [[1.0]] * 40
    assert finding("missing-bias", **tables).serious


@pytest.mark.parametrize(
    ("layers", "severity"),
    [
        ([linear(3), TANH, linear(1), DROP], Severity.SERIOUS),
        ([linear(3), TANH, linear(1), DROP, IDENTITY], Severity.SERIOUS),
        ([DROP, linear(3), TANH, linear(1)], Severity.WARNING),
        ([{"type": "dropout", "p": 0.2}, linear(3), TANH, linear(1)], Severity.NOTE),
        ([linear(3), TANH, {"type": "dropout", "p": 1.0}, linear(1)], Severity.SERIOUS),
        ([linear(3), TANH, DROP, linear(1)], None),
        ([linear(3), TANH, linear(1), {"type": "dropout", "p": 0.0}], None),
    ],
)
def test_dropout_between_hidden_layers_only(layers, severity):
    severities = [one.severity for one in found("dropout-place", layers=layers)]
    assert severities == ([] if severity is None else [severity])


def test_dropout_that_is_switched_off_may_stand_anywhere():
    layers = [linear(3), TANH, linear(1), DROP]
    assert not found("dropout-place", layers=layers, training={"mode": "eval"})


CLASSES = np.repeat([0, 1, 2], 16)
CLOUDS = np.array([[-2.0, 0.0], [2.0, 0.0], [0.0, 3.0]])[CLASSES] + 0.5 * X


def sorted_data(y=CLASSES, x=CLOUDS, **batching):
    return {"x": x.tolist(), "y": y.tolist(), "batch_size": 8} | batching


CLASSIFIER = {"layers": [linear(8), TANH, linear(3)], "loss": {"type": "cross_entropy"}}


@pytest.mark.parametrize("size", [1, 5, 8])
def test_samples_sorted_by_class(size):
    one = finding("sorted-batches", data=sorted_data(batch_size=size), **CLASSIFIER)
    assert one.severity == Severity.WARNING
    assert "shuffle = true" in one.remedy


def test_samples_sorted_by_their_numbers_and_one_hot():
    order = np.argsort(LEVEL[:, 0])
    numbers = sorted_data(LEVEL[order], X[order])
    assert found("sorted-batches", data=numbers)
    rows = CLASSIFIER | {"data": sorted_data(np.eye(3)[CLASSES])}
    assert found("sorted-batches", **rows)


@pytest.mark.parametrize(
    "data",
    [
        sorted_data(shuffle=True),
        sorted_data(batch_size=48),
        sorted_data(np.tile([0, 1, 2], 16)),
        sorted_data(RNG.permutation(CLASSES)),
        sorted_data(np.zeros(48, int)),
    ],
)
def test_other_orders_are_left_alone(data):
    assert not found("sorted-batches", data=data, **CLASSIFIER)


def test_the_variety_of_batches():
    assert mean_entropy(np.array([0, 0, 1, 1]), 2) == 0
    assert mean_entropy(np.array([0, 1, 0, 1]), 2) == pytest.approx(np.log(2))
    assert mean_variance(np.array([[0.0], [2.0], [5.0], [5.0]]), 2) == pytest.approx(0.5)


def test_a_rising_loss_is_the_doing_of_the_order():
    rate = {"type": "sgd", "lr": 0.5, "momentum": 0.9}
    tables = CLASSIFIER | {"optimizer": rate, "training": {"epochs": 30}}
    rising = [one for one in every(data=sorted_data(batch_size=4), **tables) if one.follows]
    assert {one.follows for one in rising} <= {"sorted-batches", "loss-rising"}


NOISY = {
    "data": {"x": X.tolist(), "y": LEVEL.tolist()},
    "layers": [linear(4), TANH, {"type": "dropout", "p": 0.7}, linear(1)],
    "optimizer": {"type": "sgd", "lr": 0.05},
    "training": {"epochs": 80},
}


def test_the_noise_of_dropout_is_told_from_a_rate_that_is_too_high():
    for one in found("loss-oscillating", **NOISY):
        assert one.severity == Severity.NOTE
        assert "dropout" in one.cause
    still = NOISY | {"layers": [linear(4), TANH, linear(1)]}
    assert not found("loss-oscillating", **still)


def test_noise_is_what_other_masks_and_rows_make():
    one = LossOscillating(program(**NOISY))
    tensors = program(**NOISY).initial()
    losses = [one.other(tensors, iteration) for iteration in range(200)]
    assert 0.05 < np.std(losses) / np.mean(losses) < 0.5
    alone = program(**(NOISY | {"layers": [linear(4), TANH, linear(1)]}))
    assert not LossOscillating(alone).drops
    assert not LossOscillating(alone).draws
