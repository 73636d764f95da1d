"""Formulas as trees: one tree is written as Unicode text or LaTeX, and evaluated to numbers.

Everything is a matrix. Of one sample, as in a homework, vectors are columns (d, 1) and scalars
(1, 1); of a batch, as the engine computes it, samples are rows (N, d). ``value`` takes the values
of the symbols by their text, and is told by :class:`Rows` that they are a batch's: so a formula can
be checked against the engine.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from typing import ClassVar

import numpy as np

from engine.arrays import Array
from engine.formulas.latex import symbol_latex
from engine.formulas.product import multiplied

Values = Mapping[str, Array]


class Rows(dict[str, Array]):
    """The values of a batch by symbol: samples are rows (N, d), and a vector is a row (1, d)."""


WORD = re.compile("[A-Za-z]{2}")
SUM, PRODUCT, POSTFIX, ATOM = range(4)  # how tightly a formula holds together


class Formula(ABC):
    """A node of a formula's tree; ``precedence``, SUM to ATOM, decides about parentheses.

    One that ``trails``, as a sum Σⱼ does, reaches as far as the line goes, and needs none below a
    fraction or after log.
    """

    precedence: ClassVar[int] = ATOM
    trails: ClassVar[bool] = False

    @abstractmethod
    def text(self) -> str:
        """The formula on one line of Unicode."""

    @abstractmethod
    def latex(self) -> str:
        """The formula for LaTeX's math mode."""

    @abstractmethod
    def value(self, values: Values) -> Array:
        """The formula evaluated, a matrix; a KeyError names a symbol without a value."""


def text_at(formula: Formula, level: int) -> str:
    """Text in parentheses where the formula holds together less than ``level``."""
    return f"({formula.text()})" if formula.precedence < level else formula.text()


def latex_at(formula: Formula, level: int) -> str:
    """LaTeX in parentheses where the formula holds together less than ``level``."""
    return f"({formula.latex()})" if formula.precedence < level else formula.latex()


@dataclass(frozen=True)
class Symbol(Formula):
    """A tensor or a size by its written name: ``z₁``, ``W⁽²⁾``, ``K``."""

    name: str

    def text(self) -> str:
        return self.name

    def latex(self) -> str:
        return symbol_latex(self.name)

    def value(self, values: Values) -> Array:
        return values[self.name]


@dataclass(frozen=True)
class Size(Symbol):
    """The number of elements of a vector as a symbol, ``n``, ``h₁``, ``K``; its value is (1, 1)."""


@dataclass(frozen=True)
class Partial(Formula):
    """The Jacobian ∂of/∂wrt as a symbol of its own, in numerator layout: (of × wrt)."""

    precedence: ClassVar[int] = PRODUCT
    of: str
    wrt: str

    def text(self) -> str:
        return f"∂{self.of}/∂{self.wrt}"

    def latex(self) -> str:
        of, wrt = symbol_latex(self.of), symbol_latex(self.wrt)
        return rf"\frac{{\partial {of}}}{{\partial {wrt}}}"

    def value(self, values: Values) -> Array:
        return values[self.text()]


@dataclass(frozen=True)
class Number(Formula):
    """A number, (1, 1); 0.5 is written ½."""

    number: float

    def text(self) -> str:
        if self.number == 0.5:
            return "½"
        return plain(self.number).replace("-", "−")

    def latex(self) -> str:
        if self.number == 0.5:
            return r"\tfrac{1}{2}"
        mantissa, _, exponent = plain(self.number).partition("e")
        return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent else mantissa

    def value(self, values: Values) -> Array:
        return np.array([[self.number]], dtype=np.float64)


ONE, ZERO = Number(1), Number(0)


def plain(number: float) -> str:
    """A number without a needless decimal point, ``2``, ``0.01``; from a million on as it is."""
    whole = abs(number) < 1e6 and number == int(number)  # neither NaN nor an infinity is
    return str(int(number)) if whole else str(number)


@dataclass(frozen=True)
class Unit(Formula):
    """The identity matrix I, d×d."""

    size: Size

    def text(self) -> str:
        return "I"

    def latex(self) -> str:
        return "I"

    def value(self, values: Values) -> Array:
        return np.eye(int(self.size.value(values).item()))


@dataclass(frozen=True)
class Add(Formula):
    """left + right, element by element; a scalar (1, 1) broadcasts."""

    precedence: ClassVar[int] = SUM
    left: Formula
    right: Formula

    def text(self) -> str:
        return f"{self.left.text()} + {self.right.text()}"

    def latex(self) -> str:
        return f"{self.left.latex()} + {self.right.latex()}"

    def value(self, values: Values) -> Array:
        return self.left.value(values) + self.right.value(values)


@dataclass(frozen=True)
class Subtract(Formula):
    """left − right, element by element; a scalar (1, 1) broadcasts."""

    precedence: ClassVar[int] = SUM
    left: Formula
    right: Formula

    def text(self) -> str:
        return f"{self.left.text()} − {text_at(self.right, PRODUCT)}"

    def latex(self) -> str:
        return f"{self.left.latex()} - {latex_at(self.right, PRODUCT)}"

    def value(self, values: Values) -> Array:
        return self.left.value(values) - self.right.value(values)


@dataclass(frozen=True)
class Negative(Formula):
    """−inner; a sum stands in square brackets, since it often has parentheses of its own."""

    precedence: ClassVar[int] = SUM
    inner: Formula

    def text(self) -> str:
        return (
            f"−[{self.inner.text()}]" if self.inner.precedence == SUM else f"−{self.inner.text()}"
        )

    def latex(self) -> str:
        inner = self.inner.latex()
        return f"-[{inner}]" if self.inner.precedence == SUM else f"-{inner}"

    def value(self, values: Values) -> Array:
        return -self.inner.value(values)


def tightness(factor: Formula) -> int:
    """How tightly a factor of a product must hold together: W(a ⊙ m) needs its parentheses."""
    return ATOM if isinstance(factor, Hadamard) else PRODUCT


def juxtaposed(factors: tuple[Formula, ...]) -> str:
    """Factors side by side, with a space where they would read as one: ``K ŷ``, ``2 log``."""
    out = text_at(factors[0], tightness(factors[0]))
    for left, right in pairwise(factors):
        piece = text_at(right, tightness(right))
        word = WORD.match(piece) is not None
        word = word or (piece[0].isdigit() and out[-1].isdigit())
        apart = word or piece[0] == "Σ" or isinstance(left, Fraction | Size) or left == Number(0.5)
        out += f" {piece}" if apart else piece
    return out


@dataclass(frozen=True)
class Product(Formula):
    """The matrix product of two or more factors that conform, written side by side."""

    precedence: ClassVar[int] = PRODUCT
    factors: tuple[Formula, ...]

    def text(self) -> str:
        return juxtaposed(self.factors)

    def latex(self) -> str:
        return r"\,".join(latex_at(factor, tightness(factor)) for factor in self.factors)

    def value(self, values: Values) -> Array:
        return reduce(np.matmul, (factor.value(values) for factor in self.factors))


@dataclass(frozen=True)
class Times(Formula):
    """A product of scalars and vectors with broadcasting, its factors written side by side.

    ``spaced`` keeps them apart, as in y log ŷ of a whole batch.
    """

    precedence: ClassVar[int] = PRODUCT
    factors: tuple[Formula, ...]
    spaced: bool = False

    def text(self) -> str:
        if self.spaced:
            return " ".join(text_at(factor, tightness(factor)) for factor in self.factors)
        return juxtaposed(self.factors)

    def latex(self) -> str:
        return r"\,".join(latex_at(factor, tightness(factor)) for factor in self.factors)

    def value(self, values: Values) -> Array:
        return reduce(np.multiply, (factor.value(values) for factor in self.factors))


@dataclass(frozen=True)
class Hadamard(Formula):
    """left ⊙ right, the product element by element."""

    precedence: ClassVar[int] = PRODUCT
    left: Formula
    right: Formula

    def text(self) -> str:
        return f"{text_at(self.left, PRODUCT)} ⊙ {text_at(self.right, PRODUCT)}"

    def latex(self) -> str:
        return rf"{latex_at(self.left, PRODUCT)} \odot {latex_at(self.right, PRODUCT)}"

    def value(self, values: Values) -> Array:
        return self.left.value(values) * self.right.value(values)


@dataclass(frozen=True)
class Fraction(Formula):
    """above / below, element by element; a scalar (1, 1) broadcasts."""

    precedence: ClassVar[int] = PRODUCT
    above: Formula
    below: Formula

    def text(self) -> str:
        above, level = text_at(self.above, PRODUCT), SUM if self.below.trails else ATOM
        below = text_at(self.below, level)
        slash = "/" if self.above.precedence == self.below.precedence == ATOM else " / "
        return f"{above}{slash}{below}"

    def latex(self) -> str:
        return rf"\frac{{{self.above.latex()}}}{{{self.below.latex()}}}"

    def value(self, values: Values) -> Array:
        return self.above.value(values) / self.below.value(values)


@dataclass(frozen=True)
class Transpose(Formula):
    """innerᵀ, the transpose."""

    precedence: ClassVar[int] = POSTFIX
    inner: Formula

    def text(self) -> str:
        return f"{text_at(self.inner, ATOM)}ᵀ"

    def latex(self) -> str:
        if isinstance(self.inner, Partial):
            return rf"\left({self.inner.latex()}\right)^{{\top}}"
        return rf"{{{latex_at(self.inner, ATOM)}}}^{{\top}}"

    def value(self, values: Values) -> Array:
        return self.inner.value(values).T


@dataclass(frozen=True)
class Square(Formula):
    """inner², the square of each element."""

    precedence: ClassVar[int] = POSTFIX
    inner: Formula

    def text(self) -> str:
        return f"{text_at(self.inner, ATOM)}²"

    def latex(self) -> str:
        return rf"{{{latex_at(self.inner, ATOM)}}}^{{2}}"

    def value(self, values: Values) -> Array:
        inner = self.inner.value(values)
        return inner * inner


@dataclass(frozen=True)
class SquaredNorm(Formula):
    """‖inner‖², the sum of the squares of all elements, (1, 1)."""

    inner: Formula

    def text(self) -> str:
        return f"‖{self.inner.text()}‖²"

    def latex(self) -> str:
        return rf"\lVert {self.inner.latex()} \rVert^{{2}}"

    def value(self, values: Values) -> Array:
        total: Array = np.sum(self.inner.value(values) ** 2, keepdims=True)
        return total


@dataclass(frozen=True)
class Diagonal(Formula):
    """diag(inner), the matrix (d, d) with a column (d, 1) on its diagonal."""

    inner: Formula

    def text(self) -> str:
        return f"diag({self.inner.text()})"

    def latex(self) -> str:
        return rf"\operatorname{{diag}}({self.inner.latex()})"

    def value(self, values: Values) -> Array:
        return np.diag(self.inner.value(values)[:, 0])


@dataclass(frozen=True)
class Chain(Formula):
    """A matrix product of Jacobians, the chain rule; ``dotted`` writes a · between the factors."""

    precedence: ClassVar[int] = PRODUCT
    factors: tuple[Formula, ...]
    dotted: bool = True

    def text(self) -> str:
        return (" · " if self.dotted else " ").join(text_of_factor(f) for f in self.factors)

    def latex(self) -> str:
        return (r" \cdot " if self.dotted else r"\,\allowbreak ").join(
            latex_at(factor, PRODUCT) for factor in self.factors
        )

    def value(self, values: Values) -> Array:
        return multiplied([factor.value(values) for factor in self.factors])


def text_of_factor(factor: Formula) -> str:
    """A factor of a chain; sums and products in parentheses, Jacobians as they are."""
    return factor.text() if isinstance(factor, Partial) else text_at(factor, POSTFIX)
