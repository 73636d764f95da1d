"""Square roots, cubes and π in formulas."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine.arrays import Array
from engine.formulas.tree import ATOM, POSTFIX, Formula, Values, latex_at, text_at


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
