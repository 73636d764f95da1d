"""The logistic sigmoid."""

import numpy as np

from engine.arrays import ONES, ZEROS, Array
from engine.formulas.named import Apply
from engine.formulas.tree import ONE, Add, Formula, Fraction, Hadamard, Negative, Subtract
from engine.functions.elementwise.exp import EXP
from engine.functions.function import Elementwise, Terms


def sigmoid(x: Array) -> Array:
    """The logistic function 1 / (1 + exp(−x)) of each element, without overflow on either side."""
    e = np.exp(-np.abs(x))  # at most 1: for x < 0 the fraction is expanded by exp(x)
    zero, one = ZEROS.get(x.dtype, 0), ONES.get(x.dtype, x.dtype.type(1))
    out: Array = np.where(np.greater_equal(x, zero), one, e) / np.add(one, e)
    return out


class Sigmoid(Elementwise):
    """The logistic sigmoid σ(z) = 1 / (1 + exp(−z)), stable for any z; σ′ = σ (1 − σ)."""

    type = "sigmoid"
    torch = "Sigmoid"
    interval = (0.0, 1.0)
    rising = True
    shares = True
    boundary = 0.5
    pulls = ("output",)
    name = "σ"
    latex = r"\sigma"

    def value(self, x: Array) -> Array:
        return sigmoid(x)

    def pull(self, grad: Array, at: Array) -> Array:
        slope: Array = np.subtract(ONES.get(at.dtype, 1), at) * at
        return grad * slope

    def definition(self, z: Formula) -> Formula:
        return Fraction(ONE, Add(ONE, Apply(EXP, Negative(z))))

    def slope(self, t: Terms) -> Formula:
        return Hadamard(t["output"], Subtract(ONE, t["output"]))


SIGMA = Sigmoid().named
