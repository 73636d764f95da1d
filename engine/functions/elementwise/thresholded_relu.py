"""The rectified linear unit with a threshold of its own."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from engine.arrays import Array
from engine.formulas.elements import Compare
from engine.formulas.pieces import Branch
from engine.formulas.tree import Formula, Number
from engine.functions.elementwise.relu import zeroed
from engine.functions.function import Elementwise, Terms, setting


@dataclass(frozen=True)
class ThresholdedReLU(Elementwise):
    """z where z > threshold, else 0 (Konda, Memisevic & Krueger 2015); NaN passes both ways."""

    type: ClassVar[str] = "thresholded_relu"
    torch: ClassVar[str] = "Threshold"
    cost: ClassVar[int] = 1
    threshold: float = 1.0

    def torch_arguments(self, inputs: int, outputs: int) -> tuple[str, ...]:
        return repr(self.threshold), "0.0"  # of which PyTorch has no defaults

    @property
    def torch_options(self) -> dict[str, Any]:
        return {}

    @property
    def name(self) -> str:
        return f"ThReLU{setting(self.threshold, 1)}"

    @property
    def interval(self) -> tuple[float, float]:
        return min(self.threshold, 0.0), math.inf

    @property
    def kinks(self) -> tuple[float, ...]:
        return (self.threshold,)

    def value(self, x: Array) -> Array:
        return np.where(x <= self.threshold, x.dtype.type(0), x)

    def pull(self, grad: Array, at: Array) -> Array:
        return zeroed(grad, at <= self.threshold)

    def over(self, z: Formula) -> Compare:
        """The condition under which it is z itself."""
        return Compare(z, ">", Number(self.threshold))

    def definition(self, z: Formula) -> Formula:
        return Branch(self.over(z), z)

    def slope(self, t: Terms) -> Formula:
        return Branch(self.over(t["input"]))
