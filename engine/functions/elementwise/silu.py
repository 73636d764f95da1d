"""The sigmoid linear unit."""

import math

from engine.arrays import Array
from engine.formulas.batch import WHOLE
from engine.formulas.named import Apply
from engine.formulas.tree import ONE, Add, Formula, Hadamard, Subtract
from engine.functions.elementwise.sigmoid import SIGMA, sigmoid
from engine.functions.function import Elementwise, Terms


class SiLU(Elementwise):
    """z σ(z), the sigmoid linear unit, also called swish (Elfwing, Uchibe & Doya 2018)."""

    type = "silu"
    torch = "SiLU"
    interval = (-0.27846454276107380, math.inf)  # its minimum, at z = −1.2785
    name = "SiLU"

    def value(self, x: Array) -> Array:
        return x * sigmoid(x)

    def pull(self, grad: Array, at: Array) -> Array:
        s = sigmoid(at)
        return grad * (s * (1 + at * (1 - s)))

    def definition(self, z: Formula) -> Formula:
        return WHOLE.times(z, Apply(SIGMA, z))

    def slope(self, t: Terms) -> Formula:
        z, s = t["input"], Apply(SIGMA, t["input"])
        return Hadamard(s, Add(ONE, Hadamard(z, Subtract(ONE, s))))
