"""The exponential linear unit whose slope is continuous."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine.arrays import Array
from engine.formulas.elements import Compare
from engine.formulas.named import Apply
from engine.formulas.pieces import Branch
from engine.formulas.tree import ONE, ZERO, Formula, Fraction, Number, Subtract
from engine.functions.elementwise.exp import EXP
from engine.functions.function import Elementwise, Terms, scaled, setting
from engine.functions.options import Positive


@dataclass(frozen=True)
class CELU(Elementwise):
    """z where z > 0, else alpha (exp(z/alpha) − 1) (Barron 2017)."""

    type: ClassVar[str] = "celu"
    torch: ClassVar[str] = "CELU"
    rising: ClassVar[bool] = True
    alpha: Positive = 1.0

    @property
    def name(self) -> str:
        return f"CELU{setting(self.alpha, 1)}"

    @property
    def interval(self) -> tuple[float, float]:
        return -self.alpha, math.inf

    def value(self, x: Array) -> Array:
        return np.where(x > 0, x, self.alpha * np.expm1(np.minimum(x, 0) / self.alpha))

    def pull(self, grad: Array, at: Array) -> Array:
        return np.where(at <= 0, grad * np.exp(np.minimum(at, 0) / self.alpha), grad)

    def falling(self, z: Formula) -> Formula:
        """exp(z/alpha)."""
        return Apply(EXP, z if self.alpha == 1 else Fraction(z, Number(self.alpha)))

    def definition(self, z: Formula) -> Formula:
        below = scaled(self.alpha, Subtract(self.falling(z), ONE))
        return Branch(Compare(z, ">", ZERO), z, below)

    def slope(self, t: Terms) -> Formula:
        z = t["input"]
        return Branch(Compare(z, ">", ZERO), ONE, self.falling(z))
