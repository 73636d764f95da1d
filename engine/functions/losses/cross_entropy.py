"""The cross-entropy of logits."""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from engine.arrays import Array
from engine.formulas.batch import ELEMENT, OTHER, Writing
from engine.formulas.elements import Total
from engine.formulas.named import Apply
from engine.formulas.tree import Add, Formula, Fraction, Negative, Number, Size, Subtract
from engine.functions.losses.class_loss import ClassLoss, one_hot, pick
from engine.functions.losses.loss import TARGET, WEIGHT, weights
from engine.functions.options import INFERRED, Probability
from engine.functions.softmax import LOG_SOFTMAX, SOFTMAX, log_softmax, softmax


@dataclass(frozen=True)
class CrossEntropy(ClassLoss):
    """−w[y] log softmax(ŷ)[y] of logits ŷ, or −Σ w y log softmax(ŷ) for rows of probabilities.

    As ``torch.nn.CrossEntropyLoss``. ``label_smoothing`` ε mixes the target with the uniform
    distribution, (1 − ε) onehot(y) + ε/K (Szegedy et al. 2016).
    """

    type: ClassVar[str] = "cross_entropy"
    torch: ClassVar[str] = "CrossEntropyLoss"
    torch_function: ClassVar[str] = "cross_entropy"
    label_smoothing: Probability = 0.0
    # whether targets are rows of probabilities, as the formulas then say
    of_rows: bool = field(default=False, metadata={INFERRED: True})

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

    @property
    def known(self) -> tuple[Formula, ...]:
        return () if self.of_rows else super().known

    @property
    def row_weight(self) -> tuple[Formula, ...]:
        return () if self.of_rows else super().row_weight

    @property
    def by_shares(self) -> bool:
        """Whether a term is a sum over all classes, not the logarithm of one alone."""
        return self.of_rows or self.label_smoothing > 0

    def target(self, size: Size, by: Writing) -> Formula:
        """The target, one-hot or probabilities, smoothed."""
        target = by.of(TARGET) if self.of_rows else by.one_hot(TARGET, size)
        if not self.label_smoothing:
            return target
        rest = Fraction(Number(self.label_smoothing), size)
        return Add(by.times(Number(1 - self.label_smoothing), target), rest)

    def share(self, size: Size, by: Writing) -> Formula:
        """q, what the logarithms of the probabilities are multiplied with."""
        target = self.target(size, by)
        weighted = by.weighted(by.of(WEIGHT), target) if self.weight else target
        return by.times(*self.known, weighted)

    def term(self, yhat: Formula, size: Size, by: Writing) -> Formula:
        logs = Apply(LOG_SOFTMAX, yhat)
        if not self.by_shares:
            return self.picked(logs, by)
        of = ELEMENT if by.index else OTHER
        return Negative(Total(of.times(self.share(size, of), of.of(logs)), of.index or "j"))

    def slope(self, yhat: Formula, size: Size, by: Writing) -> tuple[float, Formula]:
        p = by.of(Apply(SOFTMAX, yhat))
        if not self.by_shares:
            return 1, self.less_one_hot(p, size, by)
        if not self.weight and not self.of_rows:  # the smoothed target adds up to 1
            return 1, by.times(*self.known, Subtract(p, self.target(size, by)))
        whole = Total(self.share(size, OTHER), "j")  # j, because i is differentiated by
        return 1, Subtract(by.times(p, whole), self.share(size, by))
