"""The unit that is gated by the tangent of its softplus."""

import math

import numpy as np

from engine.arrays import Array
from engine.formulas.batch import WHOLE
from engine.formulas.named import Apply
from engine.formulas.tree import ONE, Add, Formula, Hadamard, Square, Subtract
from engine.functions.elementwise.sigmoid import SIGMA, sigmoid
from engine.functions.elementwise.softplus import Softplus
from engine.functions.elementwise.tanh import Tanh
from engine.functions.function import Elementwise, Terms

TANH, SOFTPLUS = Tanh().named, Softplus().named


def gate(x: Array) -> Array:
    """tanh(softplus(x)) of each element, without overflow."""
    out: Array = np.tanh(np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0))
    return out


class Mish(Elementwise):
    """z tanh(softplus(z)) (Misra 2019)."""

    type = "mish"
    torch = "Mish"
    interval = (-0.30884341301725043, math.inf)  # its minimum, at z = −1.1924
    name = "Mish"
    cost = 32
    temporaries = 4

    def value(self, x: Array) -> Array:
        return x * gate(x)

    def pull(self, grad: Array, at: Array) -> Array:
        t = gate(at)
        return grad * (t + at * sigmoid(at) * (1 - t * t))

    def definition(self, z: Formula) -> Formula:
        return WHOLE.times(z, Apply(TANH, Apply(SOFTPLUS, z)))

    def slope(self, t: Terms) -> Formula:
        z = t["input"]
        gated = Apply(TANH, Apply(SOFTPLUS, z))
        through = Hadamard(Hadamard(z, Apply(SIGMA, z)), Subtract(ONE, Square(gated)))
        return Add(gated, through)
