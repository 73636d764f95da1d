"""The exponential linear unit."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine.arrays import Array
from engine.formulas.elements import Compare
from engine.formulas.named import Apply
from engine.formulas.pieces import Branch
from engine.formulas.tree import ONE, ZERO, Formula, Subtract
from engine.functions.elementwise.exp import EXP
from engine.functions.function import Elementwise, Terms, scaled, setting


@dataclass(frozen=True)
class ELU(Elementwise):
    """z where z > 0, else alpha (exp(z) − 1) (Clevert, Unterthiner & Hochreiter 2016)."""

    type: ClassVar[str] = "elu"
    torch: ClassVar[str] = "ELU"
    alpha: float = 1.0

    @property
    def name(self) -> str:
        return f"ELU{setting(self.alpha, 1)}"

    @property
    def kinks(self) -> tuple[float, ...]:
        return () if self.alpha == 1 else (0.0,)

    @property
    def interval(self) -> tuple[float, float]:
        return -self.alpha if self.alpha > 0 else 0.0, math.inf

    def value(self, x: Array) -> Array:
        # expm1, for exp(x) − 1 cancels near 0; the minimum keeps the side not taken from overflow
        return np.where(x > 0, x, self.alpha * np.expm1(np.minimum(x, 0)))

    def pull(self, grad: Array, at: Array) -> Array:
        return np.where(at <= 0, grad * self.alpha * np.exp(np.minimum(at, 0)), grad)

    def definition(self, z: Formula) -> Formula:
        below = scaled(self.alpha, Subtract(Apply(EXP, z), ONE))
        return Branch(Compare(z, ">", ZERO), z, below)

    def slope(self, t: Terms) -> Formula:
        z = t["input"]
        return Branch(Compare(z, ">", ZERO), ONE, scaled(self.alpha, Apply(EXP, z)))
