"""The rectified linear unit whose slope below 0 is learnt."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from msgspec import Meta

from engine.arrays import Array, Shape
from engine.formulas.batch import OverRows, Summed
from engine.formulas.elements import At, Compare, SameIndex
from engine.formulas.pieces import Branch
from engine.formulas.tree import ONE, ZERO, Diagonal, Formula, Hadamard, Size
from engine.functions.function import Function, Terms, Vjp, gradient
from engine.jacobian import structures as operators
from engine.jacobian.columns import Columns
from engine.jacobian.operator import Jacobian, Point

Count = Annotated[int, Meta(ge=1, le=2**40)]


@dataclass(frozen=True)
class PReLU(Function):
    """z where z > 0, else a ⊙ z (He et al. 2015), as ``torch.nn.PReLU``; so too the slope at 0.

    The weight a is (num_parameters,): one number for all inputs, or one for each.
    """

    type: ClassVar[str] = "prelu"
    torch: ClassVar[str] = "PReLU"
    kinks: ClassVar[tuple[float, ...]] = (0.0,)
    num_parameters: Count = 1

    @property
    def operands(self) -> tuple[str, ...]:
        return ("input", "weight")

    def misfit(self, inputs: int) -> str:
        if self.num_parameters in (1, inputs):
            return ""
        each = "" if inputs == 1 else f" or {inputs}, one for each input"
        return f"num_parameters must be 1{each}, not {self.num_parameters}"

    def parameter_shape(self, role: str, shape: Shape) -> Shape:
        return (self.num_parameters,)

    def value(self, x: Array, weight: Array | None = None) -> Array:
        assert weight is not None
        return np.where(x > 0, x, weight * x)

    def pull(self, grad: Array, x: Array, weight: Array) -> Array:
        """The gradient (N, d) of the input."""
        return np.where(x > 0, grad, weight * grad)

    def pull_weight(self, grad: Array, x: Array) -> Array:
        """The gradient (num_parameters,) of the weight."""
        each = negative(x) * grad
        if self.num_parameters == 1:
            return np.add.reduce(each, axis=None, keepdims=True).reshape(1)
        out: Array = np.add.reduce(each, axis=0)
        return out

    def formula(self, t: Terms) -> Formula:
        z = t["input"]
        return Branch(Compare(z, ">", ZERO), z, Hadamard(t["weight"], z))

    def slope(self, z: Formula, weight: Formula) -> Branch:
        """The derivative of each element by its input: 1 or a."""
        return Branch(Compare(z, ">", ZERO), ONE, weight)

    def below(self, z: Formula) -> Branch:
        """The derivative of each element by its weight: z where it is not above 0."""
        return Branch(Compare(z, ">", ZERO), ZERO, z)

    def vjps(self, t: Terms) -> tuple[Vjp, ...]:
        g, z = gradient(t["output"]), t["input"]
        each = Hadamard(g, self.below(z))
        summed = Summed(each) if self.num_parameters == 1 else OverRows(each)
        through = Hadamard(g, self.slope(z, t["weight"]))
        return (
            Vjp("weight", ("input",), self.pull_weight, summed),
            Vjp("input", ("input", "weight"), self.pull, through),
        )

    def jacobian(self, wrt: str, at: Point) -> Jacobian:
        rows, cols = at.shape("output"), at.shape(wrt)
        if wrt == "input":
            return operators.Diagonal(rows, cols, at.dtype, lambda: self.slopes(at))
        if self.num_parameters == 1:
            return operators.Dense(rows, cols, at.dtype, lambda: negative(at.read("input")))
        return Columns(rows, cols, at.dtype, at.samples, lambda: negative(at.read("input")))

    def slopes(self, at: Point) -> Array:
        """The derivative of each element by its input, (N, d), in numbers."""
        x = at.read("input")
        return self.pull(np.ones_like(x), x, at.read("weight"))

    def derivative(self, t: Terms, size: Size) -> Formula:
        weight = t["weight"] if self.num_parameters == 1 else At(t["weight"])
        return self.slope(At(t["input"]), weight).diagonal(SameIndex(size))

    def around(self, wrt: str, t: Terms) -> tuple[Formula | None, Formula | None]:
        below = self.below(t["input"])
        return None, below if self.num_parameters == 1 else Diagonal(below)


def negative(x: Array) -> Array:
    """x where it is not above 0, else 0; NaN stays."""
    return np.where(x > 0, x.dtype.type(0), x)
