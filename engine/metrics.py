"""How good a network is on its data: the loss, and the accuracy where targets are classes.

Accuracy is the fraction of right answers, 0 to 1. What counts as an answer:

- class indices, or rows with a single 1 under cross_entropy, nll or a last softmax: a row is right
  when its largest output stands at its class;
- targets of 0 and 1 under bce, bce_with_logits or a last sigmoid: an element is right when the
  probability is above ½ exactly where the target is 1.

Anything else is no classification and has no accuracy. NaN is never right.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Array
from engine.program import Program

CHUNK = 4096  # rows that go forward at a time
Rows = slice | NDArray[np.int64]
PICKS = {"cross_entropy", "nll", "softmax", "log_softmax"}
THRESHOLDS = {"bce": 0.5, "bce_with_logits": 0.0, "sigmoid": 0.5}  # a loss goes before a layer


def evaluate(
    program: Program, tensors: Mapping[str, Array], rows: Rows | None = None
) -> dict[str, float]:
    """``loss`` and, for classification, ``accuracy`` on all rows or on the given ones.

    ``tensors`` holds the parameters. The loss has the reduction of the experiment, over all these
    rows as if they were one batch.
    """
    x, y = program.data.x, program.data.y
    if rows is not None:
        x, y = x[rows], y[rows]
    with np.errstate(all="ignore"):
        yhat = predict(program, tensors, x)
        found = {"loss": float(program.network.loss.value(yhat, y))}
        right = correct(program, yhat, y)
    return found if right is None else found | {"accuracy": float(right.mean())}


def predict(program: Program, tensors: Mapping[str, Array], x: Array) -> Array:
    """ŷ (N, K) for the rows of x (N, n), some thousand rows at a time."""
    parts = [forward(program, tensors, x[i : i + CHUNK]) for i in range(0, len(x), CHUNK)]
    return np.concatenate(parts) if len(parts) != 1 else parts[0]


def forward(program: Program, tensors: Mapping[str, Array], x: Array) -> Array:
    """The output of the last layer for the inputs x."""
    found = {**tensors, "x": x}
    for node in program.network.nodes:
        found[node.output] = node.layer.forward(*[found[node.tensor(r)] for r in node.layer.reads])
    return found[program.network.output]


def correct(program: Program, yhat: Array, y: Array) -> NDArray[np.bool_] | None:
    """Which answers are right, (N,) or (N, K); None where there are no classes to get right."""
    if y.ndim == 1:
        ignored = getattr(program.network.loss, "ignore_index", None)
        counted = slice(None) if ignored is None else y != ignored
        return picked(yhat[counted], y[counted]) if len(y[counted]) else None
    for kind in (program.network.loss.type, program.network.nodes[-1].layer.type):
        if kind in PICKS:
            return picked(yhat, y.argmax(axis=1)) if is_one_hot(y) else None
        if kind in THRESHOLDS:
            return decided(yhat, y, THRESHOLDS[kind]) if is_binary(y) else None
    return None


def decided(yhat: Array, y: Array, threshold: float) -> NDArray[np.bool_]:
    """Whether each output is above the threshold just where its target is 1."""
    same: NDArray[np.bool_] = (yhat > threshold) == (y == 1)
    return same & ~np.isnan(yhat)


def picked(yhat: Array, classes: Array) -> NDArray[np.bool_]:
    """Whether the largest output of each row stands at its class."""
    best: NDArray[np.bool_] = yhat.argmax(axis=1) == classes
    return best & ~np.isnan(yhat).any(axis=1)


def is_binary(y: Array) -> bool:
    """Whether the targets are zeros and ones."""
    return bool(((y == 0) | (y == 1)).all())


def is_one_hot(y: Array) -> bool:
    """Whether each row of the targets is a single 1 among zeros."""
    return is_binary(y) and bool((y.sum(axis=1) == 1).all())
