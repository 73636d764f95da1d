"""What an answer is about: a tensor, or a derivative; and what it is in truth, in a scene."""

from dataclasses import dataclass, replace

import numpy as np

from engine.answers.expr import Expr, Unread
from engine.answers.grammar import annotated
from engine.answers.names import Names
from engine.answers.reading import READINGS, Reading
from engine.answers.scene import Scene
from engine.answers.values import place_in, size_text
from engine.arrays import Array
from engine.errors import GradstepError


@dataclass(frozen=True)
class Target:
    """A tensor, or with ``wrt`` the derivative ∂of/∂wrt; ``turned`` where its transpose is meant.

    ``own`` is a gradient asked for as a tensor, W1.grad. ``at`` are the numbers, from 1, of the
    one element that is asked for.
    """

    of: str
    wrt: str | None = None
    own: bool = False
    turned: bool = False
    at: tuple[str, ...] = ()

    def truths(self, scene: Scene) -> dict[Reading, Array]:
        """What it is, as a matrix, in each layout."""
        if self.at:
            return dict.fromkeys(READINGS, self.element(scene))
        if self.wrt is None:
            value = scene.value(self.of)
            return dict.fromkeys(READINGS, value.T if self.turned else value)
        found = scene.jacobian(self.of, self.wrt)
        if len(found) == 1 and scene.matrix(self.wrt):
            found = scene.gradient(self.of, self.wrt).T
        pair = (found.T, found) if self.turned else (found, found.T)
        return {"numerator": pair[0], "transposed": pair[1], "gradient": pair[1]}

    def element(self, scene: Scene) -> Array:
        """The one element that is asked for, (1, 1); raises GradstepError where there is none."""
        whole = replace(self, at=(), turned=False)
        found = whole.truths(scene)["numerator"]
        if self.wrt is not None and len(scene.jacobian(self.of, self.wrt)) == 1:
            found = found.T  # of the loss by W, or by a vector: the places of what it is by
        if self.turned:
            found = found.T
        place = place_in(found.shape, self.at, [int(one) - 1 for one in self.at])
        if place is None:
            said = f"{self.symbol_of(scene)} is {size_text(found)}"
            raise GradstepError(f"{said}, and has no element {', '.join(self.at)}")
        made: Array = found[place].reshape(1, 1)
        return made

    def symbol_of(self, scene: Scene) -> str:
        """How people write the whole of it."""
        return replace(self, at=()).symbol(Names(scene.program, frozenset()))

    def flat(self, scene: Scene) -> Array | None:
        """∂ℓ/∂W as a row over all elements of W, where W is a matrix."""
        if self.wrt is None or self.at or not scene.matrix(self.wrt):
            return None
        found = scene.jacobian(self.of, self.wrt)
        return found if len(found) == 1 else None

    def itself(self, one: Expr) -> bool:
        """Whether an expression says only what is asked for."""
        if self.at:
            whole = replace(self, at=())
            return one.op == "element" and one.data == self.at and whole.itself(one.args[0])
        if self.wrt is None:
            return one.op == "tensor" and one.data == self.of
        return one.op == "partial" and one.data[:2] == (self.of, self.wrt)

    def symbol(self, names: Names) -> str:
        """How people write it."""
        said = names.symbol(self.of)
        if self.wrt is not None:
            said = f"∂{said}/∂{names.symbol(self.wrt)}"
        return f"{said}[{', '.join(self.at)}]" if self.at else said


def target_of(text: str, names: Names) -> tuple[Target, list[str]]:
    """What a left side is about, with notes; raises Unread where it is about nothing."""
    one, notes = annotated(text, names)
    turned = False
    at: tuple[str, ...] = ()
    while one.op in ("transpose", "element"):
        turned ^= one.op == "transpose"
        if one.op == "element":
            at = one.data
        one = one.args[0]
    counted = [name.isdecimal() for name in at]
    if any(counted) and not all(counted):
        raise Unread("one index is a number and the other a letter", 0)
    at = at if any(counted) else ()
    if one.op == "tensor":
        return Target(one.data, turned=turned, at=at), notes
    if one.op == "partial":
        of, wrt, own = one.data
        return Target(of, wrt, own, turned, at), notes
    raise Unread("is about no tensor and no derivative", 0)


def close(a: Array, b: Array) -> bool:
    """Whether two arrays of one shape agree but for rounding in float64."""
    if a.shape != b.shape:
        return False
    size = float(np.max(np.abs(b), initial=0.0))
    return bool(
        np.all(np.isfinite(a)) and np.allclose(a, b, rtol=1e-7, atol=1e-9 * max(size, 1e-3))
    )
