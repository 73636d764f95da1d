"""The losses of rows, one term an element.

``weight`` has a number for each output, which every term of that output is multiplied with.
"""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from engine.arrays import Array
from engine.formulas.batch import WHOLE, Writing
from engine.formulas.elements import Log
from engine.formulas.tree import ONE, Add, Formula, Negative, Subtract
from engine.functions.losses.loss import OUTPUTS, ROWS, TARGET, WEIGHT, Loss, weights
from engine.functions.options import Weights


class ElementLoss(Loss):
    """A loss of one term an element, ŷ and y both (N, K); ``mean`` divides by N K."""

    def counted(self, yhat: Array, y: Array) -> float:
        return int(yhat.size)

    @property
    def count(self) -> Formula:
        return WHOLE.times(ROWS, OUTPUTS)


def away(yhat: Formula, by: Writing) -> Subtract:
    """The difference ŷ − y."""
    return Subtract(by.of(yhat), by.of(TARGET))


@dataclass(frozen=True)
class BinaryLoss(ElementLoss):
    """A binary cross-entropy, y in [0, 1] element by element; ``weight`` has a number an output."""

    weight: Weights = ()

    targets = (0.0, 1.0)

    @abstractmethod
    def entropies(self, yhat: Array, y: Array) -> Array:
        """The binary cross-entropy (N, K) of each element, without ``weight``."""

    @abstractmethod
    def entropy_slopes(self, yhat: Array, y: Array) -> Array:
        """Its derivative (N, K) by the prediction, without ``weight``."""

    @abstractmethod
    def entropy_target_slopes(self, yhat: Array, y: Array) -> Array:
        """Its derivative (N, K) by the target, without ``weight``."""

    def terms(self, yhat: Array, y: Array) -> Array:
        terms = self.entropies(yhat, y)
        return terms * weights(self.weight, yhat) if self.weight else terms

    def slopes(self, yhat: Array, y: Array) -> Array:
        slopes = self.entropy_slopes(yhat, y)
        return slopes * weights(self.weight, yhat) if self.weight else slopes

    def target_slopes(self, yhat: Array, y: Array) -> Array:
        return self.entropy_target_slopes(yhat, y) * weights(self.weight, yhat)

    @property
    def constants(self) -> Mapping[str, tuple[float, ...]]:
        return {WEIGHT.name: self.weight} if self.weight else {}

    def weighted(self, formula: Formula, by: Writing) -> Formula:
        """The formula times the weight of its output; as it is without weights."""
        return by.weighted(by.of(WEIGHT), formula) if self.weight else formula

    def ones(self, by: Writing) -> Formula:
        """What log p is multiplied with: the target."""
        return by.of(TARGET)

    def entropy(self, p: Formula, floor: float, by: Writing) -> Formula:
        """−w [y log p + (1 − y) log(1 − p)], its logarithms clamped at ``floor``."""
        one = by.times(self.ones(by), Log(p, floor))
        zero = by.times(Subtract(ONE, by.of(TARGET)), Log(Subtract(ONE, p), floor))
        return Negative(self.weighted(Add(one, zero), by))
