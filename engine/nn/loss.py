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
    """A scalar loss, scale · Σ terms / divisor, where ``reduction`` says what divides.

    ``sum`` divides by 1, ``batch_mean`` by N, and ``mean`` as PyTorch's: by the number of elements,
    or by the sum of the weights of the classes. ``takes_classes`` is whether a target may be a
    class index.
    """

    type: ClassVar[str]
    takes_classes: ClassVar[bool] = False
    per_sample: ClassVar[bool] = False  # one term a sample, not one an element
    reduction: Reduction = "mean"
    scale: float = 1.0

    @abstractmethod
    def terms(self, yhat: Array, y: Array) -> Array:
        """The terms that the reduction adds up: (N, K), or (N,) where ``per_sample``."""

    @abstractmethod
    def slopes(self, yhat: Array, y: Array) -> Array:
        """The derivative (N, K) of the sum of the terms by the prediction, before the reduction."""

    @abstractmethod
    def target_slopes(self, yhat: Array, y: Array) -> Array:
        """The derivative (N, K) of the sum of the terms by a target (N, K), of rows."""

    @abstractmethod
    def counted(self, yhat: Array, y: Array) -> float:
        """The divisor of the reduction ``mean``; 0 where every row is ignored."""

    @abstractmethod
    def counted_text(self) -> str:
        """The divisor of ``mean`` as text: ``N``, ``(N K)``, ``Σw[y]``."""

    @abstractmethod
    def term(self, yhat: str, y: str) -> str:
        """One term as text."""

    @abstractmethod
    def slope(self, yhat: str, y: str) -> str:
        """The derivative of one term as text."""

    def divisor(self, yhat: Array, y: Array) -> float:
        """The divisor of this loss's reduction: 1, N or :meth:`counted`."""
        if self.reduction == "sum":
            return 1
        return len(yhat) if self.reduction == "batch_mean" else self.counted(yhat, y)

    def value(self, yhat: Array, y: Array) -> Array:
        """The loss, shape (), in the dtype of ŷ; NaN, as in PyTorch, for the mean of nothing."""
        # np.add.reduce is np.sum without its wrapper, which costs more than a small batch does
        total, divisor = np.add.reduce(self.terms(yhat, y), axis=None), self.divisor(yhat, y)
        factor = self.scale / divisor if divisor else math.nan
        return np.asarray(total * factor, dtype=yhat.dtype)

    def pull(self, yhat: Array, y: Array) -> Array:
        """The gradient ∂ℓ/∂ŷ (N, K); 0 where the loss is the mean of nothing."""
        divisor = self.divisor(yhat, y)
        factor = self.scale / divisor if divisor else 0.0
        slopes = self.slopes(yhat, y)
        return slopes if factor == 1 else slopes * factor

    def target_pull(self, yhat: Array, y: Array) -> Array:
        """The gradient ∂ℓ/∂y (N, K) by a target of rows; 0 for the mean of nothing."""
        divisor = self.divisor(yhat, y)
        return self.target_slopes(yhat, y) * (self.scale / divisor if divisor else 0.0)

    def jacobian(self, wrt: str, size: int, at: Point) -> Jacobian:
        """The Jacobian ∂ℓ/∂ŷ or ∂ℓ/∂y, one dense row; ``wrt`` is ``yhat`` or ``y``.

        ``size`` is K. Of a single sample, the loss is that of a batch which is this sample alone.
        """
        pull = self.pull if wrt == "yhat" else self.target_pull
        return Dense((), at.shape(size), at.dtype, lambda: pull(at.read("yhat"), at.read("y")))

    def prefix(self) -> str:
        """The factor before the sum as text, scale / divisor: ``½ 1/N ``; empty where it is 1."""
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
    """The weights of the outputs or classes (K,), in the dtype of ``like``; 1 where there are none.

    In that dtype, because a float64 array would promote a float32 loss.
    """
    return np.asarray(given, dtype=like.dtype) if given else 1.0
