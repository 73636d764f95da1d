"""The losses of classes: one term a sample.

A target is a class index a row, or for cross_entropy also a row of probabilities. ``weight`` has a
number for each class; rows whose class is ``ignore_index`` count for nothing, neither in the sum
nor in what the mean divides by, which is the sum of the weights of the rows' classes.
"""

from dataclasses import dataclass

import numpy as np

from engine.arrays import Array
from engine.nn.activations import log_softmax, softmax
from engine.nn.loss import Loss, weights


def pick(rows: Array, y: Array) -> Array:
    """The element of each row of (N, K) at its class index, shape (N,)."""
    picked: Array = rows[np.arange(len(y)), y]
    return picked


def one_hot(y: Array, like: Array) -> Array:
    """Class indices (N,) one-hot, in the shape (N, K) and the dtype of ``like``; rows stay rows."""
    if y.ndim == 2:
        return y
    rows = np.zeros_like(like)
    rows[np.arange(len(y)), y] = 1
    return rows


@dataclass(frozen=True)
class ClassLoss(Loss):
    """A loss of one term a row, with PyTorch's ``weight`` (one a class) and ``ignore_index``."""

    takes_classes = True
    per_sample = True
    weight: tuple[float, ...] = ()
    ignore_index: int | None = None

    @property
    def plain(self) -> bool:
        """Whether no weights and no ignored class are set, so that every row counts 1."""
        return not self.weight and self.ignore_index is None

    def kept(self, y: Array) -> Array:
        """The class indices (N,) with 0, a class there always is, for the ignored ones."""
        return y if self.ignore_index is None else np.where(y == self.ignore_index, 0, y)

    def row_weights(self, yhat: Array, y: Array) -> Array:
        """What each row counts, (N,): the weight of its class, 0 where it is ignored."""
        counts = np.ones(len(y), yhat.dtype)
        if self.weight:
            counts = np.asarray(self.weight, dtype=yhat.dtype)[self.kept(y)]
        if self.ignore_index is not None:
            counts = np.where(y == self.ignore_index, yhat.dtype.type(0), counts)
        return counts

    def weighted_pick(self, logs: Array, y: Array) -> Array:
        """−w[y] · logs[y] of each row, (N,); an ignored row is 0 whatever it holds."""
        terms = -pick(logs, self.kept(y)) * self.row_weights(logs, y)
        if self.ignore_index is None:
            return terms
        # 0 · NaN and 0 · ∞ are NaN: a weight of 0 is not enough
        return np.where(y == self.ignore_index, logs.dtype.type(0), terms)

    def counted(self, yhat: Array, y: Array) -> float:
        if self.plain or y.ndim == 2:
            return len(yhat)  # PyTorch divides by N for probabilities, even with weights
        return float(np.sum(self.row_weights(yhat, y)))

    def row_text(self, y: str) -> str:
        """What a row counts as text, before its term: ``[y ≠ −100] w[y] ``; empty where 1."""
        known = "" if self.ignore_index is None else f"[{y} ≠ {signed(self.ignore_index)}] "
        return f"{known}{f'w[{y}] ' if self.weight else ''}"

    def counted_text(self) -> str:
        return "N" if self.plain else f"Σ{self.row_text('y').strip()}"


def signed(number: int) -> str:
    """A whole number with U+2212 for its minus sign."""
    return str(number).replace("-", "−")


@dataclass(frozen=True)
class CrossEntropy(ClassLoss):
    """−w[y] (log softmax ŷ)[y] of logits ŷ, or −Σ w y log softmax(ŷ) for rows of probabilities.

    As ``torch.nn.CrossEntropyLoss``. ``label_smoothing`` ε mixes the target with the uniform
    distribution, (1 − ε) onehot(y) + ε/K (Szegedy et al. 2016).
    """

    type = "cross_entropy"
    label_smoothing: float = 0.0
    of_rows: bool = False  # whether targets are rows of probabilities, as the formulas then say

    def shares(self, yhat: Array, y: Array) -> Array:
        """q = w ⊙ smoothed target, (N, K): the terms are −Σⱼ qⱼ (log softmax ŷ)ⱼ."""
        known = y.ndim == 2
        rows = one_hot(y if known else self.kept(y), yhat)
        if self.label_smoothing:
            part = self.label_smoothing / yhat.shape[1]
            rows = rows * (1 - self.label_smoothing) + part
        rows = rows * weights(self.weight, yhat)
        if not known and self.ignore_index is not None:
            rows = rows * (y != self.ignore_index)[:, None]
        return rows

    def terms(self, yhat: Array, y: Array) -> Array:
        logs = log_softmax(yhat)
        if y.ndim == 1 and not self.label_smoothing:
            return -pick(logs, y) if self.plain else self.weighted_pick(logs, y)
        rows = y if self.plain and not self.label_smoothing else self.shares(yhat, y)
        total: Array = -np.sum(rows * logs, axis=-1)
        if y.ndim == 1 and self.ignore_index is not None:
            total = np.where(y == self.ignore_index, yhat.dtype.type(0), total)
        return total

    def slopes(self, yhat: Array, y: Array) -> Array:
        if self.plain and not self.label_smoothing:
            rows = one_hot(y, yhat)
            if y.ndim == 1:
                return softmax(yhat) - rows
        else:
            rows = self.shares(yhat, y)
        # q of a row need not add up to 1: weights, an ignored class, or targets that do not
        out: Array = softmax(yhat) * np.sum(rows, axis=-1, keepdims=True) - rows
        return out

    def target_slopes(self, yhat: Array, y: Array) -> Array:
        return -log_softmax(yhat) * weights(self.weight, yhat) * (1 - self.label_smoothing)

    def counted_text(self) -> str:
        return "N" if self.of_rows else super().counted_text()

    def share_text(self, y: str) -> str:
        """The target as text, one-hot or a row, smoothed and with the weights of the classes."""
        share = y if self.of_rows else f"onehot({y})"
        if self.label_smoothing:
            share = f"{1 - self.label_smoothing:g} {share} + {self.label_smoothing:g}/K"
        if not self.weight:
            return share
        return f"w ⊙ ({share})" if self.label_smoothing else f"w ⊙ {share}"

    def term(self, yhat: str, y: str) -> str:
        if self.of_rows:
            share = self.share_text(y)
            return f"−Σⱼ {share if share == y else f'({share})'}ⱼ (log softmax {yhat})ⱼ"
        if not self.label_smoothing:
            return f"−{self.row_text(y)}(log softmax {yhat})[{y}]"
        known = CrossEntropy(ignore_index=self.ignore_index).row_text(y)
        return f"−{known}Σⱼ ({self.share_text(y)})ⱼ (log softmax {yhat})ⱼ"

    def slope(self, yhat: str, y: str) -> str:
        if self.of_rows:  # a row need not add up to 1
            share = self.share_text(y)
            if share == y:
                return f"(softmax({yhat}) Σⱼ {y}ⱼ − {y})"
            return f"(softmax({yhat}) Σⱼ qⱼ − q), q = {share}"
        if not self.label_smoothing:
            return f"{self.row_text(y)}(softmax({yhat}) − onehot({y}))"
        known = CrossEntropy(ignore_index=self.ignore_index).row_text(y)
        if not self.weight:
            return f"{known}(softmax({yhat}) − ({self.share_text(y)}))"
        return f"{known}(softmax({yhat}) Σⱼ qⱼ − q), q = {self.share_text(y)}"


@dataclass(frozen=True)
class NLL(ClassLoss):
    """−w[y] ŷ[y] of log-probabilities ŷ, the negative log-likelihood, as ``torch.nn.NLLLoss``."""

    type = "nll"

    def terms(self, yhat: Array, y: Array) -> Array:
        return -pick(yhat, y) if self.plain else self.weighted_pick(yhat, y)

    def slopes(self, yhat: Array, y: Array) -> Array:
        if self.plain:
            return -one_hot(y, yhat)
        return -one_hot(self.kept(y), yhat) * self.row_weights(yhat, y)[:, None]

    def target_slopes(self, yhat: Array, y: Array) -> Array:
        return -yhat

    def term(self, yhat: str, y: str) -> str:
        return f"−{self.row_text(y)}{yhat}[{y}]"

    def slope(self, yhat: str, y: str) -> str:
        return f"−{self.row_text(y)}onehot({y})"
