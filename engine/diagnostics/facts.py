"""What follows from what activations and losses are, before anything is measured.

The interval that outputs can reach, the answer that a loss likes best for a target, and the best of
the answers that do not look at the input.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Array
from engine.functions.losses.as_written import AsWritten
from engine.functions.losses.bce import BCE
from engine.functions.losses.bce_with_logits import BCEWithLogits
from engine.functions.losses.cosine import Cosine, length
from engine.functions.losses.cross_entropy import CrossEntropy
from engine.functions.losses.hinge import Hinge
from engine.functions.losses.huber import Huber
from engine.functions.losses.kl_div import KLDiv
from engine.functions.losses.loss import Loss
from engine.functions.losses.multi_margin import MultiMargin
from engine.functions.losses.nll import NLL
from engine.functions.losses.smooth_l1 import SmoothL1
from engine.functions.softmax import log_softmax
from engine.nn.layer import Layer
from engine.nn.table import LAYERS
from engine.program.line_network import LineNetwork
from engine.program.program import Program

Interval = tuple[float, float]
LINE: Interval = (-math.inf, math.inf)
FAR = 40.0  # a logit as good as infinite: log(1 + exp(−40)) is 4e-18


def outputs(program: Program) -> int | None:
    """K, where the loss is a function of outputs (N, K) and targets; None where lines make it."""
    network = program.network
    if not isinstance(network, LineNetwork):
        return network.nodes[-1].layer.outputs
    shape, y = network.shape_of(network.output), program.data.y
    if isinstance(network.loss, AsWritten) or len(shape) != 2 or shape[0] != max(network.graphs):
        return None
    classes = network.loss.takes_classes and y.ndim == 1 and y.dtype.kind in "iu"
    return shape[1] if classes or y.shape[1:] == shape[1:] else None


def interval_of(layer: Layer) -> Interval:
    """What a layer gives when its input may be anything."""
    low, high = layer.function.interval
    # softmax of one number alone is 1, whatever the number
    return (high, high) if layer.function.picks and layer.outputs == 1 else (low, high)


def squashes(kind: str) -> bool:
    """Whether a kind of layer gives shares; a loss that does it itself wants it once."""
    return LAYERS[kind].function.shares


def bends(layer: Layer) -> bool:
    """Whether a layer is no linear map."""
    return not layer.function.straight


def reach(layers: Sequence[Layer]) -> Interval:
    """The interval that an element of the last output can come to, through the layers in order."""
    low, high = LINE
    for layer in layers:
        if layer.function.straight and not layer.parameters:
            continue
        whole = interval_of(layer)
        if layer.function.rising:
            low, high = image(layer, low, whole[0]), image(layer, high, whole[1])
        else:
            low, high = whole
    return low, high


def image(layer: Layer, end: float, limit: float) -> float:
    """The value of a rising activation at one end of an interval; ``limit`` at an infinite one."""
    return limit if math.isinf(end) else float(layer.forward(np.array([[end]]))[0, 0])


def ideal(loss: Loss, y: Array, outputs: int, within: Interval) -> Array | None:
    """The output (N, K) that the loss likes best for these targets, within an interval.

    None where that is not known, or not finite.
    """
    low, high = within
    y = y.astype(np.float64) if y.ndim == 2 else y
    match loss:
        case BCEWithLogits():
            ones = y * (np.asarray(loss.pos_weight) if loss.pos_weight else 1.0)
            with np.errstate(all="ignore"):
                best = np.log(ones) - np.log(1 - y)
            best = np.clip(best, max(low, -FAR), min(high, FAR))
        case CrossEntropy():
            # Only differences count, so that half an axis is as good as a whole one.
            logs = np.log(np.maximum(shares(loss, y, outputs), math.exp(-FAR)))
            logs = logs - logs.max(axis=1, keepdims=True)
            width = min(high - low, FAR)
            best = np.maximum(logs, -width) + (high if math.isfinite(high) else max(low, 0) + width)
        case NLL() | KLDiv():
            return None
        case MultiMargin():
            best = margins(loss.margin, np.eye(outputs)[y], within)
        case Cosine():
            # any length will do, so that only what the interval has on no side of 0 is lost
            best = np.clip(y, 0 if low >= 0 else -math.inf, 0 if high <= 0 else math.inf)
            ends = (best.max(initial=0), high), (-best.min(initial=0), -low)
            best = best * min(room(float(largest), end) for largest, end in ends)
        case Hinge():
            best = np.clip(loss.margin * y, low, high)
        case _:
            best = np.clip(y, low, high)
    return best if np.isfinite(best).all() else None


def room(largest: float, end: float) -> float:
    """By what a length must be multiplied to end before ``end``; 1 where it does."""
    return end / largest if largest > end else 1.0


def margins(margin: float, one_hot: Array, within: Interval) -> Array:
    """Scores (N, K) of which the class's is ahead by the margin, or by all that there is room."""
    low, high = within
    below = low if math.isfinite(low) else min(high, 0.0) - margin
    out: Array = below + one_hot * min(margin, high - below)
    return out


def shares(loss: CrossEntropy, y: Array, outputs: int) -> Array:
    """The smoothed targets (N, K) as cross_entropy has them, rows that add up to 1."""
    rows = loss.shares(np.zeros((len(y), outputs)), y)
    total = rows.sum(axis=1, keepdims=True)
    out: Array = rows / np.where(total > 0, total, 1)
    return out


def best_constant(loss: Loss, y: Array, outputs: int) -> Array | None:
    """The answer (K,) that gives the lowest loss of all that do not look at the input.

    With all the options of the loss: weights, smoothing, classes that are ignored. None where
    nothing counts, or where the targets are not finite or outside the domain of the loss.
    """
    y = y.astype(np.float64) if y.ndim == 2 else y
    if not np.isfinite(y).all() or len(y) == 0:
        return None
    with np.errstate(all="ignore"):
        found = constant_of(loss, y, outputs)
    return found if found is not None and np.isfinite(found).all() else None


def constant_answer(program: Program, y: Array) -> Array | None:
    """The best constant answer (K,) of a program to targets; None where the loss is a line too."""
    size = outputs(program)
    return None if size is None else best_constant(program.network.loss, y, size)


def constant_of(loss: Loss, y: Array, outputs: int) -> Array | None:
    """As :func:`best_constant`, of targets that are finite; perhaps not finite itself."""
    match loss:
        case CrossEntropy():
            counts = loss.shares(np.zeros((len(y), outputs)), y).sum(axis=0)
            return logs_of(counts)
        case NLL():
            every = np.zeros((len(y), outputs))
            counts = -loss.slopes(every, y).sum(axis=0)
            return logs_of(counts)
        case BCEWithLogits() | BCE():
            rate = y.mean(axis=0)
            if min((*loss.weight, *getattr(loss, "pos_weight", ())), default=1) < 0:
                return None
            if isinstance(loss, BCE):
                return rate if ((rate >= 0) & (rate <= 1)).all() else None
            ones = (np.asarray(loss.pos_weight) if loss.pos_weight else 1.0) * rate
            logits: Array = np.clip(np.log(ones) - np.log(1 - rate), -FAR, FAR)
            return logits
        case Huber() | SmoothL1() if not absolute(loss):
            return flat_spot(loss, y)
        case KLDiv():
            return logs_of(loss.probabilities(y).sum(axis=0))
        case Hinge():
            surer: Array = np.where(y.mean(axis=0) >= 0, loss.margin, -loss.margin)
            return surer
        case Cosine():
            whole: Array = (y / np.maximum(length(y), 1e-300)).sum(axis=0)
            return whole
        case MultiMargin():
            return None  # a linear program, or a quadratic one, over the classes
        case _:
            middle: Array = np.median(y, axis=0) if absolute(loss) else y.mean(axis=0)
            return middle


def absolute(loss: Loss) -> bool:
    """Whether it is the absolute error, whose best constant answer is the median."""
    return loss.type == "l1" or (isinstance(loss, SmoothL1) and loss.beta == 0)


def logs_of(counts: Array) -> Array | None:
    """The logarithms of the frequencies, with a floor for what never occurs.

    None where nothing does, or where a weight below 0 makes the loss fall without end.
    """
    total = counts.sum()
    if not total > 0 or (counts < 0).any():
        return None
    scores = np.log(np.maximum(counts / total, math.exp(-FAR)))
    out: Array = log_softmax(scores[None])[0]
    return out


def flat_spot(loss: Loss, y: Array) -> Array:
    """Where the slope of a convex loss of one number, added over the rows, is 0: by bisection."""
    low, high = y.min(axis=0), y.max(axis=0)
    for _ in range(60):
        middle = (low + high) / 2
        up = loss.slopes(np.broadcast_to(middle, y.shape), y).sum(axis=0) > 0
        low, high = np.where(up, low, middle), np.where(up, middle, high)
    out: Array = (low + high) / 2
    return out


def value_of(loss: Loss, answer: Array, y: Array) -> float:
    """The loss of the same answer (K,), or of an answer a row (N, K), for these targets."""
    y = y.astype(np.float64) if y.ndim == 2 else y
    rows = np.broadcast_to(answer, (len(y), answer.shape[-1]))
    with np.errstate(all="ignore"):
        return float(loss.value(rows, y))


def uninformed(loss: Loss, outputs: int) -> Array | None:
    """The answer (K,) of a network that says nothing yet; None where there is no such thing."""
    if loss.distance or (outputs < 2 and loss.per_sample):
        return None
    if loss.type in ("nll", "kl_div"):
        return np.full(outputs, -math.log(outputs))
    return np.full(outputs, 0.5 if loss.type == "bce" else 0.0)


def counts_for_something(loss: Loss, y: Array, outputs: int) -> NDArray[np.bool_]:
    """Which rows (N,) have a part in the loss: not ignored, and not of weight 0."""
    found: NDArray[np.bool_]
    if isinstance(loss, CrossEntropy) and y.ndim == 2:
        found = (loss.shares(np.zeros(y.shape), y) != 0).any(axis=1)
    elif isinstance(loss, CrossEntropy | NLL | MultiMargin):
        found = loss.row_weights(np.zeros((len(y), outputs)), y) != 0
    else:
        weight = np.asarray(getattr(loss, "weight", ()) or np.ones(outputs))
        positive = np.asarray(getattr(loss, "pos_weight", ()) or np.ones(outputs))
        found = np.any(weight * np.where(y == 1, positive, 1) != 0, axis=1)
    return found
