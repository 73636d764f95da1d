"""The rows of the worksheet's tables: steps, forward, gradients, elements; of layers and lines."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from typing import Literal, Protocol

from engine.arrays import Array, Shape
from engine.formulas.tree import (
    ZERO,
    Add,
    Chain,
    Diagonal,
    Formula,
    Partial,
    Size,
    Symbol,
    Transpose,
)
from engine.program.program import Program
from engine.run.phases import CODE, Phase
from engine.worksheet.sample import Dims

Layout = Literal["numerator", "gradient"]
LAYOUTS: tuple[Layout, ...] = ("numerator", "gradient")
Key = tuple[str, int, int]
Evaluate = Callable[[], Array | None]
"""Makes the value of a row when it is looked at: whoever prints formulas alone computes nothing."""


def ready(value: Array | None) -> Evaluate:
    """A value that is there already."""
    return lambda: value


class Place(Protocol):
    """Where a worksheet is of: a sample, or without an index the whole batch."""

    @property
    def program(self) -> Program: ...
    @property
    def index(self) -> int | None: ...
    @property
    def heading(self) -> str: ...
    @property
    def numbers(self) -> dict[str, int]: ...
    @property
    def notes(self) -> list[str]: ...

    def count(self, size: Size) -> int: ...
    def symbol_sizes(self) -> Iterable[tuple[str, str]]: ...


PHRASES = {
    Phase.ZERO_GRAD: "forget the old gradients",
    Phase.FORWARD: "the prediction",
    Phase.LOSS: "how wrong it is, a scalar",
    Phase.BACKWARD: "the gradients: backward adds",
    Phase.UPDATE: "a step downhill",
}


@dataclass(frozen=True)
class Step:
    """A row of (a), one of the five steps; ``text`` is ``left`` = ``right`` where it has a formula.

    ``right`` is None for zero_grad, backward and update, which write many tensors.
    """

    phase: Phase
    text: str
    left: str
    right: Formula | None
    skipped: bool

    @property
    def code(self) -> str:
        """The PyTorch statement of the step."""
        return CODE[self.phase]

    @property
    def phrase(self) -> str:
        """The purpose of the step in a few words."""
        return PHRASES[self.phase]


@dataclass(frozen=True, eq=False)
class Forward:
    """A row of (b): ``symbol`` = ``output``, from the ``inputs``; ``key`` is the layer's place.

    ``same`` is whether the layer is the identity; ``value`` is the output, a column (d, 1), in
    float64, or the loss (1, 1). What a line makes may have any ``shape``, and a size for each axis.
    """

    key: Key
    layer: str
    symbol: Symbol
    inputs: tuple[Formula, ...]
    output: Formula
    same: bool
    dims: tuple[Size, ...]
    evaluate: Evaluate
    shape: Shape | None = None

    @cached_property
    def value(self) -> Array | None:
        """The output in numbers; None where it cannot be evaluated."""
        return self.evaluate()


@dataclass(frozen=True)
class Factor:
    """A factor of a chain: the Jacobian ∂of/∂wrt, in numerator layout unless transposed.

    ``written`` may be spelled out in x and the parameters; ``symbol`` has each tensor's symbol.
    """

    written: Formula
    symbol: Formula
    of: str
    wrt: str
    dims: Dims

    def transposed(self) -> "Factor":
        """The transpose: the factor in gradient layout."""
        rows, columns = self.dims
        return replace(
            self, written=turned(self.written), symbol=turned(self.symbol), dims=(columns, rows)
        )


def turned(formula: Formula) -> Formula:
    """The transpose of a formula; of a transpose it is what stands in it, of a diagonal itself."""
    if isinstance(formula, Diagonal):
        return formula
    return formula.inner if isinstance(formula, Transpose) else Transpose(formula)


@dataclass(frozen=True, eq=False)
class Gradient:
    """A row of (c), ∂ℓ/∂θ of one parameter: the factors in numerator layout, and their product.

    Of a weight (out × in) the product in numerator layout is (in × out): x · ∂ℓ/∂z. On a graph
    ``more`` has the products of the other paths, which are added. ``size`` is that of the gradient
    in numerator layout, where a product is by a row over all its elements. ``own`` is the formula
    of each contribution as backward computes it, for a batch; where a row has no factors, as in a
    worksheet of the whole batch, it consists of these. ``array`` is the gradient in the shape of θ.
    """

    key: Key
    parameter: str
    symbol: Symbol
    numerator: tuple[Factor, ...]
    evaluate: Evaluate
    more: tuple[tuple[Factor, ...], ...] = ()
    size: Dims | None = None
    own: tuple[Formula, ...] = ()
    array: Array | None = None

    @cached_property
    def value(self) -> Array | None:
        """The product in numerator layout; None where a factor is too large to be evaluated."""
        return self.evaluate()

    def factors(self, layout: Layout) -> tuple[Factor, ...]:
        """The factors of the first path in the order of a layout."""
        return in_layout(self.numerator, layout)

    def paths(self, layout: Layout) -> tuple[tuple[Factor, ...], ...]:
        """The factors of every path in the order of a layout; of a whole batch there are none."""
        if not self.numerator:
            return ()
        return tuple(in_layout(path, layout) for path in (self.numerator, *self.more))

    def formula(self, layout: Layout) -> Formula:
        """The product of the factors as they are written; the sum of the products of all paths."""
        dotted = layout == "numerator"
        products = [Chain(tuple(f.written for f in path), dotted) for path in self.paths(layout)]
        return added([*products] or self.own)

    def skeleton(self, layout: Layout) -> Formula:
        """The product with the symbol of every tensor, none of them written out."""
        dotted = layout == "numerator"
        products = [Chain(tuple(f.symbol for f in path), dotted) for path in self.paths(layout)]
        return added([*products] or self.own)

    def dims(self, layout: Layout) -> Dims:
        """The size symbols (rows, columns) of the product."""
        if self.size is not None:
            rows, columns = self.size
            return self.size if layout == "numerator" else (columns, rows)
        factors = self.factors(layout)
        return factors[0].dims[0], factors[-1].dims[1]

    def values(self, layout: Layout) -> Array | None:
        """The gradient in numbers, float64; None where a factor is too large to be evaluated."""
        if self.value is None or layout == "numerator":
            return self.value
        return self.value.T


def in_layout(numerator: tuple[Factor, ...], layout: Layout) -> tuple[Factor, ...]:
    """The factors of a product: transposed and reversed in gradient layout."""
    if layout == "numerator":
        return numerator
    return tuple(factor.transposed() for factor in reversed(numerator))


def in_numerator(grad: Array) -> Array:
    """A gradient in numerator layout: of a matrix the transpose, of anything else a row."""
    return grad.T if grad.ndim == 2 else grad.reshape(1, -1)


def added(terms: Sequence[Formula]) -> Formula:
    """The sum of formulas; 0 of none."""
    return reduce(Add, terms) if terms else ZERO


@dataclass(frozen=True, eq=False)
class Element:
    """A row of (d): a Jacobian in numerator layout, its rule and its value.

    ``by_element`` marks ∂ℓ/∂ŷ, whose rule is that of element i of the row.
    """

    key: Key
    symbol: Partial
    rule: Formula
    by_element: bool
    dims: tuple[Size, ...]
    evaluate: Evaluate

    @cached_property
    def value(self) -> Array | None:
        """The Jacobian in numbers; None where it is too large to be evaluated."""
        return self.evaluate()

    @property
    def left(self) -> str:
        """The left-hand side of the rule as text."""
        return f"({self.symbol.text()})ᵢ" if self.by_element else self.symbol.text()


@dataclass(frozen=True, eq=False)
class Shortcut:
    """A product of Jacobians that simplifies: ``symbol`` = ``left`` = ``right``, and why."""

    left: Chain
    symbol: Partial
    right: Formula
    remark: str
    value: Array | None
