"""The scaled exponential linear unit."""

import math

import numpy as np

from engine.arrays import Array
from engine.formulas.elements import Compare
from engine.formulas.named import Apply
from engine.formulas.pieces import Branch
from engine.formulas.tree import ONE, ZERO, Formula, Number, Subtract
from engine.functions.elementwise.exp import EXP
from engine.functions.function import Elementwise, Terms, scaled

# λ and α with which mean 0 and variance 1 stay, to the digits that PyTorch has
SCALE = 1.0507009873554804934193349852946
ALPHA = 1.6732632423543772848170429916717


class SELU(Elementwise):
    """λz where z > 0, else λα (exp(z) − 1), λ = 1.0507 and α = 1.6733 (Klambauer et al. 2017)."""

    type = "selu"
    torch = "SELU"
    interval = (-SCALE * ALPHA, math.inf)
    rising = True
    name = "SELU"
    kinks = (0.0,)

    def value(self, x: Array) -> Array:
        return np.where(x > 0, x * SCALE, SCALE * ALPHA * np.expm1(np.minimum(x, 0)))

    def pull(self, grad: Array, at: Array) -> Array:
        return grad * np.where(at <= 0, SCALE * ALPHA * np.exp(np.minimum(at, 0)), SCALE)

    def definition(self, z: Formula) -> Formula:
        below = scaled(SCALE * ALPHA, Subtract(Apply(EXP, z), ONE))
        return Branch(Compare(z, ">", ZERO), scaled(SCALE, z), below)

    def slope(self, t: Terms) -> Formula:
        z = t["input"]
        return Branch(Compare(z, ">", ZERO), Number(SCALE), scaled(SCALE * ALPHA, Apply(EXP, z)))
