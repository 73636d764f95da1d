"""The losses: value and gradient by the prediction, side by side.

``value`` and ``pull`` take the prediction ŷ (N, K) and the target y: (N, K), or class indices (N,).
Both are multiplied by ``factor(ŷ)``, which is ``scale`` times what the reduction asks for.
Semantics and edge values follow PyTorch 2 (``torch.nn``).
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from engine.activations import log_softmax, sigmoid, softmax
from engine.arrays import Array
from engine.jacobian import Jacobian, Point
from engine.jacobian_operators import Dense

Reduction = Literal["sum", "mean", "batch_mean"]
LOG_FLOOR = -100.0  # PyTorch clamps the logarithms of BCE here
BCE_EPSILON = float(np.float32(1e-12))  # and here, in single precision, its gradient's denominator


@dataclass(frozen=True)
class Loss(ABC):
    """What every loss answers."""

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
    def term(self, yhat: str, y: str) -> str:
        """One term as text."""

    @abstractmethod
    def slope(self, yhat: str, y: str) -> str:
        """The derivative of one term as text."""

    def divisor(self, yhat: Array) -> int:
        """What the reduction divides the sum of the terms by."""
        if self.reduction == "sum":
            return 1
        if self.reduction == "batch_mean" or self.per_sample:
            return len(yhat)
        return int(yhat.size)

    def value(self, yhat: Array, y: Array) -> Array:
        """The loss, shape ()."""
        total = np.sum(self.terms(yhat, y))
        return np.asarray(total * (self.scale / self.divisor(yhat)), dtype=yhat.dtype)

    def pull(self, yhat: Array, y: Array) -> Array:
        """∂ℓ/∂ŷ in the shape of ŷ."""
        factor = self.scale / self.divisor(yhat)
        slopes = self.slopes(yhat, y)
        return slopes if factor == 1 else slopes * factor

    def target_pull(self, yhat: Array, y: Array) -> Array:
        """∂ℓ/∂y in the shape of y, which has to hold rows."""
        return self.target_slopes(yhat, y) * (self.scale / self.divisor(yhat))

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
        per_sample = self.reduction == "batch_mean" or self.per_sample
        return f"{scale}1/N " if per_sample else f"{scale}1/(N K) "

    def formula(self, yhat: str, y: str) -> str:
        """The right-hand side of ℓ = … for a batch."""
        return f"{self.prefix()}Σ {self.term(yhat, y)}"

    def gradient_formula(self, yhat: str, y: str) -> str:
        """The right-hand side of ∂ℓ/∂ŷ = … for a batch."""
        return f"{self.prefix()}{self.slope(yhat, y)}"


class MSE(Loss):
    """(ŷ − y)²."""

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


class L1(Loss):
    """|ŷ − y|; the derivative at 0 is 0."""

    type = "l1"

    def terms(self, yhat: Array, y: Array) -> Array:
        return np.abs(yhat - y)

    def slopes(self, yhat: Array, y: Array) -> Array:
        d = yhat - y
        slopes: Array = (d > 0).astype(d.dtype) - (d < 0)  # 0 at NaN, as PyTorch has it
        return slopes

    def target_slopes(self, yhat: Array, y: Array) -> Array:
        return np.sign(y - yhat)

    def term(self, yhat: str, y: str) -> str:
        return f"|{yhat} − {y}|"

    def slope(self, yhat: str, y: str) -> str:
        return f"sign({yhat} − {y})"


@dataclass(frozen=True)
class Huber(Loss):
    """½d² where |d| < delta, else delta (|d| − ½ delta), with d = ŷ − y."""

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


class BCE(Loss):
    """−[y log ŷ + (1 − y) log(1 − ŷ)], logarithms clamped at −100."""

    type = "bce"

    def terms(self, yhat: Array, y: Array) -> Array:
        log_one = np.maximum(np.log(yhat), LOG_FLOOR)
        log_zero = np.maximum(np.log1p(-yhat), LOG_FLOOR)
        return (y - 1) * log_zero - y * log_one

    def slopes(self, yhat: Array, y: Array) -> Array:
        return (yhat - y) / np.maximum((1 - yhat) * yhat, BCE_EPSILON)

    def target_slopes(self, yhat: Array, y: Array) -> Array:
        return np.maximum(np.log1p(-yhat), LOG_FLOOR) - np.maximum(np.log(yhat), LOG_FLOOR)

    def term(self, yhat: str, y: str) -> str:
        return f"−[{y} log {yhat} + (1 − {y}) log(1 − {yhat})]"

    def slope(self, yhat: str, y: str) -> str:
        return f"({yhat} − {y}) / ({yhat} (1 − {yhat}))"


class BCEWithLogits(Loss):
    """BCE of σ(ŷ), computed from the logits without overflow."""

    type = "bce_with_logits"

    def terms(self, yhat: Array, y: Array) -> Array:
        return (1 - y) * yhat + np.maximum(-yhat, 0) + np.log1p(np.exp(-np.abs(yhat)))

    def slopes(self, yhat: Array, y: Array) -> Array:
        return sigmoid(yhat) - y

    def target_slopes(self, yhat: Array, y: Array) -> Array:
        return -yhat

    def term(self, yhat: str, y: str) -> str:
        return f"−[{y} log σ({yhat}) + (1 − {y}) log(1 − σ({yhat}))]"

    def slope(self, yhat: str, y: str) -> str:
        return f"(σ({yhat}) − {y})"


def pick(rows: Array, y: Array) -> Array:
    """The element of each row at its class index, shape (N,)."""
    picked: Array = rows[np.arange(len(y)), y]
    return picked


def one_hot(y: Array, like: Array) -> Array:
    """Class indices (N,) as rows with a single 1; targets that are rows already stay."""
    if y.ndim == 2:
        return y
    rows = np.zeros_like(like)
    rows[np.arange(len(y)), y] = 1
    return rows


class CrossEntropy(Loss):
    """−log softmax(ŷ) at the class of y, or −Σ y log softmax(ŷ) for rows of probabilities."""

    type = "cross_entropy"
    takes_classes = True
    per_sample = True

    def terms(self, yhat: Array, y: Array) -> Array:
        logs = log_softmax(yhat)
        if y.ndim == 1:
            return -pick(logs, y)
        total: Array = -np.sum(y * logs, axis=-1)
        return total

    def slopes(self, yhat: Array, y: Array) -> Array:
        rows = one_hot(y, yhat)
        weight = np.sum(rows, axis=-1, keepdims=True) if y.ndim == 2 else 1
        return softmax(yhat) * weight - rows

    def target_slopes(self, yhat: Array, y: Array) -> Array:
        return -log_softmax(yhat)

    def term(self, yhat: str, y: str) -> str:
        return f"−(log softmax {yhat})[{y}]"

    def slope(self, yhat: str, y: str) -> str:
        return f"(softmax({yhat}) − onehot({y}))"


class NLL(Loss):
    """−ŷ at the class of y; ŷ holds log-probabilities."""

    type = "nll"
    takes_classes = True
    per_sample = True

    def terms(self, yhat: Array, y: Array) -> Array:
        return -pick(yhat, y)

    def slopes(self, yhat: Array, y: Array) -> Array:
        return -one_hot(y, yhat)

    def target_slopes(self, yhat: Array, y: Array) -> Array:
        return -yhat

    def term(self, yhat: str, y: str) -> str:
        return f"−{yhat}[{y}]"

    def slope(self, yhat: str, y: str) -> str:
        return f"−onehot({y})"


LOSSES: dict[str, type[Loss]] = {
    loss.type: loss for loss in (MSE, L1, Huber, BCE, BCEWithLogits, CrossEntropy, NLL)
}
