"""The binary cross-entropy of logits."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine.arrays import Array
from engine.formulas.batch import Writing
from engine.formulas.named import Apply
from engine.formulas.tree import ONE, Add, Formula, Size, Subtract
from engine.functions.elementwise.sigmoid import SIGMA, sigmoid
from engine.functions.losses.element_loss import BinaryLoss
from engine.functions.losses.loss import POSITIVE, TARGET
from engine.functions.options import Weights


@dataclass(frozen=True)
class BCEWithLogits(BinaryLoss):
    """BCE of σ(ŷ), computed from the logits ŷ without overflow, as ``torch.nn.BCEWithLogitsLoss``.

    ``pos_weight`` has a number w⁺ for each output: −w [w⁺ y log σ(ŷ) + (1 − y) log(1 − σ(ŷ))].
    """

    type: ClassVar[str] = "bce_with_logits"
    torch: ClassVar[str] = "BCEWithLogitsLoss"
    torch_function: ClassVar[str] = "binary_cross_entropy_with_logits"
    boundary: ClassVar[float] = 0.0
    pos_weight: Weights = ()

    def entropies(self, yhat: Array, y: Array) -> Array:
        # −log(1 − σ(ŷ)) = ŷ − log σ(ŷ): one stable logarithm serves both terms
        if not self.pos_weight:
            return (1 - y) * yhat + np.maximum(-yhat, 0) + np.log1p(np.exp(-np.abs(yhat)))
        return (1 - y) * yhat + (1 + (self.positive(yhat) - 1) * y) * surplus(yhat)

    def entropy_slopes(self, yhat: Array, y: Array) -> Array:
        if not self.pos_weight:
            return sigmoid(yhat) - y
        ones = self.positive(yhat) * y
        return (ones + 1 - y) * sigmoid(yhat) - ones

    def entropy_target_slopes(self, yhat: Array, y: Array) -> Array:
        return (self.positive(yhat) - 1) * surplus(yhat) - yhat if self.pos_weight else -yhat

    def positive(self, yhat: Array) -> Array:
        """The weights w⁺ (K,) of the positive targets, in the dtype of the logits."""
        return np.asarray(self.pos_weight, dtype=yhat.dtype)

    @property
    def constants(self) -> Mapping[str, tuple[float, ...]]:
        own = {POSITIVE.name: self.pos_weight} if self.pos_weight else {}
        return {**super().constants, **own}

    def ones(self, by: Writing) -> Formula:
        y = by.of(TARGET)
        return by.weighted(by.of(POSITIVE), y) if self.pos_weight else y

    def term(self, yhat: Formula, size: Size, by: Writing) -> Formula:
        return self.entropy(by.of(Apply(SIGMA, yhat)), -np.inf, by)

    def slope(self, yhat: Formula, size: Size, by: Writing) -> tuple[float, Formula]:
        p, y = by.of(Apply(SIGMA, yhat)), by.of(TARGET)
        slope: Formula = Subtract(p, y)
        if self.pos_weight:
            ones = self.ones(by)
            slope = Subtract(by.times(Add(ones, Subtract(ONE, y)), p), ones)
        return 1, self.weighted(slope, by)


def surplus(yhat: Array) -> Array:
    """−log σ(ŷ) = log(1 + exp(−ŷ)), the softplus of −ŷ, without overflow; any shape."""
    out: Array = np.log1p(np.exp(-np.abs(yhat))) + np.maximum(-yhat, 0)
    return out
