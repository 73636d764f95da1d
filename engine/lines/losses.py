"""The losses as functions of lines: of a prediction and targets, with PyTorch's reductions."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.arrays import Array, Shape
from engine.formulas.tree import Formula, Size
from engine.functions.losses.cross_entropy import CrossEntropy
from engine.functions.losses.l1 import L1
from engine.functions.losses.loss import Loss
from engine.functions.losses.mse import MSE
from engine.lines.algebra import fill, minus, negative, power, reshaped, times
from engine.lines.elementwise import ABSOLUTE
from engine.lines.node import Call, Misfit, Node, Primitive, call, constant, described
from engine.lines.reductions import MEAN, TOTAL
from engine.lines.softmaxes import LOG_SOFTMAX_OF
from engine.lines.structure import INDEX, RANGE
from engine.lines.writing import Applied


def checked(loss: Loss, operands: Sequence[Node]) -> None:
    """Raise Misfit where prediction and target do not fit the loss."""
    yhat, y = operands
    if yhat.rank != 2:
        if yhat.rank > 2 and y.shape != yhat.shape:
            said = "the shapes must agree"
            raise Misfit(f"{described(yhat)} and {described(y)}: {said}")
        raise Misfit(f"{described(yhat)}: {loss.type} takes rows (N, K)")
    if loss.takes_classes and y.kind == "whole" and y.rank == 1:
        if y.shape[0] != yhat.shape[0]:
            raise Misfit(f"{described(yhat)} and {described(y)}: one class a row")
        return
    if y.shape != yhat.shape:
        raise Misfit(f"{described(yhat)} and {described(y)}: the shapes must agree")


@dataclass(frozen=True)
class LossOf(Primitive):
    """A loss of a whole batch, (N, K) to a single number."""

    loss: Loss

    @property
    def name(self) -> str:  # type: ignore[override]
        return self.loss.type

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        checked(self.loss, operands)
        return ()

    def value(self, *arrays: Array, **options: Any) -> Array:
        return self.loss.value(arrays[0], arrays[1])

    def definition(self, node: Call) -> Node | None:
        """−mean (log softmax z)[n, y] of cross-entropy, means of elements of mse and l1."""
        yhat, y = node.operands
        if self.loss.reduction not in ("mean", "sum") or self.loss.scale != 1:
            return None
        fold = MEAN if self.loss.reduction == "mean" else TOTAL
        away = minus(yhat, y) if y.shape == yhat.shape else None
        if self.loss == MSE(self.loss.reduction) and away is not None:
            return call(fold, (power(away, constant(2)),))
        if self.loss == L1(self.loss.reduction) and away is not None:
            return call(fold, (call(ABSOLUTE, (away,)),))
        if self.loss == CrossEntropy(self.loss.reduction) and y.kind == "whole":
            rows_of = call(RANGE, (), (("size", yhat.shape[0]),))
            logs = call(LOG_SOFTMAX_OF, (yhat,), (("axis", -1),))
            entries = (("entries", (("by", 0), ("by", 1))),)
            return negative(call(fold, (call(INDEX, (logs, rows_of, y), entries),)))
        return None

    def pull(self, node: Call, i: int, grad: Node) -> Node | None:
        if node.operands[i].kind != "real":
            return None
        return times(grad, call(LossSlope(self.loss, by_target=i == 1), node.operands))

    def push(self, node: Call, i: int, tangent: Node) -> Node:
        slope = call(LossSlope(self.loss, by_target=i == 1), node.operands)
        return call(TOTAL, (times(tangent, slope),))

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        return Applied(self.name, tuple(operands), (), self.loss.value)

    def kinks(self, node: Call) -> Sequence[Node]:
        return (call(Bends(self.loss), node.operands),)


@dataclass(frozen=True)
class Bends(Primitive):
    """What changes its sign where the derivative of a loss jumps, (N, K); 1 where nothing does."""

    loss: Loss

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        return operands[0].shape

    def value(self, *arrays: Array, **options: Any) -> Array:
        found = self.loss.kinks(arrays[0], arrays[1])
        return np.ones_like(arrays[0]) if found is None else found

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        return Applied("bends", tuple(operands), (), self.value)


@dataclass(frozen=True)
class LossSlope(Primitive):
    """The gradient of a loss by its prediction, or by its target, (N, K)."""

    loss: Loss
    by_target: bool = False

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        return operands[0].shape

    def value(self, *arrays: Array, **options: Any) -> Array:
        pull = self.loss.target_pull if self.by_target else self.loss.pull
        return pull(arrays[0], arrays[1])

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        if self.by_target:
            name = f"∂{self.loss.type}/∂y"
            return Applied(name, tuple(operands), (), self.loss.target_pull)
        return Written(self.loss.gradient_formula(operands[0], Size("K")), operands[1])


@dataclass(frozen=True)
class Written(Formula):
    """The gradient of a loss as its own formula, in a target that is called otherwise than y."""

    inner: Formula
    target: Formula

    @property
    def precedence(self) -> int:  # type: ignore[override]
        return self.inner.precedence

    def text(self) -> str:
        return self.inner.text()

    def latex(self) -> str:
        return self.inner.latex()

    def value(self, values: Mapping[str, Array]) -> Array:
        return self.inner.value(values)


@dataclass(frozen=True)
class Terms(Primitive):
    """What a loss adds up: an element of (N, K), or one a row, (N,)."""

    loss: Loss

    @property
    def name(self) -> str:  # type: ignore[override]
        return self.loss.type

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        checked(self.loss, operands)
        shape = operands[0].shape
        return shape[:1] if self.loss.per_sample else shape

    def value(self, *arrays: Array, **options: Any) -> Array:
        return np.asarray(self.loss.terms(arrays[0], arrays[1]), dtype=arrays[0].dtype)

    def pull(self, node: Call, i: int, grad: Node) -> Node | None:
        if node.operands[i].kind != "real":
            return None
        grad = fill(grad, node.shape)
        if grad.rank < 2:
            grad = reshaped(grad, (*grad.shape, 1))
        return times(grad, call(TermSlope(self.loss, by_target=i == 1), node.operands))

    def push(self, node: Call, i: int, tangent: Node) -> Node:
        along = times(tangent, call(TermSlope(self.loss, by_target=i == 1), node.operands))
        return call(TOTAL, (along,), (("axis", 1),)) if self.loss.per_sample else along

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        said = ('reduction="none"',)
        return Applied(self.name, tuple(operands), said, self.loss.terms)


@dataclass(frozen=True)
class TermSlope(Primitive):
    """The derivatives of the terms of a loss, (N, K)."""

    loss: Loss
    by_target: bool = False

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        return operands[0].shape

    def value(self, *arrays: Array, **options: Any) -> Array:
        slopes = self.loss.target_slopes if self.by_target else self.loss.slopes
        return slopes(arrays[0], arrays[1])

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        by = "y" if self.by_target else "ŷ"
        return Applied(f"∂{self.loss.type}/∂{by}", tuple(operands), (), self.value)


def rows(node: Node) -> Node:
    """A prediction or a target as rows (N, K): all axes but the first in one."""
    if node.rank in (0, 2):
        return node
    return reshaped(node, (node.shape[0], math.prod(node.shape[1:])))


@dataclass(frozen=True)
class OfSample(Primitive):
    """A loss of one sample: a prediction (K, 1) or (K,), and a target of its shape or a class."""

    loss: Loss

    @property
    def name(self) -> str:  # type: ignore[override]
        return self.loss.type

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        yhat, y = operands
        if not (self.loss.takes_classes and y.kind == "whole" and y.rank == 0) and (
            yhat.shape != y.shape
        ):
            raise Misfit(f"{described(yhat)} and {described(y)}: the shapes must agree")
        return ()

    def batch(self, yhat: Node, y: Node) -> Node:
        """The losses of a batch of samples, (N,), from (N, K, 1) and (N, K, 1) or (N,)."""
        terms = call(Terms(self.loss), (rows(yhat), y if y.rank == 1 else rows(y)))
        if terms.rank == 2:
            fold = MEAN if self.loss.reduction == "mean" else TOTAL
            terms = call(fold, (terms,), (("axis", 1), ("keepdims", False)))
        scale = constant(self.loss.scale)
        return terms if self.loss.scale == 1 else times(scale, terms)

    def value(self, *arrays: Array, **options: Any) -> Array:
        raise NotImplementedError(self.name)  # it is lifted to a batch before anything runs

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        return Applied(self.name, tuple(operands), (), self.loss.value)
