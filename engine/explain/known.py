"""Functions in better known ones, so that their terms can be seen: losses, slopes, statistics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.arrays import Array, Shape
from engine.formulas.tree import Formula
from engine.functions.elementwise.sigmoid import Sigmoid
from engine.functions.function import Elementwise
from engine.functions.losses.bce import BCE, BCE_EPSILON, LOG_FLOOR
from engine.functions.losses.bce_with_logits import BCEWithLogits
from engine.functions.losses.cross_entropy import CrossEntropy
from engine.functions.losses.l1 import L1
from engine.functions.losses.loss import Loss
from engine.functions.losses.mse import MSE
from engine.lines.algebra import ONE, minus, negative, over, plus, power, times
from engine.lines.elementwise import (
    ABSOLUTE,
    EXP,
    LOG,
    MAXIMUM,
    SIGN,
    Activated,
    Pulled,
)
from engine.lines.losses import LossOf, LossSlope, Terms, TermSlope
from engine.lines.node import Call, Node, Primitive, call, constant
from engine.lines.reductions import (
    MEAN,
    TOTAL,
    Deviation,
    Direction,
    LogSumExp,
    Norm,
    Variance,
    axes_of,
    fold_options,
    mean_options,
)
from engine.lines.softmaxes import LOG_SOFTMAX_OF, SOFTMAX_OF
from engine.lines.structure import INDEX, ONE_HOT, RANGE
from engine.lines.writing import Applied

HALF = constant(0.5)


@dataclass(frozen=True)
class Slope(Primitive):
    """The derivative of an activation at each element."""

    function: Elementwise

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"{self.function.type}′"

    def formula(self, at: Formula) -> Formula:
        """The slope in what it is computed from, the input or the output."""
        return self.function.slope(dict.fromkeys(("input", "output", "mask"), at))

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        return operands[0].shape

    def value(self, *arrays: Array, **options: Any) -> Array:
        return self.function.slopes(np.asarray(arrays[0]))

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        return Applied(self.name, tuple(operands), (), self.value)


def factors(node: Call, divisor: float) -> Node | None:
    """What is a product, or a number times something, in these words; None for all else.

    ``divisor`` is that of the reduction of a loss, which may depend on its targets.
    """
    function = node.function
    if isinstance(function, Pulled) and isinstance(function.function, Elementwise):
        return times(node.operands[0], call(Slope(function.function), node.operands[1:]))
    if isinstance(function, LossOf):
        loss = function.loss
        scale = loss.scale / divisor if divisor else np.nan
        total = call(TOTAL, (call(Terms(loss), node.operands),))
        return times(share(scale, loss.scale, divisor), total)
    if isinstance(function, LossSlope):
        scale = function.loss.scale / divisor if divisor else 0.0
        slope = call(TermSlope(function.loss, function.by_target), node.operands)
        return times(share(scale, function.loss.scale, divisor), slope)
    if isinstance(function, TermSlope):
        return slope_of(function, *node.operands)
    if isinstance(function, Terms):
        return term_of(function.loss, *node.operands)
    if isinstance(function, Direction):
        return over(*node.operands)
    return None


def share(value: float, above: float, below: float) -> Node:
    """scale / divisor as a number, a fraction where both are whole."""
    whole = float(above).is_integer() and float(below).is_integer() and below > 1
    return constant(value, above, below) if whole else constant(value)


def definition(node: Call) -> Node | None:
    """A call in functions that are better known, for a number that is explained; None for most."""
    function = node.function
    if isinstance(function, Deviation):
        return power(variance(node), HALF)
    if isinstance(function, Variance):
        return variance(node)
    if isinstance(function, Norm):
        (a,) = node.operands
        return power(call(TOTAL, (power(a, constant(2)),), fold_options(node)), HALF)
    if isinstance(function, LogSumExp):
        return call(LOG, (call(TOTAL, (call(EXP, node.operands),), fold_options(node)),))
    return function.definition(node)


def variance(node: Call) -> Node:
    """Σ (z − mean)² / (m − correction)."""
    (a,) = node.operands
    away = minus(a, call(MEAN, (a,), mean_options(node)))
    total = call(TOTAL, (power(away, constant(2)),), fold_options(node))
    count = 1
    for k in axes_of(a.shape, dict(node.options)):
        count *= a.shape[k]
    below = count - node.option("correction", 0)
    return times(constant(1 / below if below else np.nan, 1, below), total)


def plain(loss: Loss) -> bool:
    """Whether a loss of classes or of probabilities has no option of its own set."""
    return type(loss)(reduction=loss.reduction, scale=loss.scale) == loss


def term_of(loss: Loss, yhat: Node, y: Node) -> Node | None:
    """The terms that a loss adds up, in better known functions."""
    if isinstance(loss, MSE):
        return power(minus(yhat, y), constant(2))
    if isinstance(loss, L1):
        return call(ABSOLUTE, (minus(yhat, y),))
    if not plain(loss):
        return None
    if isinstance(loss, CrossEntropy) and y.rank == 1:
        logs = call(LOG_SOFTMAX_OF, (yhat,), (("axis", -1),))
        rows = call(RANGE, (), (("size", yhat.shape[0]),))
        return negative(call(INDEX, (logs, rows, y), (("entries", (("by", 0), ("by", 1))),)))
    if isinstance(loss, BCE):
        one = times(y, logarithm(yhat))
        zero = times(minus(ONE, y), logarithm(minus(ONE, yhat)))
        return negative(plus(one, zero))
    return None


def logarithm(p: Node) -> Node:
    """log p, not below the floor of bce."""
    return call(MAXIMUM, (call(LOG, (p,)), constant(LOG_FLOOR)))


def slope_of(function: TermSlope, yhat: Node, y: Node) -> Node | None:
    """The derivatives of the terms of a loss, in better known functions."""
    loss = function.loss
    if isinstance(loss, MSE):
        away = minus(y, yhat) if function.by_target else minus(yhat, y)
        return times(constant(2.0), away)
    if function.by_target or not plain(loss):
        return None
    if isinstance(loss, L1):
        return call(SIGN, (minus(yhat, y),))
    if isinstance(loss, CrossEntropy) and y.rank == 1:
        p = call(SOFTMAX_OF, (yhat,), (("axis", -1),))
        return minus(p, call(ONE_HOT, (y,), (("classes", yhat.shape[1]),)))
    if isinstance(loss, BCEWithLogits):
        return minus(call(Activated(Sigmoid()), (yhat,)), y)
    if isinstance(loss, BCE):
        below = times(minus(ONE, yhat), yhat)
        return over(minus(yhat, y), call(MAXIMUM, (below, constant(BCE_EPSILON))))
    return None
