"""Square roots, cubes, π and the lengths of vectors in formulas."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine.arrays import Array
from engine.formulas.tree import ATOM, POSTFIX, Formula, Rows, Values, latex_at, text_at


@dataclass(frozen=True)
class Pi(Formula):
    """π, (1, 1)."""

    def text(self) -> str:
        return "π"

    def latex(self) -> str:
        return r"\pi"

    def value(self, values: Values) -> Array:
        return np.array([[math.pi]])


@dataclass(frozen=True)
class Root(Formula):
    """√inner, the square root of each element."""

    inner: Formula

    def text(self) -> str:
        return f"√{text_at(self.inner, ATOM)}"

    def latex(self) -> str:
        return rf"\sqrt{{{self.inner.latex()}}}"

    def value(self, values: Values) -> Array:
        return np.sqrt(self.inner.value(values))


@dataclass(frozen=True)
class Cube(Formula):
    """inner³, the cube of each element."""

    precedence: ClassVar[int] = POSTFIX
    inner: Formula

    def text(self) -> str:
        return f"{text_at(self.inner, ATOM)}³"

    def latex(self) -> str:
        return rf"{{{latex_at(self.inner, ATOM)}}}^{{3}}"

    def value(self, values: Values) -> Array:
        inner = self.inner.value(values)
        return inner * inner * inner


@dataclass(frozen=True)
class Length(Formula):
    """‖inner‖, the length of a vector, (1, 1), or of each row of a batch, (N, 1).

    ``epsilon`` is added to its square, as a loss does that divides by it, and is not written.
    """

    inner: Formula
    epsilon: float = 0.0

    def text(self) -> str:
        return f"‖{self.inner.text()}‖"

    def latex(self) -> str:
        return rf"\lVert {self.inner.latex()} \rVert"

    def value(self, values: Values) -> Array:
        axis = -1 if isinstance(values, Rows) else None
        inner = self.inner.value(values)
        out: Array = np.sqrt(np.sum(inner * inner, axis=axis, keepdims=True) + self.epsilon)
        return out
