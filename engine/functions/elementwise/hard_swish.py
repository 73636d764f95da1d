"""The sigmoid linear unit of straight pieces."""

import math

import numpy as np

from engine.arrays import Array
from engine.formulas.batch import WHOLE
from engine.formulas.elements import Compare
from engine.formulas.named import Apply
from engine.formulas.pieces import Several
from engine.formulas.tree import ONE, ZERO, Add, Formula, Fraction, Number
from engine.functions.elementwise.hard_sigmoid import HIGH, LOW, HardSigmoid
from engine.functions.function import Elementwise, Terms

HARD_SIGMA = HardSigmoid().named


class HardSwish(Elementwise):
    """z times the hard sigmoid of z (Howard et al. 2019); its slope is 0 at −3 and 1 at 3."""

    type = "hard_swish"
    torch = "Hardswish"
    interval = (-0.375, math.inf)  # its minimum, at z = −3/2
    name = "HardSwish"
    cost = 6
    kinks = (-3.0, 3.0)

    def value(self, x: Array) -> Array:
        return x * np.minimum(np.maximum(x + 3, 0), 6) / 6

    def pull(self, grad: Array, at: Array) -> Array:
        between = grad * (at / 3 + 0.5)
        outside = np.where(at <= -3, grad.dtype.type(0), grad)
        return np.where((at > -3) & (at < 3), between, outside)

    def definition(self, z: Formula) -> Formula:
        return WHOLE.times(z, Apply(HARD_SIGMA, z))

    def slope(self, t: Terms) -> Formula:
        z = t["input"]
        between = Add(Fraction(z, Number(3)), Number(0.5))
        return Several(((Compare(z, "≤", LOW), ZERO), (Compare(z, "≥", HIGH), ONE)), between)
