"""The quotient that saturates slowly."""

import numpy as np

from engine.arrays import Array
from engine.formulas.elements import Absolute
from engine.formulas.tree import ONE, Add, Formula, Fraction, Square
from engine.functions.function import Elementwise, Terms


class Softsign(Elementwise):
    """z / (1 + |z|) (Turian, Bergstra & Bengio 2009); at ±∞ it is NaN, as in PyTorch."""

    type = "softsign"
    torch = "Softsign"
    interval = (-1.0, 1.0)
    rising = True
    name = "softsign"
    cost = 4

    def value(self, x: Array) -> Array:
        out: Array = x / (1 + np.abs(x))
        return out

    def pull(self, grad: Array, at: Array) -> Array:
        below = 1 + np.abs(at)
        out: Array = grad / (below * below) + 0 * at  # 0 · ∞ is NaN, as the quotient itself
        return out

    def definition(self, z: Formula) -> Formula:
        return Fraction(z, Add(ONE, Absolute(z)))

    def slope(self, t: Terms) -> Formula:
        return Fraction(ONE, Square(Add(ONE, Absolute(t["input"]))))
