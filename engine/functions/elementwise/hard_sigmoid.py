"""The sigmoid of straight pieces."""

import numpy as np

from engine.arrays import Array
from engine.formulas.elements import Between, Compare
from engine.formulas.pieces import Branch, Several
from engine.formulas.tree import ONE, ZERO, Add, Formula, Fraction, Number
from engine.functions.function import Elementwise, Terms

LOW, HIGH = Number(-3), Number(3)  # where it and its like begin to rise, and where they end


class HardSigmoid(Elementwise):
    """0 where z ≤ −3, 1 where z ≥ 3, and z/6 + ½ between (Courbariaux et al. 2015, as PyTorch)."""

    type = "hard_sigmoid"
    torch = "Hardsigmoid"
    interval = (0.0, 1.0)
    rising = True
    shares = True
    boundary = 0.5
    name = "hardσ"
    latex = r"\operatorname{hard}\sigma"
    cost = 4
    kinks = (-3.0, 3.0)

    def value(self, x: Array) -> Array:
        return np.minimum(np.maximum(x + 3, 0), 6) / 6

    def pull(self, grad: Array, at: Array) -> Array:
        return np.where((at > -3) & (at < 3), grad / 6, grad.dtype.type(0))

    def definition(self, z: Formula) -> Formula:
        between = Add(Fraction(z, Number(6)), Number(0.5))
        return Several(((Compare(z, "≤", LOW), ZERO), (Compare(z, "≥", HIGH), ONE)), between)

    def slope(self, t: Terms) -> Formula:
        return Branch(Between(LOW, t["input"], HIGH), Fraction(ONE, Number(6)))
