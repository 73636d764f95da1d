"""How good a network is on its data: the loss, and the accuracy where targets are classes.

Accuracy is the fraction of right answers, 0 to 1. What counts as an answer:

- class indices, or rows with a single 1 under cross_entropy, nll or a last softmax: a row is right
  when its largest output stands at its class;
- targets of 0 and 1 under bce, bce_with_logits or a last sigmoid: an element is right when the
  probability is above ½ exactly where the target is 1.

Anything else is no classification and has no accuracy. NaN is never right. Where the loss is one of
regression there are R² and the mean absolute error instead, as in scikit-learn.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Array
from engine.errors import GradstepError
from engine.experiment.dataset import Dataset
from engine.functions.function import Function
from engine.functions.losses.loss import Loss
from engine.measure.line_metrics import judge, measured, measures_distance, targets_of
from engine.program.line_network import LineNetwork
from engine.program.program import Program

MOST_CLASSES = 100  # of a confusion matrix
CHUNK = 4096  # rows that go forward at a time
Classes = NDArray[np.int64]
Rows = slice | NDArray[np.int64]


def evaluate(
    program: Program,
    tensors: Mapping[str, Array],
    rows: Rows | None = None,
    data: Dataset | None = None,
) -> dict[str, float]:
    """``loss``, and ``accuracy`` or ``r2`` and ``mae``, on the training data, or some rows of it.

    ``tensors`` holds the parameters, ``data`` other samples than the program's own. The loss has
    the reduction of the experiment, over all these rows as if they were one batch.
    """
    data = program.data if data is None else data
    if rows is not None:
        data = Dataset(data.x[rows], data.y[rows])
    with np.errstate(all="ignore"):
        loss, yhat, y = outcome(program, tensors, data)
        found = {"loss": loss}
        if yhat is None:
            return found
        right = correct(program, yhat, y)
        if right is not None:
            return found | {"accuracy": float(right.mean())}
        regression = y.shape == yhat.shape and is_distance(program)
        return found | (distances(yhat, y) if regression else {})


def outcome(
    program: Program, tensors: Mapping[str, Array], data: Dataset
) -> tuple[float, Array | None, Array]:
    """The loss, ŷ (N, K) and the targets that it is held against, class indices or (N, K).

    Of lines ŷ is None where they have no prediction with a row for each sample.
    """
    if isinstance(program.network, LineNetwork):
        loss, yhat, y = measured(program, tensors, data)
        return loss, yhat, targets_of(y)
    yhat = predict(program, tensors, data.x)
    return float(program.network.loss.value(yhat, data.y)), yhat, data.y


def is_distance(program: Program) -> bool:
    """Whether the loss measures how far ŷ is from y."""
    network = program.network
    return measures_distance(network) if isinstance(network, LineNetwork) else network.loss.distance


def distances(yhat: Array, y: Array) -> dict[str, float]:
    """``mae``, and where there are two rows or more ``r2``, averaged over the outputs; in float64.

    R² = 1 − Σ(y − ŷ)² / Σ(y − ȳ)². Of an output whose targets are all the same it is 1 where it is
    met exactly, else 0. Both arrays are (N, K).
    """
    yhat, y = yhat.astype(np.float64), y.astype(np.float64)
    found = {"mae": float(np.mean(np.abs(yhat - y)))}
    if len(y) < 2:
        return found
    residual = np.sum((y - yhat) ** 2, axis=0)
    total = np.sum((y - y.mean(axis=0)) ** 2, axis=0)
    varied = 1 - residual / np.where(total == 0, 1, total)  # no 0/0 where targets do not vary
    scores = np.where(total == 0, (residual == 0) * 1.0, varied)
    return {"r2": float(np.mean(scores))} | found


def confusion(
    program: Program, tensors: Mapping[str, Array], data: Dataset | None = None
) -> NDArray[np.int64] | None:
    """The confusion matrix (K, K): how often a row's class (row) is predicted as each (column).

    K is 2 for a single output. None where a row has no single class, and for more than
    MOST_CLASSES. A row with NaN counts nowhere, nor does an ignored class.
    """
    data = program.data if data is None else data
    with np.errstate(all="ignore"):
        _, yhat, y = outcome(program, tensors, data)
    classes = None if yhat is None else answers(program, yhat, y)
    if yhat is None or classes is None:
        return None
    truth, answer, count = classes
    known = ~np.isnan(yhat).any(axis=1)
    ignored = ignored_class(program)
    if ignored is not None:
        known &= truth != ignored
    table = np.zeros((count, count), np.int64)
    np.add.at(table, (truth[known], answer[known]), 1)  # += would count a repeated pair once
    return table


def answers(program: Program, yhat: Array, y: Array) -> tuple[Classes, Classes, int] | None:
    """The class of each row (N,), the predicted one (N,), and the number of classes.

    None where a row has no single class, and for more than MOST_CLASSES.
    """
    count = max(yhat.shape[1], 2)
    if count > MOST_CLASSES or correct(program, yhat, y) is None:
        return None
    if y.ndim == 1:
        return y.astype(np.int64), yhat.argmax(axis=1), count
    decider = deciding(program)
    assert decider is not None  # as correct() has found
    if decider.picks:
        return y.argmax(axis=1), yhat.argmax(axis=1), count
    if y.shape[1] > 1:
        return None
    assert decider.boundary is not None
    truth = ones(program, y)[:, 0].astype(np.int64)
    return truth, (yhat[:, 0] > decider.boundary).astype(np.int64), count


def predict(program: Program, tensors: Mapping[str, Array], x: Array) -> Array:
    """ŷ (N, K) for the rows of x (N, n), in evaluation mode, CHUNK rows at a time.

    In pieces, because the activations of all the data at once might not fit into memory. Raises
    GradstepError for lines that have no such output.
    """
    if isinstance(program.network, LineNetwork):
        y = np.resize(program.data.y[:1], (len(x), *program.data.y.shape[1:]))  # the loss reads it
        _, found, _ = measured(program, tensors, Dataset(x, y))
        if found is None or len(found) != len(x):
            raise GradstepError("these lines have no prediction with a row for each sample")
        return found
    parts = [forward(program, tensors, x[i : i + CHUNK]) for i in range(0, len(x), CHUNK)]
    return np.concatenate(parts) if len(parts) != 1 else parts[0]


def forward(program: Program, tensors: Mapping[str, Array], x: Array) -> Array:
    """The output (N, K) of the last layer for the inputs x (N, n), in evaluation mode."""
    found = {**tensors, "x": x}
    for node in program.network.nodes:
        found[node.output] = node.layer.forward(*[found[node.tensor(r)] for r in node.layer.reads])
    return found[program.network.output]


def correct(program: Program, yhat: Array, y: Array) -> NDArray[np.bool_] | None:
    """Which predictions are right: (N,) of rows, or (N, K) of binary targets.

    Rows of an ignored class are left out. None where the targets are no classes, or none is left.
    """
    if len(yhat) != len(y):
        return None
    if y.ndim == 1:
        ignored = ignored_class(program)
        counted = slice(None) if ignored is None else y != ignored
        if isinstance(program.network, LineNetwork) and not is_choice(yhat, y[counted]):
            return None
        return picked(yhat[counted], y[counted]) if len(y[counted]) else None
    decider = deciding(program)
    if decider is None:
        return None
    if y.shape != yhat.shape:
        return None
    if decider.picks:
        return picked(yhat, y.argmax(axis=1)) if is_one_hot(y) else None
    assert decider.boundary is not None
    return decided(yhat, y, decider.boundary) if is_binary(ones(program, y)) else None


def ones(program: Program, y: Array) -> Array:
    """Targets of rows as 0 and 1 where the loss has other labels, −1 and 1; else as they are."""
    labels = program.network.loss.labels
    return (y == labels[-1]).astype(y.dtype) if labels else y


def deciding(program: Program) -> Loss | Function | None:
    """What says how outputs tell a class: the loss, or else the last layer; None for neither."""
    network = program.network
    known: list[Loss | Function | None]
    if isinstance(network, LineNetwork):
        known = [judge(network)]
    else:
        known = [network.loss, network.nodes[-1].layer.function]
    return next((one for one in known if one and (one.picks or one.boundary is not None)), None)


def ignored_class(program: Program) -> int | None:
    """The class that the loss leaves out, if any."""
    network = program.network
    loss = judge(network) if isinstance(network, LineNetwork) else network.loss
    found: int | None = getattr(loss, "ignore_index", None)
    return found


def is_choice(yhat: Array, classes: Array) -> bool:
    """Whether outputs (N, K) choose between K classes, of which these are some."""
    known = not classes.size or 0 <= classes.min() <= classes.max() < yhat.shape[1]
    return yhat.shape[1] > 1 and bool(known)


def threshold_of(program: Program) -> float | None:
    """The output from which a class is told; None where the largest output tells it, or none."""
    network = program.network
    if isinstance(network, LineNetwork):
        loss = judge(network)
        return None if loss is None else loss.boundary
    losing, last = network.loss, network.nodes[-1].layer.function
    return losing.boundary if losing.boundary is not None else last.boundary


def decided(yhat: Array, y: Array, threshold: float) -> NDArray[np.bool_]:
    """Whether each output is above the threshold exactly where its target is 1, (N, K)."""
    same: NDArray[np.bool_] = (yhat > threshold) == (y == 1)
    return same & ~np.isnan(yhat)


def picked(yhat: Array, classes: Array) -> NDArray[np.bool_]:
    """Whether the largest output of each row stands at its class, (N,); never with a NaN in it."""
    best: NDArray[np.bool_] = yhat.argmax(axis=1) == classes
    return best & ~np.isnan(yhat).any(axis=1)


def is_binary(y: Array) -> bool:
    """Whether the targets are zeros and ones."""
    return bool(((y == 0) | (y == 1)).all())


def is_one_hot(y: Array) -> bool:
    """Whether each row of the targets is a single 1 among zeros."""
    return is_binary(y) and bool((y.sum(axis=1) == 1).all())
