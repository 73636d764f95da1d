"""The hyperbolic tangent of straight pieces: the identity, cut off."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine.arrays import Array
from engine.formulas.elements import Between, Compare
from engine.formulas.pieces import Branch, Several
from engine.formulas.tree import Formula, Number
from engine.functions.elementwise.relu import zeroed
from engine.functions.function import Elementwise, Terms


@dataclass(frozen=True)
class HardTanh(Elementwise):
    """z between min_val and max_val, which it does not leave; its slope at either is 0."""

    type: ClassVar[str] = "hard_tanh"
    torch: ClassVar[str] = "Hardtanh"
    rising: ClassVar[bool] = True
    cost: ClassVar[int] = 2
    min_val: float = -1.0
    max_val: float = 1.0

    @property
    def name(self) -> str:
        if (self.min_val, self.max_val) == (-1, 1):
            return "hardtanh"
        return f"hardtanh[{Number(self.min_val).text()}, {Number(self.max_val).text()}]"

    @property
    def interval(self) -> tuple[float, float]:
        return self.min_val, self.max_val

    @property
    def kinks(self) -> tuple[float, ...]:
        return self.min_val, self.max_val

    def misfit(self, inputs: int) -> str:
        if self.min_val < self.max_val:
            return ""
        return f"min_val must be below max_val, but it is {self.min_val:g} and {self.max_val:g}"

    def value(self, x: Array) -> Array:
        return np.minimum(np.maximum(x, self.min_val), self.max_val)

    def pull(self, grad: Array, at: Array) -> Array:
        return zeroed(grad, (at <= self.min_val) | (at >= self.max_val))  # NaN lets it through

    def ends(self) -> tuple[Number, Number]:
        """Both ends as formulas."""
        return Number(self.min_val), Number(self.max_val)

    def definition(self, z: Formula) -> Formula:
        low, high = self.ends()
        return Several(((Compare(z, "≤", low), low), (Compare(z, "≥", high), high)), z)

    def slope(self, t: Terms) -> Formula:
        low, high = self.ends()
        return Branch(Between(low, t["input"], high))
