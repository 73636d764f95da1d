"""The hyperbolic tangent."""

import numpy as np

from engine.arrays import ONES, Array
from engine.formulas.tree import ONE, Formula, Square, Subtract
from engine.functions.function import Elementwise, Terms


class Tanh(Elementwise):
    """The hyperbolic tangent; tanh′ = 1 − tanh²."""

    type = "tanh"
    torch = "Tanh"
    interval = (-1.0, 1.0)
    rising = True
    pulls = ("output",)
    name = "tanh"
    cost = 4
    temporaries = 0
    latex = r"\tanh"

    def value(self, x: Array) -> Array:
        return np.tanh(x)

    def pull(self, grad: Array, at: Array) -> Array:
        return grad * np.subtract(ONES.get(at.dtype, 1), at * at)

    def slope(self, t: Terms) -> Formula:
        return Subtract(ONE, Square(t["output"]))
