"""How functions of lines are written that no other formula has a form for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine.arrays import Array
from engine.formulas.latex import math_latex, symbol_latex
from engine.formulas.named import word
from engine.formulas.tree import ATOM, POSTFIX, PRODUCT, Formula, Symbol, Values, latex_at, text_at

Evaluate = Callable[..., Array]


@dataclass(frozen=True)
class Name(Symbol):
    """A tensor by the name that it has in the lines, of more than one character."""

    def latex(self) -> str:
        if self.name.isidentifier() and self.name.isascii():
            stem = self.name.rstrip("0123456789")
            digits = self.name[len(stem) :]
            if len(stem) == 1 and digits:
                return f"{stem}_{{{digits}}}"
            escaped = self.name.replace("_", r"\_")
            return rf"\mathit{{{escaped}}}"
        return symbol_latex(self.name) if "_" not in self.name else prose_name(self.name)


def prose_name(name: str) -> str:
    """A name that is no identifier, upright."""
    return rf"\text{{{prose(name)}}}"


@dataclass(frozen=True)
class Applied(Formula):
    """name(a, b, setting), the value of a function of several operands."""

    name: str
    operands: tuple[Formula, ...]
    settings: tuple[str, ...]
    evaluate: Evaluate
    transposed: bool = False

    def text(self) -> str:
        mark = "ᵀ" if self.transposed else ""
        inner = [*(one.text() for one in self.operands), *self.settings]
        return f"{self.name}{mark}({', '.join(inner)})"

    def latex(self) -> str:
        mark = r"^{\top}" if self.transposed else ""
        settings = [rf"\text{{{prose(one)}}}" for one in self.settings]
        inner = [*(one.latex() for one in self.operands), *settings]
        return f"{operator(self.name)}{mark}({', '.join(inner)})"

    def value(self, values: Values) -> Array:
        return self.evaluate(*(one.value(values) for one in self.operands))


def operator(name: str) -> str:
    """The LaTeX of a function's name: conv2dᵀ, tanh′, ∂cross_entropy/∂ŷ."""
    above, slash, below = name.partition("/")
    if slash and above.startswith("∂") and below.startswith("∂"):
        return rf"\frac{{\partial {operator(above[1:])}}}{{\partial {symbol_latex(below[1:])}}}"
    stem = name.rstrip("ᵀ′")
    marks = name[len(stem) :].replace("ᵀ", r"^{\top}").replace("′", "'")
    return word(stem.replace("_", " ")) + marks


def prose(text: str) -> str:
    """A setting such as ``axis=0`` in LaTeX's text mode."""
    return text.replace("_", r"\_").replace("−", "-")


@dataclass(frozen=True)
class Indexed(Formula):
    """inner[…], elements of a tensor; ``index`` is as it is written."""

    precedence: ClassVar[int] = POSTFIX
    inner: Formula
    index: str
    evaluate: Evaluate

    def text(self) -> str:
        return f"{text_at(self.inner, ATOM)}[{self.index}]"

    def latex(self) -> str:
        return rf"{latex_at(self.inner, ATOM)}[{math_latex(self.index)}]"

    def value(self, values: Values) -> Array:
        return self.evaluate(self.inner.value(values))


@dataclass(frozen=True)
class Power(Formula):
    """base^exponent, element by element."""

    precedence: ClassVar[int] = POSTFIX
    base: Formula
    exponent: Formula

    def text(self) -> str:
        exponent = self.exponent.text()
        bare = exponent.isalnum()
        return f"{text_at(self.base, ATOM)}^{exponent if bare else f'({exponent})'}"

    def latex(self) -> str:
        return rf"{{{latex_at(self.base, ATOM)}}}^{{{self.exponent.latex()}}}"

    def value(self, values: Values) -> Array:
        out: Array = np.power(self.base.value(values), self.exponent.value(values))
        return out


@dataclass(frozen=True)
class Along(Formula):
    """Σ inner over some axes; those of the batch are written n."""

    precedence: ClassVar[int] = PRODUCT
    inner: Formula
    axes: tuple[int, ...]
    evaluate: Evaluate

    def text(self) -> str:
        if self.axes == (0,):
            return f"Σₙ {text_at(self.inner, ATOM)}ₙ"
        where = ", ".join(map(str, self.axes))
        return f"Σ[axis {where}] {text_at(self.inner, PRODUCT)}"

    def latex(self) -> str:
        if self.axes == (0,):
            return rf"\sum_{{n}} {{{latex_at(self.inner, ATOM)}}}_{{n}}"
        where = ", ".join(map(str, self.axes))
        return rf"\sum_{{\text{{axis {where}}}}} {latex_at(self.inner, PRODUCT)}"

    def value(self, values: Values) -> Array:
        return self.evaluate(self.inner.value(values))


@dataclass(frozen=True)
class Quotient(Formula):
    """A fraction of whole numbers as a factor, ``2/8``."""

    above: float
    below: float

    def text(self) -> str:
        return f"{self.above:g}/{self.below:g}".replace("-", "−")

    def latex(self) -> str:
        return rf"\tfrac{{{self.above:g}}}{{{self.below:g}}}"

    def value(self, values: Values) -> Array:
        return np.array([[self.above / self.below]])
