"""Formulas of a whole batch, whose samples are rows, and the same formulas of one of its samples.

A loss or a layer is written down once. Of a batch it is read with the tensors as they are; of a
sample with element i of each: :class:`Writing` says which.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine.arrays import Array
from engine.formulas.elements import At, Index, OneHot
from engine.formulas.tree import (
    ATOM,
    ONE,
    PRODUCT,
    SUM,
    Add,
    Chain,
    Formula,
    Hadamard,
    Product,
    Size,
    Symbol,
    Times,
    Transpose,
    Values,
    latex_at,
    text_at,
)


@dataclass(frozen=True)
class Summed(Formula):
    """Σ inner, the sum over everything that is in a batch, (1, 1)."""

    precedence: ClassVar[int] = PRODUCT
    inner: Formula

    def text(self) -> str:
        return f"Σ {self.body(self.inner.text())}"

    def latex(self) -> str:
        return rf"\sum {self.body(self.inner.latex())}"

    def body(self, inner: str) -> str:
        """The summand; a leading minus needs no parentheses, as in Σ −[…]."""
        return f"({inner})" if self.inner.precedence == SUM and inner[0] not in "-−" else inner

    def value(self, values: Values) -> Array:
        total: Array = np.sum(self.inner.value(values), keepdims=True)
        return total


@dataclass(frozen=True)
class OverRows(Formula):
    """Σₙ innerₙ, the sum over the samples of a batch, (1, d)."""

    precedence: ClassVar[int] = PRODUCT
    inner: Formula

    def text(self) -> str:
        return f"Σₙ {text_at(self.inner, ATOM)}ₙ"

    def latex(self) -> str:
        return rf"\sum_{{n}} {{{latex_at(self.inner, ATOM)}}}_{{n}}"

    def value(self, values: Values) -> Array:
        total: Array = np.sum(self.inner.value(values), axis=0, keepdims=True)
        return total


@dataclass(frozen=True)
class Reciprocal(Formula):
    """1/below, as the factor that stands before a sum: 1/N, 1/(N K)."""

    precedence: ClassVar[int] = PRODUCT
    below: Formula

    def text(self) -> str:
        return f"1/{text_at(self.below, ATOM)}"

    def latex(self) -> str:
        return rf"\frac{{1}}{{{self.below.latex()}}}"

    def value(self, values: Values) -> Array:
        return 1 / self.below.value(values)


@dataclass(frozen=True)
class Writing:
    """How a formula is written: of whole tensors (``index`` is empty), or of element i of each."""

    index: Index

    def of(self, tensor: Formula) -> Formula:
        """The tensor, or its element."""
        return At(tensor, self.index) if self.index else tensor

    def times(self, *factors: Formula) -> Formula:
        """The factors side by side without any 1; 1 where none is left."""
        found = tuple(factor for factor in factors if factor != ONE)
        return Times(found, not self.index) if len(found) > 1 else (*found, ONE)[0]

    def weighted(self, weight: Formula, formula: Formula) -> Formula:
        """A weight of each output times a formula: w ⊙ y, or wᵢ yᵢ of elements."""
        return self.times(weight, formula) if self.index else Hadamard(weight, formula)

    def one_hot(self, index: Symbol, size: Size) -> Formula:
        """onehot(y), or its element [i = y]."""
        return OneHot(index, size, self.index)


WHOLE, ELEMENT, OTHER = Writing(""), Writing("i"), Writing("j")


def columns(formula: Formula) -> Formula:
    """A formula of rows for one sample that is a column: x Wᵀ + b becomes W x + b.

    A matrix stands transposed in the product of a batch; a vector has one name as row and column.
    """
    match formula:
        case Add(left, right):
            return Add(columns(left), right)
        case Chain(factors):
            return Product(tuple(
                factor.inner if isinstance(factor, Transpose) else factor
                for factor in reversed(factors)
            ))  # fmt: skip
        case _:
            return formula
