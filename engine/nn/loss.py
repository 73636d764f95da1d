"""What a loss is: value, gradient, Jacobian and formulas, side by side.

``value`` and ``pull`` take the prediction ŷ (N, K) and the target y: (N, K), or class indices (N,).
Semantics and edge values follow PyTorch 2 (``torch.nn``).
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from engine.arrays import Array
from engine.jacobian.operator import Jacobian, Point
from engine.jacobian.structures import Dense

Reduction = Literal["sum", "mean", "batch_mean"]


@dataclass(frozen=True)
class Loss(ABC):
    """What every loss answers: scale · Σ terms / divisor, where the reduction says what divides."""

    type: ClassVar[str]
    takes_classes: ClassVar[bool] = False
    per_sample: ClassVar[bool] = False  # one term a sample, not one an element
    reduction: Reduction = "mean"
    scale: float = 1.0

    @abstractmethod
    def terms(self, yhat: Array, y: Array) -> Array:
        """The terms that the reduction adds up."""

    @abstractmethod
    def slopes(self, yhat: Array, y: Array) -> Array:
        """The derivative (N, K) of the sum of the terms by the prediction."""

    @abstractmethod
    def target_slopes(self, yhat: Array, y: Array) -> Array:
        """The derivative (N, K) of the sum of the terms by a target of rows."""

    @abstractmethod
    def counted(self, yhat: Array, y: Array) -> float:
        """What the reduction "mean" divides by."""

    @abstractmethod
    def counted_text(self) -> str:
        """The same as text."""

    @abstractmethod
    def term(self, yhat: str, y: str) -> str:
        """One term as text."""

    @abstractmethod
    def slope(self, yhat: str, y: str) -> str:
        """The derivative of one term as text."""

    def divisor(self, yhat: Array, y: Array) -> float:
        """What the reduction divides the sum of the terms by."""
        if self.reduction == "sum":
            return 1
        return len(yhat) if self.reduction == "batch_mean" else self.counted(yhat, y)

    def value(self, yhat: Array, y: Array) -> Array:
        """The loss, shape (); NaN where it is the mean of nothing."""
        total, divisor = np.add.reduce(self.terms(yhat, y), axis=None), self.divisor(yhat, y)
        factor = self.scale / divisor if divisor else math.nan
        return np.asarray(total * factor, dtype=yhat.dtype)

    def pull(self, yhat: Array, y: Array) -> Array:
        """∂ℓ/∂ŷ in the shape of ŷ; 0 where the loss is the mean of nothing."""
        divisor = self.divisor(yhat, y)
        factor = self.scale / divisor if divisor else 0.0
        slopes = self.slopes(yhat, y)
        return slopes if factor == 1 else slopes * factor

    def target_pull(self, yhat: Array, y: Array) -> Array:
        """∂ℓ/∂y in the shape of y, which has to hold rows."""
        return self.target_slopes(yhat, y) * (self.scale / self.divisor(yhat, y))

    def jacobian(self, wrt: str, size: int, at: Point) -> Jacobian:
        """∂ℓ/∂ŷ or ∂ℓ/∂y, one row; ``wrt`` and what is read are ``yhat`` and ``y``.

        Of a single sample, the loss is that of a batch which is this sample alone.
        """
        pull = self.pull if wrt == "yhat" else self.target_pull
        return Dense((), at.shape(size), at.dtype, lambda: pull(at.read("yhat"), at.read("y")))

    def prefix(self) -> str:
        """The factor before the sum as text."""
        scale = "" if self.scale == 1 else "½ " if self.scale == 0.5 else f"{self.scale:g} "
        if self.reduction == "sum":
            return scale
        return f"{scale}1/{'N' if self.reduction == 'batch_mean' else self.counted_text()} "

    def formula(self, yhat: str, y: str) -> str:
        """The right-hand side of ℓ = … for a batch."""
        return f"{self.prefix()}Σ {self.term(yhat, y)}"

    def gradient_formula(self, yhat: str, y: str) -> str:
        """The right-hand side of ∂ℓ/∂ŷ = … for a batch."""
        return f"{self.prefix()}{self.slope(yhat, y)}"


def weights(given: tuple[float, ...], like: Array) -> Array | float:
    """The weights of the outputs in the dtype of the prediction; 1 where there are none."""
    return np.asarray(given, dtype=like.dtype) if given else 1.0
