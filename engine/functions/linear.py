"""The linear function of a batch and of its parameters."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from engine.arrays import Array
from engine.formulas.batch import OverRows
from engine.formulas.tree import Add, Chain, Formula, Size, Transpose
from engine.functions.function import Function, Terms, Vjp, gradient
from engine.jacobian import structures as operators
from engine.jacobian.blocks import BlockDiagonal, Kronecker, SharedBlock
from engine.jacobian.operator import Jacobian, Point

sum_of_rows: Callable[[Array], Array] = partial(np.add.reduce, axis=0)
LARGE = 2**17  # elements: here np.dot's zeros cost more than np.matmul's checks; the bits are equal


@dataclass(frozen=True)
class Linear(Function):
    """z = x Wᵀ + b, as ``torch.nn.Linear``: weight (e, d), bias (e,) or none."""

    type: ClassVar[str] = "linear"
    torch: ClassVar[str] = "Linear"
    straight: ClassVar[bool] = True
    bias: bool = True

    def torch_arguments(self, inputs: int, outputs: int) -> tuple[str, ...]:
        return (str(inputs), str(outputs))

    @property
    def operands(self) -> tuple[str, ...]:
        return ("input", "weight", "bias") if self.bias else ("input", "weight")

    def value(self, x: Array, weight: Array | None = None, bias: Array | None = None) -> Array:
        assert weight is not None
        z: Array = x.dot(weight.T)  # a little faster than @ for small matrices
        if bias is not None:
            z += bias  # in place: nobody else holds z yet
        return z

    def pull_weight(self, grad: Array, x: Array) -> Array:
        """The gradient (e, d) of the weight."""
        product = np.matmul if grad.shape[1] * x.shape[1] >= LARGE else np.dot
        out: Array = product(grad.T, x)
        return out

    def formula(self, t: Terms) -> Formula:
        product = Chain((t["input"], Transpose(t["weight"])), dotted=False)
        return Add(product, t["bias"]) if self.bias else product

    def vjps(self, t: Terms) -> tuple[Vjp, ...]:
        g = gradient(t["output"])
        outer = Chain((Transpose(g), t["input"]), dotted=False)
        weight = Vjp("weight", ("input",), self.pull_weight, outer)
        bias = Vjp("bias", (), sum_of_rows, OverRows(g))
        through = Chain((g, t["weight"]), dotted=False)
        back = Vjp("input", ("weight",), lambda grad, w: grad.dot(w), through)
        return (weight, bias, back) if self.bias else (weight, back)

    def jacobian(self, wrt: str, at: Point) -> Jacobian:
        rows, cols = at.shape("output"), at.shape(wrt)
        if wrt == "input":
            # z depends on x through W alone: every sample has the same block
            weight = SharedBlock(lambda: at.read("weight"))
            return BlockDiagonal(rows, cols, at.dtype, at.samples, weight)
        if wrt == "weight":
            x = partial(at.read, "input")
            return Kronecker(rows, cols, at.dtype, at.samples, rows[-1], x)
        if at.single:
            return operators.Identity(rows, cols, at.dtype)
        # the bias broadcasts over the batch: it is the weight of one more input that is always 1
        ones = partial(np.ones, (at.samples, 1), at.dtype)
        return Kronecker(rows, cols, at.dtype, at.samples, rows[-1], ones)

    def derivative(self, t: Terms, size: Size) -> Formula:
        return t["weight"]

    def around(self, wrt: str, t: Terms) -> tuple[Formula | None, Formula | None]:
        return (t["input"], None) if wrt == "weight" else (None, None)
