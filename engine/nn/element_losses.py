"""The losses of rows, one term an element, and the table of all losses.

``weight`` has a number for each output, which every term of that output is multiplied with.
Semantics and edge values follow PyTorch 2 (``torch.nn``).
"""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine.arrays import Array
from engine.nn.activations import sigmoid
from engine.nn.class_losses import NLL, CrossEntropy
from engine.nn.loss import Loss, weights

LOG_FLOOR = -100.0  # PyTorch clamps the logarithms of BCE here
BCE_EPSILON = float(np.float32(1e-12))  # and here, in single precision, its gradient's denominator


class ElementLoss(Loss):
    """A loss of one term an element, ŷ and y both (N, K); ``mean`` divides by N K."""

    def counted(self, yhat: Array, y: Array) -> float:
        return int(yhat.size)

    def counted_text(self) -> str:
        return "(N K)"


class MSE(ElementLoss):
    """The squared error (ŷ − y)² of each element, as ``torch.nn.MSELoss``."""

    type = "mse"

    def terms(self, yhat: Array, y: Array) -> Array:
        d = yhat - y
        return d * d

    def slopes(self, yhat: Array, y: Array) -> Array:
        return 2 * (yhat - y)

    def target_slopes(self, yhat: Array, y: Array) -> Array:
        return 2 * (y - yhat)

    def term(self, yhat: str, y: str) -> str:
        return f"({yhat} − {y})²"

    def slope(self, yhat: str, y: str) -> str:
        return f"2({yhat} − {y})"


class L1(ElementLoss):
    """The absolute error |ŷ − y|, as ``torch.nn.L1Loss``; the subgradient at 0 is 0."""

    type = "l1"

    def terms(self, yhat: Array, y: Array) -> Array:
        return np.abs(yhat - y)

    def slopes(self, yhat: Array, y: Array) -> Array:
        d = yhat - y
        slopes: Array = (d > 0).astype(d.dtype) - (d < 0)  # 0 at NaN, as PyTorch has it
        return slopes

    def target_slopes(self, yhat: Array, y: Array) -> Array:
        return self.slopes(y, yhat)  # the terms are those of ŷ and y exchanged

    def term(self, yhat: str, y: str) -> str:
        return f"|{yhat} − {y}|"

    def slope(self, yhat: str, y: str) -> str:
        return f"sign({yhat} − {y})"


@dataclass(frozen=True)
class Huber(ElementLoss):
    """½d² where |d| < delta, else delta (|d| − ½ delta), with d = ŷ − y (Huber 1964)."""

    type: ClassVar[str] = "huber"
    delta: float = 1.0

    def terms(self, yhat: Array, y: Array) -> Array:
        d = np.abs(yhat - y)
        return np.where(d < self.delta, 0.5 * d * d, self.delta * (d - 0.5 * self.delta))

    def slopes(self, yhat: Array, y: Array) -> Array:
        return np.clip(yhat - y, -self.delta, self.delta)

    def target_slopes(self, yhat: Array, y: Array) -> Array:
        return -self.slopes(yhat, y)

    def term(self, yhat: str, y: str) -> str:
        return f"huber({yhat} − {y})"

    def slope(self, yhat: str, y: str) -> str:
        return f"clip({yhat} − {y}, ±{self.delta:g})"


@dataclass(frozen=True)
class WeightedLoss(ElementLoss):
    """A binary cross-entropy, y in [0, 1] element by element; ``weight`` has a number an output."""

    weight: tuple[float, ...] = ()

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
    def weight_text(self) -> str:
        """The weight before a term as text, ``w ⊙ ``; empty without weights."""
        return "w ⊙ " if self.weight else ""


class BCE(WeightedLoss):
    """−w [y log ŷ + (1 − y) log(1 − ŷ)] of probabilities ŷ, as ``torch.nn.BCELoss``.

    The logarithms are clamped at −100 and the denominator of the gradient at 1e-12, so that ŷ = 0
    and ŷ = 1 stay finite; there the gradient is not the derivative of the loss.
    """

    type = "bce"

    def entropies(self, yhat: Array, y: Array) -> Array:
        log_one = np.maximum(np.log(yhat), LOG_FLOOR)
        log_zero = np.maximum(np.log1p(-yhat), LOG_FLOOR)  # log1p: 1 − ŷ rounds where ŷ is small
        return (y - 1) * log_zero - y * log_one

    def entropy_slopes(self, yhat: Array, y: Array) -> Array:
        return (yhat - y) / np.maximum((1 - yhat) * yhat, BCE_EPSILON)

    def entropy_target_slopes(self, yhat: Array, y: Array) -> Array:
        return np.maximum(np.log1p(-yhat), LOG_FLOOR) - np.maximum(np.log(yhat), LOG_FLOOR)

    def term(self, yhat: str, y: str) -> str:
        return f"−{self.weight_text}[{y} log {yhat} + (1 − {y}) log(1 − {yhat})]"

    def slope(self, yhat: str, y: str) -> str:
        return f"{self.weight_text}({yhat} − {y}) / ({yhat} (1 − {yhat}))"


@dataclass(frozen=True)
class BCEWithLogits(WeightedLoss):
    """BCE of σ(ŷ), computed from the logits ŷ without overflow, as ``torch.nn.BCEWithLogitsLoss``.

    ``pos_weight`` has a number w⁺ for each output: −w [w⁺ y log σ(ŷ) + (1 − y) log(1 − σ(ŷ))].
    """

    type: ClassVar[str] = "bce_with_logits"
    pos_weight: tuple[float, ...] = ()

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

    def term(self, yhat: str, y: str) -> str:
        one = f"{'w⁺ ⊙ ' if self.pos_weight else ''}{y} log σ({yhat})"
        return f"−{self.weight_text}[{one} + (1 − {y}) log(1 − σ({yhat}))]"

    def slope(self, yhat: str, y: str) -> str:
        if not self.pos_weight:
            return f"{self.weight_text}(σ({yhat}) − {y})"
        ones = f"w⁺ ⊙ {y}"
        return f"{self.weight_text}(({ones} + 1 − {y}) σ({yhat}) − {ones})"


def surplus(yhat: Array) -> Array:
    """−log σ(ŷ) = log(1 + exp(−ŷ)), the softplus of −ŷ, without overflow; any shape."""
    out: Array = np.log1p(np.exp(-np.abs(yhat))) + np.maximum(-yhat, 0)
    return out


LOSSES: dict[str, type[Loss]] = {
    loss.type: loss for loss in (MSE, L1, Huber, BCE, BCEWithLogits, CrossEntropy, NLL)
}
