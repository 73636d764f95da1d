"""What an answer is about: a tensor, or a derivative; and what it is in truth, in a scene."""

from dataclasses import dataclass

import numpy as np

from engine.answers.expr import Expr, Unread
from engine.answers.grammar import annotated
from engine.answers.names import Names
from engine.answers.reading import READINGS, Reading
from engine.answers.scene import Scene
from engine.arrays import Array


@dataclass(frozen=True)
class Target:
    """A tensor, or with ``wrt`` the derivative ∂of/∂wrt; ``turned`` where its transpose is meant.

    ``own`` is a gradient asked for as a tensor, W1.grad.
    """

    of: str
    wrt: str | None = None
    own: bool = False
    turned: bool = False

    def truths(self, scene: Scene) -> dict[Reading, Array]:
        """What it is, as a matrix, in each layout."""
        if self.wrt is None:
            value = scene.value(self.of)
            return dict.fromkeys(READINGS, value.T if self.turned else value)
        found = scene.jacobian(self.of, self.wrt)
        if len(found) == 1 and scene.matrix(self.wrt):
            found = scene.gradient(self.of, self.wrt).T
        pair = (found.T, found) if self.turned else (found, found.T)
        return {"numerator": pair[0], "transposed": pair[1], "gradient": pair[1]}

    def flat(self, scene: Scene) -> Array | None:
        """∂ℓ/∂W as a row over all elements of W, where W is a matrix."""
        if self.wrt is None or not scene.matrix(self.wrt):
            return None
        found = scene.jacobian(self.of, self.wrt)
        return found if len(found) == 1 else None

    def itself(self, one: Expr) -> bool:
        """Whether an expression says only what is asked for."""
        if self.wrt is None:
            return one.op == "tensor" and one.data == self.of
        return one.op == "partial" and one.data[:2] == (self.of, self.wrt)

    def symbol(self, names: Names) -> str:
        """How people write it."""
        if self.wrt is None:
            return names.symbol(self.of)
        return f"∂{names.symbol(self.of)}/∂{names.symbol(self.wrt)}"


def target_of(text: str, names: Names) -> tuple[Target, list[str]]:
    """What a left side is about, with notes; raises Unread where it is about nothing."""
    one, notes = annotated(text, names)
    turned = False
    while one.op in ("transpose", "element"):
        turned ^= one.op == "transpose"
        one = one.args[0]
    if one.op == "tensor":
        return Target(one.data, turned=turned), notes
    if one.op == "partial":
        of, wrt, own = one.data
        return Target(of, wrt, own, turned), notes
    raise Unread("is about no tensor and no derivative", 0)


def close(a: Array, b: Array) -> bool:
    """Whether two arrays of one shape agree but for rounding in float64."""
    if a.shape != b.shape:
        return False
    size = float(np.max(np.abs(b), initial=0.0))
    return bool(
        np.all(np.isfinite(a)) and np.allclose(a, b, rtol=1e-7, atol=1e-9 * max(size, 1e-3))
    )
