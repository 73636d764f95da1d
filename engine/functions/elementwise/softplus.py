"""The smooth rectifier."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine.arrays import Array
from engine.formulas.elements import Compare, Log
from engine.formulas.named import Apply
from engine.formulas.pieces import Branch
from engine.formulas.tree import ONE, Add, Formula, Fraction, Number
from engine.functions.elementwise.exp import EXP
from engine.functions.elementwise.sigmoid import SIGMA, sigmoid
from engine.functions.function import Elementwise, Terms, scaled, setting
from engine.functions.options import Positive


@dataclass(frozen=True)
class Softplus(Elementwise):
    """log(1 + exp(beta z)) / beta, a smooth ReLU, and z itself where beta z > threshold."""

    type: ClassVar[str] = "softplus"
    torch: ClassVar[str] = "Softplus"
    interval: ClassVar[tuple[float, float]] = (0.0, math.inf)
    rising: ClassVar[bool] = True
    beta: Positive = 1.0
    threshold: float = 20.0

    @property
    def name(self) -> str:
        if self.threshold == 20:
            return f"softplus{setting(self.beta, 1)}"
        return f"softplus[{Number(self.beta).text()}, {Number(self.threshold).text()}]"

    def value(self, x: Array) -> Array:
        scaled = x * self.beta
        # np.where evaluates both sides: the minimum keeps exp from overflowing on the other one
        low = np.log1p(np.exp(np.minimum(scaled, self.threshold))) / self.beta
        return np.where(scaled > self.threshold, x, low)

    def pull(self, grad: Array, at: Array) -> Array:
        scaled = at * self.beta
        return np.where(scaled > self.threshold, grad, grad * sigmoid(scaled))

    def linear(self, z: Formula) -> Compare:
        """The condition where it is z itself."""
        return Compare(scaled(self.beta, z), ">", Number(self.threshold))

    def definition(self, z: Formula) -> Formula:
        low: Formula = Log(Add(ONE, Apply(EXP, scaled(self.beta, z))))
        low = low if self.beta == 1 else Fraction(low, Number(self.beta))
        return Branch(self.linear(z), z, low)

    def slope(self, t: Terms) -> Formula:
        z = t["input"]
        return Branch(self.linear(z), ONE, Apply(SIGMA, scaled(self.beta, z)))
