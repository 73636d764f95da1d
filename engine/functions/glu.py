"""The gated linear unit: one half of the inputs lets the other through."""

import numpy as np

from engine.arrays import Array
from engine.formulas.named import Apply, Named, word
from engine.formulas.pieces import Joined
from engine.formulas.tree import ONE, Diagonal, Formula, Hadamard, Size, Subtract
from engine.functions.elementwise.sigmoid import SIGMA, sigmoid
from engine.functions.function import Function, Terms, Vjp, gradient
from engine.jacobian.blocks import BlockDiagonal
from engine.jacobian.columns import Halves
from engine.jacobian.operator import Jacobian, Point


def left(x: Array) -> Array:
    """The first half of the columns of (N, d)."""
    return x[:, : x.shape[1] // 2]


def right(x: Array) -> Array:
    """The second half of the columns of (N, d)."""
    return x[:, x.shape[1] // 2 :]


SAID = "left(z), right(z) = the halves of z"
LEFT, RIGHT = Named("left", word("left"), left, SAID), Named("right", word("right"), right, SAID)


class GLU(Function):
    """left(z) ⊙ σ(right(z)), of the two halves of z (Dauphin et al. 2017), as ``torch.nn.GLU``.

    It has half as many outputs as inputs.
    """

    type = "glu"
    torch = "GLU"

    @classmethod
    def outputs(cls, inputs: int) -> int:
        return max(1, inputs // 2)

    def misfit(self, inputs: int) -> str:
        if inputs % 2 == 0:
            return ""
        return f"it halves its inputs, and takes an even number of them, not {inputs}"

    def value(self, x: Array) -> Array:
        return left(x) * sigmoid(right(x))

    def slopes(self, x: Array) -> Array:
        """∂aₖ/∂zₖ and, for the second half, ∂aₖ/∂z of its gate, side by side: (N, d)."""
        s = sigmoid(right(x))
        return np.concatenate([s, left(x) * s * (1 - s)], axis=1)

    def pull(self, grad: Array, x: Array) -> Array:
        """The gradient (N, d) of the input, of ``grad`` (N, d/2)."""
        s = sigmoid(right(x))
        return np.concatenate([grad * s, grad * left(x) * s * (1 - s)], axis=1)

    def halves(self, t: Terms) -> tuple[Formula, Formula]:
        """The derivatives by both halves of z, element by element."""
        through, s = Apply(LEFT, t["input"]), self.gate(t)
        return s, Hadamard(Hadamard(through, s), Subtract(ONE, s))

    def gate(self, t: Terms) -> Formula:
        """σ(right(z))."""
        return Apply(SIGMA, Apply(RIGHT, t["input"]))

    def formula(self, t: Terms) -> Formula:
        return Hadamard(Apply(LEFT, t["input"]), self.gate(t))

    def vjps(self, t: Terms) -> tuple[Vjp, ...]:
        g = gradient(t["output"])
        first, second = (Hadamard(g, slope) for slope in self.halves(t))
        return (Vjp("input", ("input",), self.pull, Joined(first, second)),)

    def jacobian(self, wrt: str, at: Point) -> Jacobian:
        blocks = Halves(lambda: self.slopes(at.read("input")))
        return BlockDiagonal(at.shape("output"), at.shape("input"), at.dtype, at.samples, blocks)

    def derivative(self, t: Terms, size: Size) -> Formula:
        first, second = (Diagonal(slope) for slope in self.halves(t))
        return Joined(first, second)
