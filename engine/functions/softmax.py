"""Softmax and its logarithm: of each row of (N, K)."""

import math
from functools import partial

import numpy as np

from engine.arrays import Array
from engine.formulas.elements import At, Case, Cases, Log, SameIndex, Total
from engine.formulas.named import Apply, word
from engine.formulas.tree import (
    ONE,
    Diagonal,
    Formula,
    Fraction,
    Hadamard,
    Negative,
    Product,
    Size,
    Subtract,
    Times,
    Transpose,
)
from engine.functions.elementwise.exp import EXP
from engine.functions.function import Activation, Terms, Vjp, gradient
from engine.jacobian.blocks import BlockDiagonal, DiagonalMinusOuter
from engine.jacobian.operator import Jacobian, Point


def softmax(x: Array) -> Array:
    """exp(xᵢ) / Σⱼ exp(xⱼ) over the last axis; x (N, K) are logits, the result probabilities."""
    # the shift cancels in the fraction, and the largest exponent becomes 0: nothing overflows
    e = np.exp(x - np.maximum.reduce(x, axis=-1, keepdims=True))
    out: Array = e / np.add.reduce(e, axis=-1, keepdims=True)
    return out


def log_softmax(x: Array) -> Array:
    """log(exp(xᵢ) / Σⱼ exp(xⱼ)) over the last axis, shifted by the maximum (log-sum-exp trick).

    Not the logarithm of :func:`softmax`, which is −∞ where a probability underflows to 0.
    """
    shifted = x - np.maximum.reduce(x, axis=-1, keepdims=True)
    out: Array = shifted - np.log(np.add.reduce(np.exp(shifted), axis=-1, keepdims=True))
    return out


class OfRows(Activation):
    """A function of each row (K,) as a whole; its definition is of element i."""

    pulls = ("output",)
    picks = True

    def torch_arguments(self, inputs: int, outputs: int) -> tuple[str, ...]:
        return ("dim=1",)  # without dim PyTorch warns, and picks one by the number of axes

    def defined(self, name: str) -> str:
        return f"{name}(z)ᵢ"


class Softmax(OfRows):
    """softmax of each row of (N, K): logits to probabilities; Jacobian diag(a) − a aᵀ."""

    type = "softmax"
    torch = "Softmax"
    interval = (0.0, 1.0)
    shares = True
    name = "softmax"

    def value(self, x: Array) -> Array:
        return softmax(x)

    def pull(self, grad: Array, at: Array) -> Array:
        weighted = grad * at
        out: Array = weighted - at * np.add.reduce(weighted, axis=-1, keepdims=True)
        return out

    def definition(self, z: Formula) -> Formula:
        return Fraction(Apply(EXP, At(z)), Total(Apply(EXP, At(z, "j")), "j"))

    def vjps(self, t: Terms) -> tuple[Vjp, ...]:
        a, g = t["output"], gradient(t["output"])
        along = Total(Times((At(g, "j"), At(a, "j")), spaced=True), "j")
        return (Vjp("input", self.pulls, self.pull, Hadamard(a, Subtract(g, along))),)

    def jacobian(self, wrt: str, at: Point) -> Jacobian:
        y = partial(at.read, "output")
        shape, blocks = at.shape("output"), DiagonalMinusOuter(d=y, a=y, b=y)
        return BlockDiagonal(shape, shape, at.dtype, at.samples, blocks)

    def derivative(self, t: Terms, size: Size) -> Formula:
        a = t["output"]
        return Subtract(Diagonal(a), Product((a, Transpose(a))))


class LogSoftmax(OfRows):
    """log_softmax of each row of (N, K): logits to log-probabilities; Jacobian I − 1 exp(a)ᵀ."""

    type = "log_softmax"
    torch = "LogSoftmax"
    interval = (-math.inf, 0.0)
    name = "log softmax"
    latex = rf"\log{word('softmax')}"

    def value(self, x: Array) -> Array:
        return log_softmax(x)

    def pull(self, grad: Array, at: Array) -> Array:
        out: Array = grad - np.exp(at) * np.add.reduce(grad, axis=-1, keepdims=True)
        return out

    def definition(self, z: Formula) -> Formula:
        return Subtract(At(z), Log(Total(Apply(EXP, At(z, "j")), "j")))

    def vjps(self, t: Terms) -> tuple[Vjp, ...]:
        a, g = t["output"], gradient(t["output"])
        weighted = Times((Apply(EXP, a), Total(At(g, "j"), "j")))
        return (Vjp("input", self.pulls, self.pull, Subtract(g, weighted)),)

    def jacobian(self, wrt: str, at: Point) -> Jacobian:
        shape = at.shape("output")
        ones = partial(np.ones, (at.samples, shape[-1]), at.dtype)
        blocks = DiagonalMinusOuter(d=ones, a=ones, b=lambda: np.exp(at.read("output")))
        return BlockDiagonal(shape, shape, at.dtype, at.samples, blocks)

    def derivative(self, t: Terms, size: Size) -> Formula:
        weight = Apply(EXP, At(t["output"], "j"))  # the probability pⱼ: ∂aᵢ/∂zⱼ = [i = j] − pⱼ
        return Cases((Case(Subtract(ONE, weight), (SameIndex(size),)),), Negative(weight))


SOFTMAX, LOG_SOFTMAX = Softmax().named, LogSoftmax().named
