"""One claim, an expression said to be a target: does it hold wherever it is tried?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import product as pairs

import numpy as np

from engine.answers.expr import Expr
from engine.answers.reading import READINGS, Reading
from engine.answers.scene import Large, Scene
from engine.answers.target import Target, close
from engine.answers.values import MOST, Evaluator, Meter, Mismatch, Unit, Value, free_indices
from engine.arrays import Array
from engine.errors import GradstepError

BUDGET = 300_000  # nodes evaluated for one answer, mistakes looked for included


@dataclass(frozen=True)
class Fit:
    """How an expression fits: as it is, or ``flat``, as a row over all elements of a matrix."""

    layout: Reading
    flat: bool = False


@dataclass(eq=False)
class Claim:
    """A target and the scenes that claims about it are tried in, the experiment's own last."""

    target: Target
    scenes: Sequence[Scene]
    meter: Meter = field(default_factory=lambda: Meter(BUDGET))
    truth: list[dict[Reading, Array]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.truth = [self.target.truths(one) for one in self.scenes]

    def value(self, one: Expr, layout: Reading, k: int) -> Value:
        """The value in scene k; with free indices a vector or a matrix of all elements.

        Raises Mismatch where dimensions do not conform, and Spent.
        """
        evaluator = Evaluator(self.scenes[k], layout, self.meter)
        free = sorted(set(free_indices(one)))
        try:
            if not free:
                return evaluator.value(one)
            return self.by_elements(evaluator, one, free, self.truth[k][layout])
        except Large as error:
            raise Mismatch(str(error)) from None
        except (KeyError, GradstepError) as error:
            raise Mismatch(f"cannot be evaluated here: {error}") from None

    def by_elements(self, evaluator: Evaluator, one: Expr, free: list[str], like: Array) -> Array:
        """A rule for element i, or i and j, at every element of what it is about."""
        if len(free) > 2:
            raise Mismatch(f"{len(free)} free indices: {', '.join(free)}")
        if like.size > MOST:
            raise Large(f"{like.size:,} elements are many for a rule")
        if len(free) == 1:
            count = max(like.shape)
            values = [self.number(evaluator, one, {free[0]: i}) for i in range(count)]
            made = np.array(values)
            return made.reshape(like.shape) if 1 in like.shape else made.reshape(-1, 1)
        rows, cols = like.shape
        out = np.zeros(like.shape)
        for i, j in pairs(range(rows), range(cols)):
            out[i, j] = self.number(evaluator, one, {free[0]: i, free[1]: j})
        return out

    def number(self, evaluator: Evaluator, one: Expr, at: dict[str, int]) -> float:
        """The value for some indices, which must be a number."""
        found = evaluator.value(one, at)
        if isinstance(found, Unit) or found.size != 1:
            raise Mismatch("with an index it must be a number")
        return float(found.reshape(()))

    def fits(self, one: Expr, layout: Reading) -> Fit | None:
        """Whether the expression holds in every scene, in this layout."""
        flat = False
        for k in range(len(self.scenes)):
            try:
                value = self.value(one, layout, k)
            except Mismatch:
                return None
            if equal(value, self.truth[k][layout]):
                continue
            row = self.target.flat(self.scenes[k])
            if row is None or isinstance(value, Unit):
                return None
            if not (close(value, row) or close(value, row.T)):
                return None
            flat = True
        return Fit(layout, flat)

    def layouts(self, one: Expr) -> list[Fit]:
        """The layouts in which the expression is right."""
        found = (self.fits(one, layout) for layout in READINGS)
        return [fit for fit in found if fit is not None]

    def holds(
        self, one: Expr, layout: Reading, test: Callable[[Value, Array, Scene], bool]
    ) -> bool:
        """Whether a test of value and truth holds in every scene."""
        for k, scene in enumerate(self.scenes):
            try:
                value = self.value(one, layout, k)
            except Mismatch:
                return False
            if not test(value, self.truth[k][layout], scene):
                return False
        return True


def equal(value: Value, truth: Array) -> bool:
    """Whether a value is the truth; I has the size that fits, a number that of a scalar."""
    if isinstance(value, Unit):
        rows, cols = truth.shape
        return rows == cols and close(value.scale * np.eye(rows), truth)
    if value.ndim == 0 and truth.size == 1:
        return close(value.reshape(truth.shape), truth)
    return close(value, truth)
