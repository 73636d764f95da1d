"""Loss and accuracy against scikit-learn and hand-made answers."""

import numpy as np
import pytest

from engine.measure import metrics
from engine.measure.metrics import confusion, distances, evaluate
from engine.run.drive import run_iteration
from tests.engine.plain_run import trained
from tests.engine.small_experiments import built_in, program

ONE_HOT = [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]
BITS = [[1.0, 1.0], [0.0, 1.0], [1.0, 0.0], [0.0, 0.0]]
SOFT = [[0.5, 0.5], [0.0, 1.0], [1.0, 0.0], [0.25, 0.75]]
# The layer hands its input on: ŷ = g(x).
LOGITS = [[3.0, 1.0], [2.0, -1.0], [0.5, -0.5], [-4.0, 4.0]]
EYE = {"type": "linear", "out": 2, "weight": [[1.0, 0.0], [0.0, 1.0]], "bias": False}


def network(y, loss, last=None, x=LOGITS):
    layers = [EYE, {"type": last}] if last else [EYE]
    return program(data={"x": x, "y": y}, layers=layers, loss={"type": loss})


def accuracy(compiled, rows=None):
    return evaluate(compiled, compiled.initial(), rows).get("accuracy")


@pytest.mark.parametrize(
    ("y", "loss", "last", "expected"),
    [
        ([0, 1, 0, 1], "cross_entropy", None, 3 / 4),  # the largest logits stand at 0 0 0 1
        ([0, 1, 0, 1], "nll", "log_softmax", 3 / 4),
        (ONE_HOT, "cross_entropy", None, 3 / 4),
        (SOFT, "cross_entropy", None, None),
        (ONE_HOT, "mse", "softmax", 3 / 4),
        (ONE_HOT, "mse", None, None),
        (BITS, "bce_with_logits", None, 5 / 8),  # logits above 0: 11 10 10 01
        ([[2 * bit - 1 for bit in row] for row in BITS], "hinge", None, 5 / 8),
        ([0, 1, 0, 1], "multi_margin", None, 3 / 4),
        (SOFT, "kl_div", "log_softmax", None),
        (ONE_HOT, "kl_div", "log_softmax", 3 / 4),
        (BITS, "bce", "sigmoid", 5 / 8),
        (BITS, "mse", "sigmoid", 5 / 8),
        (ONE_HOT, "bce_with_logits", None, 5 / 8),
        (SOFT, "bce", "sigmoid", None),
        (BITS, "mse", "softmax", None),
        (BITS, "mse", None, None),
        (BITS, "mse", "tanh", None),
    ],
)
def test_what_counts_as_right(y, loss, last, expected):
    assert accuracy(network(y, loss, last)) == expected


def test_labels_of_the_hinge_are_two_classes():
    one = {"type": "linear", "out": 1, "weight": [[1.0, 0.0]], "bias": False}
    compiled = program(
        data={"x": LOGITS, "y": [[1.0], [-1.0], [1.0], [-1.0]]},
        layers=[one],
        loss={"type": "hinge"},
    )
    assert accuracy(compiled) == 3 / 4
    table = confusion(compiled, compiled.initial())
    assert table.tolist() == [[1, 1], [0, 2]]


def test_only_the_given_rows_count():
    compiled = network([0, 1, 0, 1], "cross_entropy")
    assert accuracy(compiled, slice(1, 2)) == 0
    assert accuracy(compiled, np.array([0, 1, 1])) == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("y", "loss"), [([0, 0], "cross_entropy"), ([[0, 0]] * 2, "bce_with_logits")]
)
def test_nan_is_never_right(y, loss):
    compiled = network(y, loss, x=[[-1.0, -2.0], [float("nan"), float("nan")]])
    found = evaluate(compiled, compiled.initial())
    assert found["accuracy"] <= 0.5
    assert np.isnan(found["loss"])


def test_the_loss_is_that_of_one_whole_batch(monkeypatch):
    whole = program()
    expected = float(run_iteration(whole, whole.initial(), 0)["loss"])
    cut = program(data={"batch_size": 2})
    monkeypatch.setattr(metrics, "CHUNK", 3)
    found = evaluate(cut, cut.initial())
    assert found["loss"] == pytest.approx(expected, rel=1e-14)


def test_iris_against_scikit_learn():
    reason = "scikit-learn is the second opinion"
    scores = pytest.importorskip("sklearn.metrics", reason=reason)
    compiled = built_in("iris")
    tensors = trained(compiled, 30)
    yhat = metrics.predict(compiled, tensors, compiled.data.x)
    shares = np.exp(yhat) / np.exp(yhat).sum(axis=1, keepdims=True)
    found = evaluate(compiled, tensors)
    assert found["accuracy"] == scores.accuracy_score(compiled.data.y, yhat.argmax(axis=1))
    assert 0.5 < found["accuracy"] < 1
    assert found["loss"] == pytest.approx(scores.log_loss(compiled.data.y, shares), rel=1e-12)


@pytest.mark.parametrize("same", [False, True])
@pytest.mark.parametrize("outputs", [1, 3])
def test_distances_against_scikit_learn(outputs, same):
    scores = pytest.importorskip("sklearn.metrics", reason="scikit-learn is the second opinion")
    rng = np.random.default_rng(outputs)
    y, yhat = rng.normal(size=(9, outputs)), rng.normal(size=(9, outputs))
    y[:, 0] = 2.0 if same else y[:, 0]
    found = distances(yhat, y)
    assert found["r2"] == pytest.approx(scores.r2_score(y, yhat), rel=1e-12)
    assert found["mae"] == pytest.approx(scores.mean_absolute_error(y, yhat), rel=1e-12)
    assert distances(y, y)["r2"] == scores.r2_score(y, y) == 1


def test_a_single_row_has_no_r2():
    assert distances(np.array([[1.0]]), np.array([[3.0]])) == {"mae": 2.0}


def test_distances_are_told_where_the_loss_is_one_of_regression():
    assert list(evaluate(program(), program().initial())) == ["loss", "r2", "mae"]
    soft = network(SOFT, "cross_entropy")
    assert list(evaluate(soft, soft.initial())) == ["loss"]
    hot = network(ONE_HOT, "mse", "softmax")
    assert list(evaluate(hot, hot.initial())) == ["loss", "accuracy"]


def test_confusion_against_scikit_learn():
    scores = pytest.importorskip("sklearn.metrics", reason="scikit-learn is the second opinion")
    compiled = built_in("iris")
    tensors = trained(compiled, 12)
    answers = metrics.predict(compiled, tensors, compiled.data.x).argmax(axis=1)
    expected = scores.confusion_matrix(compiled.data.y, answers)
    np.testing.assert_array_equal(confusion(compiled, tensors), expected)
    assert 0 < expected.trace() < expected.sum() == 150


@pytest.mark.parametrize(
    ("y", "loss", "last", "expected"),
    [
        ([0, 1, 0, 1], "cross_entropy", None, [[2, 0], [1, 1]]),
        (ONE_HOT, "mse", "softmax", [[2, 0], [1, 1]]),
        (BITS, "bce_with_logits", None, None),
        (SOFT, "cross_entropy", None, None),
        (ONE_HOT, "mse", None, None),
    ],
)
def test_confusion(y, loss, last, expected):
    compiled = network(y, loss, last)
    found = confusion(compiled, compiled.initial())
    assert (None if found is None else found.tolist()) == expected


def test_confusion_of_a_single_output():
    layers = [{"type": "linear", "out": 1, "weight": [[1.0]], "bias": False}, {"type": "sigmoid"}]
    data = {"x": [[1.0], [2.0], [-1.0], [float("nan")]], "y": [[1.0], [0.0], [0.0], [0.0]]}
    compiled = program(data=data, layers=layers, loss={"type": "bce"})
    assert confusion(compiled, compiled.initial()).tolist() == [[1, 1], [0, 1]]


def test_an_ignored_class_is_not_in_the_confusion():
    layers = [EYE]
    loss = {"type": "cross_entropy", "ignore_index": -1}
    compiled = program(data={"x": LOGITS, "y": [0, -1, 1, 1]}, layers=layers, loss=loss)
    assert confusion(compiled, compiled.initial()).tolist() == [[1, 0], [1, 1]]
