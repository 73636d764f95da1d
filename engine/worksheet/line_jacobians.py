"""Jacobians of lines by what they read: as a rule, as the matrices that make it, in numbers.

All of them come from the gradient of a line's operand, a tree in the gradient D of the line. Where
D only passes through matrices and slopes, as in Wᵀ(D ⊙ s), the tree tells the Jacobian: diag(s) W.
Elsewhere it is a rule for any vector, v ↦ …, and the numbers come from unit vectors.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np

from engine.arrays import Array
from engine.formulas.elements import SameIndex
from engine.formulas.pieces import Pieces, scaled
from engine.formulas.tree import (
    PRODUCT,
    ZERO,
    Chain,
    Diagonal,
    Formula,
    Number,
    Size,
    Symbol,
    Times,
    Transpose,
    Unit,
    Values,
)
from engine.functions.function import Elementwise
from engine.functions.softmax import LogSoftmax, Softmax
from engine.lines.algebra import (
    FILL,
    NEGATIVE,
    PERMUTE,
    RESHAPE,
    Elementary,
    Minus1,
    coefficient,
    fill,
    transposed,
)
from engine.lines.algebra import PRODUCT as TIMES
from engine.lines.derive import gradients, tangent
from engine.lines.elementwise import Pulled
from engine.lines.line import Line
from engine.lines.node import Call, Node, Tensor, constant, ordered, rebuilt, tensor
from engine.lines.products import MATMUL
from engine.lines.softmaxes import LOG_SOFTMAX_OF, SOFTMAX_OF
from engine.worksheet.element_form import element_case, element_of
from engine.worksheet.letters import ONE, flat
from engine.worksheet.line_sample import LOSS, LineSample, evaluated, written
from engine.worksheet.sample import LIMIT

UNITS = 1024  # rows of a Jacobian that are computed one by one
SEED = "∂ℓ/∂"
Kind = Literal["left", "right", "scale", "diagonal", "turn"]


@dataclass(frozen=True)
class Pass:
    """One thing that happens to the gradient on its way back, and what it is multiplied with."""

    kind: Kind
    by: Node


@dataclass(frozen=True)
class Maps(Formula):
    """v ↦ vᵀ J, what a Jacobian makes of a row v, where no shorter rule is known."""

    precedence: ClassVar[int] = PRODUCT
    inner: Formula

    def text(self) -> str:
        return f"v ↦ {self.inner.text()}"

    def latex(self) -> str:
        return rf"v \mapsto {self.inner.latex()}"

    def value(self, values: Values) -> Array:
        raise KeyError("v")


@dataclass(frozen=True, eq=False)
class Edge:
    """The Jacobian of a line by one tensor that it reads."""

    at: LineSample
    line: Line
    wrt: Tensor

    @cached_property
    def seed(self) -> Tensor:
        """The gradient of the line, D."""
        return self.seed_as(f"{SEED}{self.line.name}")

    def seed_as(self, written_as: str) -> Tensor:
        """The gradient of the line, written in some way."""
        return tensor(f"{self.line.name}.grad", self.line.root.shape, symbol=written_as)

    def pulled(self, seed: Node) -> Node:
        """The gradient of what is read as a tree in the gradient of the line."""
        own = tensor(self.line.name, self.line.root.shape, self.line.root.kind)
        found = gradients(self.line.root, seed, [self.wrt], own)
        return found.get(self.wrt, constant(0.0))

    @property
    def of_loss(self) -> bool:
        """Whether the line is the loss."""
        return self.line.name == LOSS

    @cached_property
    def pull(self) -> Node:
        """The gradient of what is read; of the loss it needs no seed."""
        return self.pulled(constant(1.0) if self.of_loss else self.seed)

    @cached_property
    def passes(self) -> tuple[Pass, ...] | None:
        """The way of D through the tree, from D on; None where it is no product."""
        if self.of_loss or not self.column:
            return None
        return passes(self.pull, self.seed)

    @property
    def column(self) -> bool:
        """Whether the line makes a column."""
        shape = self.line.root.shape
        return self.at.index is not None and len(shape) == 2 and shape[1] == 1

    @cached_property
    def matrix(self) -> tuple[Node, bool] | None:
        """What stands before ∂ℓ/∂z in ∂ℓ/∂W, x; None where W is no matrix of the line.

        In numerator layout where z = W x; in gradient layout, and True, where z = Wᵀ x.
        """
        kinds = [one.kind for one in self.passes or ()]
        outer = [kind for kind in kinds if kind in ("right", "turn")]
        if outer == ["right"] and kinds[-1] == "right":
            return transposed(self.passed[-1].by), False
        if outer == ["turn"] and kinds[-2:] == ["turn", "left"]:
            return self.passed[-1].by, True
        return None

    @property
    def passed(self) -> tuple[Pass, ...]:
        """The way of D, where there is one."""
        assert self.passes is not None
        return self.passes

    @cached_property
    def before(self) -> tuple[Pass, ...] | None:
        """What happens to the column D; None where the Jacobian is no product of matrices."""
        if self.passes is None:
            return None
        inner = 0 if self.matrix is None else 2 if self.matrix[1] else 1
        rest = self.passes[: len(self.passes) - inner]
        return None if any(one.kind in ("right", "turn") for one in rest) else rest

    @property
    def is_product(self) -> bool:
        """Whether the Jacobian is a product of matrices."""
        return self.before is not None and (self.matrix is not None or self.wrt_is_column)

    @cached_property
    def rule(self) -> Formula:
        """The Jacobian as a formula."""
        if self.line.root.shape == ():
            return self.scalar_rule[0]
        named = self.softmax_rule()
        if named is not None:
            return named
        if self.before is not None and self.is_product and self.matrix is None:
            return product_rule(self.before, self.size)
        if self.wrt_is_column and self.column and each_alone(self.pull, self.seed):
            return diagonal(self.pulled(constant(1.0)), self.size)
        along = tangent(self.line.root, {self.wrt: constant(1.0)}) if self.wrt.shape == () else None
        if along is not None and self.column:
            return written(along)
        seed = self.seed_as("v")
        return Maps(written(self.pulled(seed)))

    @cached_property
    def scalar_rule(self) -> tuple[Formula, bool]:
        """∂ℓ/∂a by its element i where it has a rule of elements (True), else the whole row."""
        pull = self.pulled(constant(1.0))
        by_element = element_of(pull) if self.wrt_is_column else None
        if by_element is not None:
            return by_element, True
        whole = written(pull)
        return (Transpose(whole) if self.wrt_is_column else whole), False

    @property
    def wrt_is_column(self) -> bool:
        """Whether what is read is a column."""
        return len(self.wrt.shape) == 2 and self.wrt.shape[1] == 1 and self.at.index is not None

    def softmax_rule(self) -> Formula | None:
        """The Jacobian of a line that is the softmax of a column, or its logarithm."""
        root = self.line.root
        if not isinstance(root, Call) or root.operands != (self.wrt,) or not self.column:
            return None
        kinds = {SOFTMAX_OF: Softmax, LOG_SOFTMAX_OF: LogSoftmax}
        kind = kinds.get(root.function)  # type: ignore[call-overload]
        if kind is None:
            return None
        terms = {"input": Symbol(self.wrt.name), "output": Symbol(self.line.name)}
        found: Formula = kind().derivative(terms, self.size)
        return found

    @cached_property
    def size(self) -> Size:
        """The size of the line, all axes in one."""
        return flat(self.at.sizes(self.line.name))

    @cached_property
    def dims(self) -> tuple[Size, Size]:
        """The size symbols (line × what it reads)."""
        return self.size, flat(self.at.sizes(self.wrt.name))

    @cached_property
    def value(self) -> Array | None:
        """The Jacobian in numbers (line × what it reads); None where it is too large."""
        rows, columns = math.prod(self.line.root.shape), math.prod(self.wrt.shape)
        if rows * columns > LIMIT or rows > UNITS:
            return None
        if self.of_loss:
            return self.filled(evaluated(self.pull, self.at.values)).reshape(1, -1)
        units = np.eye(rows).reshape(rows, *self.line.root.shape)
        out = np.empty((rows, columns))
        for i, unit in enumerate(units):
            out[i] = self.back(unit).reshape(-1)
        return out

    def back(self, grad: Array) -> Array:
        """The gradient of what is read, in numbers, from that of the line."""
        with np.errstate(all="ignore"):
            found = evaluated(self.pull, {**self.at.values, self.seed.name: grad})
        return self.filled(found)

    def filled(self, found: Array) -> Array:
        """A gradient in the shape of what it is of."""
        return np.broadcast_to(found, self.wrt.shape)


def passes(root: Node, seed: Tensor) -> tuple[Pass, ...] | None:
    """The way of a seed through a tree of products, from the seed on; None where it is no such."""
    found: list[Pass] = []
    node = root
    inside = {n: seed in ordered(n) for n in ordered(root)}
    while node is not seed:
        if not isinstance(node, Call):
            return None
        operands = node.operands
        holding = [i for i, one in enumerate(operands) if inside[one]]
        if len(holding) != 1:
            return None
        (i,) = holding
        step = passed(node, i, inside)
        if step is not None:
            found.append(step)
        elif node.function not in (RESHAPE, FILL) or operands[0].shape != node.shape:
            return None
        node = operands[i]
    return tuple(reversed(found))


def passed(node: Call, i: int, inside: Mapping[Node, bool]) -> Pass | None:
    """What one function does to the operand in which the seed is; None where it is no product."""
    operands = node.operands
    if node.function is NEGATIVE:
        return Pass("scale", constant(-1.0))
    if node.function is PERMUTE and node.rank == 2:
        return Pass("turn", node)
    if is_slope(node) and i == 0:
        ones = fill(constant(1.0), operands[0].shape)
        return Pass("diagonal", rebuilt(node, {operands[0]: ones}))
    if len(operands) != 2 or inside[operands[1 - i]]:
        return None
    other = operands[1 - i]
    if node.function is MATMUL and min(one.rank for one in operands) == 2:
        return Pass("right" if i == 0 else "left", other)
    if node.function is TIMES:
        if other.shape in ((), (1, 1)) and node.shape == operands[i].shape:
            return Pass("scale", other)
        if other.shape == node.shape == operands[i].shape:
            return Pass("diagonal", other)
    return None


def is_slope(node: Call) -> bool:
    """Whether a function multiplies a gradient with the slope of an activation."""
    return isinstance(node.function, Pulled) and isinstance(node.function.function, Elementwise)


def each_alone(root: Node, seed: Tensor) -> bool:
    """Whether each element of a seed goes through a tree for itself."""
    inside = [n for n in ordered(root) if isinstance(n, Call) and seed in ordered(n)]
    return all(
        one.shape == seed.shape and (isinstance(one.function, Elementary | Minus1) or is_slope(one))
        for one in inside
    )


def pass_value(before: tuple[Pass, ...], values: Mapping[str, Array], rows: int) -> Array:
    """The product of what D was multiplied with, in numbers, for a line of so many rows."""
    out = np.eye(rows)
    with np.errstate(all="ignore"):
        for one in before:
            by = evaluated(one.by, values)
            if one.kind == "left":
                out = out @ by.T
            else:
                out = out * (by.reshape(1, -1) if one.kind == "diagonal" else by)
    return out


def product_rule(before: tuple[Pass, ...], size: Size, by_cases: bool = True) -> Formula:
    """The Jacobian that is a product: Lᵀ … of what D was multiplied with, numbers in front."""
    number, factors = 1.0, []
    letters: list[Formula] = []
    for one in before:
        if one.kind == "scale":
            known, rest = coefficient(one.by)
            number *= known.value
            letters += [] if rest is None else [written(rest)]
        elif one.kind == "diagonal":
            known, rest = coefficient(one.by)
            number *= known.value
            factors.append(diagonal(rest if rest is not None else one.by, size, by_cases))
        else:
            known, rest = coefficient(one.by)
            assert rest is not None
            number *= known.value
            factors.append(written(transposed(rest)))
    if len(factors) == 1 and number != 1 and not letters:
        return times_rule(number, factors[0])
    whole: Formula = Unit(size) if not factors else factors[0]
    if len(factors) > 1:
        whole = Chain(tuple(factors), dotted=False)
    if letters:
        known_size = (whole,) if factors or size != ONE else ()
        whole = Times((*letters, *known_size), spaced=True)
    return whole if number == 1 else times_rule(number, whole)


def times_rule(number: float, rule: Formula) -> Formula:
    """A number times a rule: inside a diagonal or the cases."""
    case = element_case(number, rule)
    if case is not None:
        return case
    if isinstance(rule, Diagonal):
        return Diagonal(Times((Number(number), rule.inner)))
    return scaled(number, rule)


def diagonal(node: Node, size: Size, by_cases: bool = True) -> Formula:
    """The diagonal matrix of a column of slopes: diag(s), or by cases where s is."""
    slope = written(node)
    if size == ONE or slope == ZERO:
        return slope
    if by_cases and isinstance(slope, Pieces):
        element = element_of(node)
        if isinstance(element, Pieces):
            return element.diagonal(SameIndex(size))
    return Diagonal(slope)
