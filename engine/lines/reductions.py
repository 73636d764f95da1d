"""Functions of lines that fold axes: sums, means, extremes, norms."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.arrays import Array, Shape
from engine.formulas.batch import Summed
from engine.formulas.tree import Formula, Fraction, Square, SquaredNorm
from engine.lines.algebra import fill, fraction, kind_of, minus, over, reshaped, times
from engine.lines.elementwise import EXP
from engine.lines.node import Call, Kind, Misfit, Node, Primitive, call, described
from engine.lines.writing import Applied

Axes = tuple[int, ...]


def axes_of(shape: Shape, options: Mapping[str, Any]) -> Axes:
    """The axes that are folded, from 0 up; all where none is named."""
    axis = options.get("axis")
    if axis is None:
        return tuple(range(len(shape)))
    given = axis if isinstance(axis, tuple) else (axis,)
    return tuple(sorted(k % len(shape) if shape else k for k in given))


def checked_axes(node: Node, options: Mapping[str, Any]) -> Axes:
    """As :func:`axes_of`; a Misfit where there is no such axis, or one is named twice."""
    axis = options.get("axis")
    given = axis if isinstance(axis, tuple) else () if axis is None else (axis,)
    for one in given:
        if not -node.rank <= one < node.rank:
            raise Misfit(f"{described(node)}: it has no axis {one}")
    axes = axes_of(node.shape, options)
    if len(set(axes)) < len(axes):
        raise Misfit(f"{described(node)}: an axis is named twice")
    return axes


class Reduction(Primitive):
    """A function that folds axes: all of them, or those of the option ``axis``."""

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        (a,) = operands
        axes = checked_axes(a, options)
        if options.get("keepdims"):
            return tuple(1 if k in axes else size for k, size in enumerate(a.shape))
        return tuple(size for k, size in enumerate(a.shape) if k not in axes)

    def count(self, node: Call) -> int:
        """How many elements make one of the result."""
        shape = node.operands[0].shape
        return math.prod(shape[k] for k in axes_of(shape, dict(node.options)))

    def kept(self, node: Call, one: Node) -> Node:
        """A tensor of the result's shape with the folded axes of size 1, to broadcast again."""
        shape = node.operands[0].shape
        axes = axes_of(shape, dict(node.options))
        if one.shape == () or one.shape != node.shape:
            return one
        return reshaped(one, tuple(1 if k in axes else size for k, size in enumerate(shape)))

    def written(self, node: Call, operands: Sequence[Formula]) -> Formula:
        """``name(z, axis=0)``."""
        options = dict(node.options)
        return Applied(self.name, tuple(operands), said(node), lambda a: self.value(a, **options))

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        return self.written(node, operands)


def said(node: Call) -> tuple[str, ...]:
    """The options of a call as they are written, but for defaults."""
    return tuple(
        f"{name}={value}"
        for name, value in node.options
        if value is not None and value is not False
    )


def kwargs(options: Mapping[str, Any]) -> dict[str, Any]:
    """What NumPy's reductions take."""
    return {"axis": options.get("axis"), "keepdims": options.get("keepdims", False)}


class Total(Reduction):
    """The sum."""

    name = "sum"
    linear = True

    def kind(self, operands: Sequence[Node]) -> Kind:
        return kind_of(operands)

    def value(self, *arrays: Array, **options: Any) -> Array:
        out: Array = np.add.reduce(np.asarray(arrays[0]), **kwargs(options))
        return out

    def pull(self, node: Call, i: int, grad: Node) -> Node:
        return self.kept(node, grad)

    def push(self, node: Call, i: int, tangent: Node) -> Node:
        return call(self, (fill(tangent, node.operands[0].shape),), node.options)

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        if node.option("axis") is not None or node.option("keepdims"):
            return self.written(node, operands)
        inner = operands[0]
        return SquaredNorm(inner.inner) if isinstance(inner, Square) else Summed(inner)


class Mean(Reduction):
    """The mean."""

    name = "mean"
    linear = True

    def value(self, *arrays: Array, **options: Any) -> Array:
        out: Array = np.mean(np.asarray(arrays[0]), **kwargs(options))
        return out

    def pull(self, node: Call, i: int, grad: Node) -> Node:
        return times(fraction(1, self.count(node)), self.kept(node, grad))


class Variance(Reduction):
    """The variance; ``correction`` is taken from the number of elements, 0 by default."""

    name = "var"

    def value(self, *arrays: Array, **options: Any) -> Array:
        a, ddof = np.asarray(arrays[0]), options.get("correction", 0)
        out: Array = np.var(a, ddof=ddof, **kwargs(options))
        return out

    def slope(self, node: Call) -> Node:
        """2 (z − mean) / (m − correction)."""
        (a,) = node.operands
        middle = call(MEAN, (a,), mean_options(node))
        divisor = self.count(node) - node.option("correction", 0)
        return times(fraction(2, divisor), minus(a, middle))

    def pull(self, node: Call, i: int, grad: Node) -> Node:
        return times(self.kept(node, grad), self.slope(node))

    def push(self, node: Call, i: int, tangent: Node) -> Node:
        return call(TOTAL, (times(tangent, self.slope(node)),), fold_options(node))


class Deviation(Variance):
    """The standard deviation, the root of the variance."""

    name = "std"

    def value(self, *arrays: Array, **options: Any) -> Array:
        a, ddof = np.asarray(arrays[0]), options.get("correction", 0)
        out: Array = np.std(a, ddof=ddof, **kwargs(options))
        return out

    def slope(self, node: Call) -> Node:
        (a,) = node.operands
        middle = call(MEAN, (a,), mean_options(node))
        divisor = self.count(node) - node.option("correction", 0)
        return times(fraction(1, divisor), over(minus(a, middle), self.kept(node, node)))


def mean_options(node: Call) -> tuple[tuple[str, Any], ...]:
    """The options of a mean over the same axes, which stay with size 1."""
    axis = node.option("axis")
    return (("axis", axis if axis is not None else all_axes(node)), ("keepdims", True))


def all_axes(node: Call) -> Axes:
    """Every axis of the operand."""
    return tuple(range(node.operands[0].rank))


def fold_options(node: Call) -> tuple[tuple[str, Any], ...]:
    """The options of a sum over the same axes."""
    return (("axis", node.option("axis")), ("keepdims", node.option("keepdims", False)))


class Extremum(Reduction):
    """The largest or the smallest element.

    Of several equal ones the first has the gradient where an axis is named; where all axes are
    folded they share it: as in PyTorch.
    """

    def __init__(self, name: str, least: bool) -> None:
        self.name = name
        self.least = least

    def kind(self, operands: Sequence[Node]) -> Kind:
        return operands[0].kind

    def value(self, *arrays: Array, **options: Any) -> Array:
        fold = np.min if self.least else np.max
        out: Array = fold(np.asarray(arrays[0]), **kwargs(options))
        return out

    def pull(self, node: Call, i: int, grad: Node) -> Node:
        return times(self.kept(node, grad), call(Picked(self.least), node.operands, node.options))

    def kinks(self, node: Call) -> Sequence[Node]:
        return (call(Taken(self.least), node.operands, node.options),)

    def push(self, node: Call, i: int, tangent: Node) -> Node:
        picked = call(Picked(self.least), node.operands, node.options)
        return call(TOTAL, (times(tangent, picked),), fold_options(node))


@dataclass(frozen=True)
class Picked(Primitive):
    """1 where the extreme element is that was taken, else 0; shares where all axes are folded."""

    least: bool

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        return operands[0].shape

    def value(self, *arrays: Array, **options: Any) -> Array:
        a, axis = np.asarray(arrays[0]), options.get("axis")
        found = (np.min if self.least else np.max)(a, axis=axis, keepdims=True)
        same = (a == found).astype(a.dtype if a.dtype.kind == "f" else np.float64)
        if axis is None or isinstance(axis, tuple):
            out: Array = same / same.sum(axis=axis, keepdims=True)
            return out
        first = np.expand_dims((np.argmin if self.least else np.argmax)(a, axis=axis), axis)
        out = np.zeros_like(same)
        np.put_along_axis(out, first, 1, axis=axis)
        return out

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        options = dict(node.options)
        name = "is_min" if self.least else "is_max"
        axis = () if options.get("axis") is None else (f"axis={options['axis']}",)
        return Applied(name, tuple(operands), axis, lambda a: self.value(a, **options))


@dataclass(frozen=True)
class Taken(Primitive):
    """Which elements are the extreme ones, 1 or 0."""

    least: bool

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        return operands[0].shape

    def kind(self, operands: Sequence[Node]) -> Kind:
        return "whole"

    def value(self, *arrays: Array, **options: Any) -> Array:
        a = np.asarray(arrays[0])
        top = (np.min if self.least else np.max)(a, axis=options.get("axis"), keepdims=True)
        out: Any = (a == top).astype(np.int64)
        found: Array = out
        return found

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        return Applied("taken", tuple(operands), said(node), lambda a: a)


class Multiplied(Reduction):
    """The product of the elements."""

    name = "prod"

    def kind(self, operands: Sequence[Node]) -> Kind:
        return kind_of(operands)

    def value(self, *arrays: Array, **options: Any) -> Array:
        out: Array = np.multiply.reduce(np.asarray(arrays[0]), **prod_kwargs(arrays[0], options))
        return out

    def pull(self, node: Call, i: int, grad: Node) -> Node:
        return times(self.kept(node, grad), call(Others(), node.operands, node.options))

    def push(self, node: Call, i: int, tangent: Node) -> Node:
        others = call(Others(), node.operands, node.options)
        return call(TOTAL, (times(tangent, others),), fold_options(node))


def prod_kwargs(a: Array, options: Mapping[str, Any]) -> dict[str, Any]:
    """What ``np.multiply.reduce`` takes: all axes are named, since its default is the first."""
    return {"axis": axes_of(np.shape(a), options), "keepdims": options.get("keepdims", False)}


class Others(Primitive):
    """For each element the product of all others that are folded with it; exact with zeros."""

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        return operands[0].shape

    def value(self, *arrays: Array, **options: Any) -> Array:
        a = np.asarray(arrays[0])
        axes = axes_of(a.shape, options)
        zeros = (a == 0).sum(axis=axes, keepdims=True)
        rest = np.where(a == 0, 1, a).prod(axis=axes, keepdims=True)
        alone = np.where(a == 0, rest, 0)
        out: Array = np.where(zeros == 0, rest / np.where(a == 0, 1, a), 0)
        return np.where(zeros == 1, alone, out).astype(a.dtype)

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        options = dict(node.options)
        return Applied(
            "prod_of_others", tuple(operands), said(node), lambda a: self.value(a, **options)
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Others)

    def __hash__(self) -> int:
        return hash(Others)


class LogSumExp(Reduction):
    """log Σ exp z, shifted by the maximum."""

    name = "logsumexp"

    def value(self, *arrays: Array, **options: Any) -> Array:
        a, fold = np.asarray(arrays[0]), kwargs(options)
        top = np.max(a, axis=fold["axis"], keepdims=True)
        top = np.where(np.isfinite(top), top, 0)
        out = np.log(np.sum(np.exp(a - top), axis=fold["axis"], keepdims=True)) + top
        return np.reshape(out, np.sum(a, **fold).shape).astype(a.dtype)

    def pull(self, node: Call, i: int, grad: Node) -> Node:
        return times(self.kept(node, grad), self.share(node))

    def share(self, node: Call) -> Node:
        """exp(z − logsumexp z), the softmax."""
        return call(EXP, (minus(node.operands[0], self.kept(node, node)),))

    def push(self, node: Call, i: int, tangent: Node) -> Node:
        return call(TOTAL, (times(tangent, self.share(node)),), fold_options(node))


class Norm(Reduction):
    """√Σz², the Euclidean norm; its gradient is 0 at 0, as PyTorch."""

    name = "norm"

    def value(self, *arrays: Array, **options: Any) -> Array:
        a = np.asarray(arrays[0])
        out: Array = np.sqrt(np.sum(a * a, **kwargs(options)))
        return out

    def pull(self, node: Call, i: int, grad: Node) -> Node:
        return times(self.kept(node, grad), self.direction(node))

    def direction(self, node: Call) -> Node:
        """z / ‖z‖."""
        return call(DIRECTION, (node.operands[0], self.kept(node, node)))

    def push(self, node: Call, i: int, tangent: Node) -> Node:
        return call(TOTAL, (times(tangent, self.direction(node)),), fold_options(node))


class Direction(Primitive):
    """z / ‖z‖, and 0 where the norm is."""

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        return operands[0].shape

    def value(self, *arrays: Array, **options: Any) -> Array:
        a, length = np.asarray(arrays[0]), np.asarray(arrays[1])
        out: Array = a / np.where(length == 0, 1, length)
        return out.astype(a.dtype)

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        return Fraction(operands[0], operands[1])


TOTAL, MEAN, VARIANCE, DEVIATION = Total(), Mean(), Variance(), Deviation()
DIRECTION, MAXIMAL = Direction(), Extremum("max", least=False)
REDUCTIONS: tuple[Reduction, ...] = (
    TOTAL,
    MEAN,
    VARIANCE,
    DEVIATION,
    MAXIMAL,
    Extremum("min", least=True),
    Multiplied(),
    LogSumExp(),
    Norm(),
)
