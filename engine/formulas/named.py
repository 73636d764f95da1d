"""Functions that are written by their name, ``σ(z)``, and the positive part, ``(z)⁺``."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from engine.arrays import Array
from engine.formulas.tree import POSTFIX, Formula, Rows, Values


@dataclass(frozen=True)
class Named:
    """A named function; ``evaluate`` takes rows (N, d), ``definition`` is a note about it."""

    text: str
    latex: str
    # left out of equality: of the same function made twice the lambdas differ, the name does not
    evaluate: Callable[[Array], Array] = field(compare=False, repr=False)
    definition: str = ""


@dataclass(frozen=True)
class Apply(Formula):
    """function(inner), the value of a named function."""

    function: Named
    inner: Formula

    def text(self) -> str:
        return f"{self.function.text}({self.inner.text()})"

    def latex(self) -> str:
        return f"{self.function.latex}({self.inner.latex()})"

    def value(self, values: Values) -> Array:
        inner = self.inner.value(values)
        if isinstance(values, Rows):
            return self.function.evaluate(inner)
        return self.function.evaluate(inner.T).T  # of one sample the elements stand below another


@dataclass(frozen=True)
class Positive(Formula):
    """(inner)⁺ = max(inner, 0), the positive part of each element; NaN passes."""

    precedence: ClassVar[int] = POSTFIX
    inner: Formula

    def text(self) -> str:
        return f"({self.inner.text()})⁺"

    def latex(self) -> str:
        return f"({self.inner.latex()})^{{+}}"

    def value(self, values: Values) -> Array:
        return np.maximum(self.inner.value(values), 0)


def word(name: str) -> str:
    """The LaTeX of a function that is written as a word, with its setting: ``ELU[½]``."""
    return rf"\operatorname{{{name.replace('−', '-').replace('½', '0.5')}}}"
