"""The linear layer, and the table of all layers."""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from engine.arrays import Array, Shape
from engine.formulas.symbols import Symbols, gradient
from engine.jacobian import structures as operators
from engine.jacobian.blocks import BlockDiagonal, Kronecker, SharedBlock
from engine.jacobian.operator import Jacobian, Point
from engine.nn.activations import (
    ELU,
    GELU,
    Identity,
    LeakyReLU,
    LogSoftmax,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from engine.nn.dropout import Dropout
from engine.nn.layer import Layer, Vjp

LARGE = 2**17  # elements: here np.dot's zeros cost more than np.matmul's checks; the bits are equal


@dataclass(frozen=True)
class Linear(Layer):
    """z = x Wᵀ + b, as ``torch.nn.Linear``: weight (outputs, inputs), bias (outputs,) or none."""

    type: ClassVar[str] = "linear"
    elementwise: ClassVar[bool] = False
    bias: bool = True

    @property
    def parameters(self) -> dict[str, Shape]:
        shapes: dict[str, Shape] = {"weight": (self.outputs, self.inputs)}
        return shapes | {"bias": (self.outputs,)} if self.bias else shapes

    def forward(self, x: Array, weight: Array | None = None, bias: Array | None = None) -> Array:
        assert weight is not None
        z: Array = x.dot(weight.T)  # a little faster than @ for small matrices
        if bias is not None:
            z += bias  # in place: nobody else holds z yet
        return z

    def vjps(self, s: Symbols) -> tuple[Vjp, ...]:
        g = gradient(s["output"])
        product = np.matmul if self.inputs * self.outputs >= LARGE else np.dot
        rhs = f"({g})ᵀ {s['input']}"
        weight = Vjp("weight", ("input",), lambda grad, x: product(grad.T, x), rhs)
        bias = Vjp("bias", (), lambda grad: np.add.reduce(grad, axis=0), f"Σₙ ({g})ₙ")
        back = Vjp("input", ("weight",), lambda grad, w: grad.dot(w), f"{g} {s['weight']}")
        return (weight, bias, back) if self.bias else (weight, back)

    def jacobian(self, wrt: str, at: Point) -> Jacobian:
        rows = at.shape(self.outputs)
        if wrt == "input":
            # z depends on x through W alone: every sample has the same block
            weight = SharedBlock(lambda: at.read("weight"))
            return BlockDiagonal(rows, at.shape(self.inputs), at.dtype, at.samples, weight)
        cols = self.parameters[wrt]
        if wrt == "weight":
            x = partial(at.read, "input")
            return Kronecker(rows, cols, at.dtype, at.samples, self.outputs, x)
        if at.single:
            return operators.Identity(rows, cols, at.dtype)
        # the bias broadcasts over the batch: it is the weight of one more input that is always 1
        ones = partial(np.ones, (at.samples, 1), at.dtype)
        return Kronecker(rows, cols, at.dtype, at.samples, self.outputs, ones)

    def formula(self, s: Symbols) -> str:
        bias = f" + {s['bias']}" if self.bias else ""
        return f"{s['input']} {s['weight']}ᵀ{bias}"

    def applied(self, inner: str) -> str:
        return f"W {inner} + b" if self.bias else f"W {inner}"


LAYERS: dict[str, type[Layer]] = {
    layer.type: layer
    for layer in (
        Linear,
        Identity,
        ReLU,
        LeakyReLU,
        Sigmoid,
        Tanh,
        Softplus,
        ELU,
        SiLU,
        GELU,
        Softmax,
        LogSoftmax,
        Dropout,
    )
}
