"""What one sample's loss is in the batch's, held against runs of each sample alone."""

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from engine.experiment.reader import read_experiment
from engine.program.compiler import compile_program
from engine.program.program import Program
from engine.run.phases import Phase
from engine.session.session import Session
from engine.worksheet.share import Share, share
from tests.engine.small_experiments import built_in, document

ROWS = 4
RNG = np.random.default_rng(5)
X, Y = RNG.normal(size=(ROWS, 3)), RNG.uniform(0.1, 0.9, size=(ROWS, 2))
CLASSES = [0, 1, 1, 0]
LAYERS = [{"type": "linear", "out": 3}, {"type": "tanh"}, {"type": "linear", "out": 2}]
LINES = "z = x @ W.T + b\nyhat = sigmoid(z)\n"
PARAMETERS = {
    "W": {"value": RNG.normal(size=(2, 3)).tolist()},
    "b": {"value": RNG.normal(size=2).tolist()},
}


def layers(rows: slice, loss: dict[str, Any]) -> Program:
    """A network of layers on some of the rows, all of them one batch."""
    y = Y.tolist() if loss["type"] != "cross_entropy" else CLASSES
    data = {"x": X[rows].tolist(), "y": y[rows]}
    raw = document(layers=LAYERS, loss=loss) | {"data": data}
    return compile_program(read_experiment(raw, "test.toml"))


def lines(rows: slice, loss: str, y: list[Any] | None = None) -> Program:
    """A network of lines on some of the rows, all of them one batch."""
    raw = {
        "name": "lines",
        "data": {"x": X[rows].tolist(), "y": (Y.tolist() if y is None else y)[rows]},
        "parameters": PARAMETERS,
        "network": {"lines": LINES + loss, "per": "batch"},
        "optimizer": {"type": "sgd", "lr": 0.1},
    }
    return compile_program(read_experiment(raw, "test.toml"))


def gradients(program: Program) -> dict[str, np.ndarray]:
    """Every gradient after backward, by name."""
    session = Session(program)
    while session.op is not None and session.op.phase != Phase.UPDATE:
        session.step()
    return {info.name: session.tensors[info.name] for info in program.tensors.values()
            if info.role == "gradient"}  # fmt: skip


def holds(found: Share, made: Any, output: str) -> None:
    """The factor of ∂ℓ/∂ŷ, and the mean or the sum of the parameters' gradients."""
    whole = gradients(made(slice(None)))
    alone = [gradients(made(slice(i, i + 1))) for i in range(ROWS)]
    for i, one in enumerate(alone):
        assert_allclose(found.factor * whole[output][i], one[output][0], rtol=1e-12)
    fold = np.mean if found.fold == "mean" else np.sum
    for name, gradient in whole.items():
        if gradient.shape[:1] != (ROWS,):
            assert_allclose(gradient, fold([one[name] for one in alone], axis=0), rtol=1e-11)


@pytest.mark.parametrize(
    ("loss", "fold"),
    [
        ({"type": "mse"}, "mean"),
        ({"type": "mse", "reduction": "sum"}, "sum"),
        ({"type": "bce_with_logits", "reduction": "batch_mean"}, "mean"),
        ({"type": "huber", "scale": 3.0}, "mean"),
        ({"type": "cross_entropy"}, "mean"),
        ({"type": "cross_entropy", "reduction": "sum", "weight": [1.0, 3.0]}, "sum"),
    ],
)
def test_a_loss_of_the_table_is_the_mean_or_the_sum_of_its_samples(loss, fold):
    found = share(layers(slice(None), loss), ROWS)
    assert found == Share(fold, ROWS)
    holds(found, lambda rows: layers(rows, loss), "linear2.out.grad")


@pytest.mark.parametrize("more", [{"weight": [1.0, 3.0]}, {"ignore_index": 0}])
def test_a_mean_over_weights_has_no_factor(more):
    assert share(layers(slice(None), {"type": "cross_entropy", **more}), ROWS) is None


@pytest.mark.parametrize(
    ("loss", "fold"),
    [
        ("loss = mean((yhat - y)**2)", "mean"),
        ("loss = sum((yhat - y)**2)", "sum"),
        ("loss = 0.5*sum((yhat - y)**2)/3", "sum"),
        ("loss = -mean(sum(y*log(yhat), axis=1))", "mean"),
        ("loss = sum(mean((yhat - y)**2, axis=1))", "sum"),
        ("loss = mean((yhat - y)**2) + 0.1*sum(W**2)", "mean"),
        ("data = mean((yhat - y)**2)\nloss = 2*data", "mean"),
        ("loss = bce(yhat, y)", "mean"),
        ("loss = mse(yhat, y, reduction='sum')", "sum"),
    ],
)
def test_a_loss_in_lines_is_the_mean_or_the_sum_of_its_samples(loss, fold):
    found = share(lines(slice(None), loss), ROWS)
    assert found == Share(fold, ROWS)
    holds(found, lambda rows: lines(rows, loss), "yhat.grad")


@pytest.mark.parametrize(
    "loss",
    [
        "loss = sum((yhat - y)**2)/N",  # a mean, but 4 may be any number
        "loss = sum((yhat - y)**2) + 0.1*sum(W**2)",
        "loss = sqrt(mean((yhat - y)**2))",
        "loss = mean((yhat - mean(yhat, axis=0))**2)",
        "loss = mean((yhat - y)**2) + sum(abs(yhat))",
        "loss = max((yhat - y)**2)",
    ],
)
def test_nothing_is_said_of_a_loss_that_cannot_be_told(loss):
    assert share(lines(slice(None), loss), ROWS) is None


def test_a_batch_of_one_is_its_sample():
    assert share(layers(slice(0, 1), {"type": "mse"}), 1) is None


def test_the_quarter_of_classification_bce():
    found = share(built_in("classification-bce"), 4)
    assert found is not None
    assert found.of_batch("∂ℓ/∂ŷ") == "∂ℓ/∂ŷ of the batch: 1/N of this, N = 4"
    assert found.of_sample("∂ℓ/∂ŷ") == "∂ℓ/∂ŷ of one sample alone: N times this, N = 4"
