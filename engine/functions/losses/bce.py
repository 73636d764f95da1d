"""The binary cross-entropy of probabilities."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine.arrays import Array
from engine.formulas.batch import Writing
from engine.formulas.elements import AtLeast
from engine.formulas.pieces import scaled
from engine.formulas.tree import ONE, Formula, Fraction, Size, Subtract, Times
from engine.functions.losses.element_loss import BinaryLoss, away

LOG_FLOOR = -100.0  # PyTorch clamps the logarithms of BCE here
BCE_EPSILON = float(np.float32(1e-12))  # and here, in single precision, its gradient's denominator


@dataclass(frozen=True)
class BCE(BinaryLoss):
    """−w [y log ŷ + (1 − y) log(1 − ŷ)] of probabilities ŷ, as ``torch.nn.BCELoss``.

    The logarithms are clamped at −100 and the denominator of the gradient at 1e-12, so that ŷ = 0
    and ŷ = 1 stay finite; there the gradient is not the derivative of the loss.
    """

    type: ClassVar[str] = "bce"
    torch: ClassVar[str] = "BCELoss"
    torch_function: ClassVar[str] = "binary_cross_entropy"
    boundary: ClassVar[float] = 0.5
    refuses: ClassVar[bool] = True

    def entropies(self, yhat: Array, y: Array) -> Array:
        log_one = np.maximum(np.log(yhat), LOG_FLOOR)
        log_zero = np.maximum(np.log1p(-yhat), LOG_FLOOR)  # log1p: 1 − ŷ rounds where ŷ is small
        return (y - 1) * log_zero - y * log_one

    def entropy_slopes(self, yhat: Array, y: Array) -> Array:
        return (yhat - y) / np.maximum((1 - yhat) * yhat, BCE_EPSILON)

    def entropy_target_slopes(self, yhat: Array, y: Array) -> Array:
        return np.maximum(np.log1p(-yhat), LOG_FLOOR) - np.maximum(np.log(yhat), LOG_FLOOR)

    def term(self, yhat: Formula, size: Size, by: Writing) -> Formula:
        return self.entropy(by.of(yhat), LOG_FLOOR, by)

    def variance(self, yhat: Formula, by: Writing) -> Formula:
        """ŷ (1 − ŷ), the denominator of the gradient, clamped as the gradient itself."""
        p = by.of(yhat)
        return AtLeast(by.times(p, Subtract(ONE, p)), BCE_EPSILON)

    def slope(self, yhat: Formula, size: Size, by: Writing) -> tuple[float, Formula]:
        return 1, Fraction(self.weighted(away(yhat, by), by), self.variance(yhat, by))

    def sample_weighted(self, slope: Formula, size: Size, number: float = 1) -> Formula:
        # one fraction line for both divisors: (ŷᵢ − yᵢ) / (K ŷᵢ(1 − ŷᵢ))
        if not isinstance(slope, Fraction):
            return super().sample_weighted(slope, size, number)
        below = Times((size, slope.below)) if self.over_elements else slope.below
        return Fraction(scaled(number * self.scale, slope.above), below)
