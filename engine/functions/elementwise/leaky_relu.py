"""The rectified linear unit that leaks."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine.arrays import Array
from engine.formulas.elements import Compare
from engine.formulas.pieces import Branch
from engine.formulas.tree import ONE, ZERO, Formula, Number
from engine.functions.function import EVERYWHERE, Elementwise, Terms, scaled, setting


@dataclass(frozen=True)
class LeakyReLU(Elementwise):
    """z where z > 0, else negative_slope · z (Maas, Hannun & Ng 2013); so too the slope at 0."""

    type: ClassVar[str] = "leaky_relu"
    torch: ClassVar[str] = "LeakyReLU"
    kinks: ClassVar[tuple[float, ...]] = (0.0,)
    negative_slope: float = 0.01

    @property
    def name(self) -> str:
        return f"LeakyReLU{setting(self.negative_slope, 0.01)}"

    @property
    def interval(self) -> tuple[float, float]:
        return EVERYWHERE if self.negative_slope > 0 else (0.0, math.inf)

    @property
    def straight(self) -> bool:
        return self.negative_slope == 1

    def value(self, x: Array) -> Array:
        return np.where(x > 0, x, x * self.negative_slope)

    def pull(self, grad: Array, at: Array) -> Array:
        return np.where(at > 0, grad, grad * self.negative_slope)

    def definition(self, z: Formula) -> Formula:
        return Branch(Compare(z, ">", ZERO), z, scaled(self.negative_slope, z))

    def slope(self, t: Terms) -> Formula:
        return Branch(Compare(t["input"], ">", ZERO), ONE, Number(self.negative_slope))
