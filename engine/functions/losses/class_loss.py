"""The losses of classes: one term a sample.

A target is a class index a row, or for cross_entropy also a row of probabilities. ``weight`` has a
number for each class; rows whose class is ``ignore_index`` count for nothing, neither in the sum
nor in what the mean divides by, which is the sum of the weights of the rows' classes.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine.arrays import Array
from engine.formulas.batch import ELEMENT, WHOLE, Summed, Writing
from engine.formulas.elements import Counts, Pick
from engine.formulas.tree import Formula, Fraction, Negative, Size, Subtract
from engine.functions.losses.loss import ROWS, TARGET, WEIGHT, Loss
from engine.functions.options import ClassIndex, Weights


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
    picks = True
    targets: ClassVar[tuple[float, float]] = (0.0, math.inf)
    weight: Weights = ()
    ignore_index: ClassIndex | None = None

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

    @property
    def constants(self) -> Mapping[str, tuple[float, ...]]:
        return {WEIGHT.name: self.weight} if self.weight else {}

    @property
    def known(self) -> tuple[Formula, ...]:
        """The factor [y ≠ ignore_index]; none where no class is ignored."""
        return () if self.ignore_index is None else (Counts(TARGET, self.ignore_index),)

    @property
    def row_weight(self) -> tuple[Formula, ...]:
        """What a row counts, as factors; none where it counts 1."""
        return (*self.known, Pick(WEIGHT, TARGET)) if self.weight else self.known

    @property
    def count(self) -> Formula:
        return Summed(WHOLE.times(*self.row_weight)) if self.row_weight else ROWS

    def averaged(self, formula: Formula) -> Formula:
        # of a lone sample the mean divides by its own weight, which is written out
        if self.reduction != "mean" or not self.row_weight:
            return formula
        if isinstance(formula, Negative):
            return Negative(self.averaged(formula.inner))
        return Fraction(formula, ELEMENT.times(*self.row_weight))

    def picked(self, logs: Formula, by: Writing) -> Formula:
        """−w[y] logs[y], the term of the class alone."""
        return Negative(by.times(*self.row_weight, Pick(logs, TARGET)))

    def less_one_hot(self, p: Formula, size: Size, by: Writing) -> Formula:
        """p − onehot(y) times what the row counts: the slope of softmax and the logarithm."""
        return by.times(*self.row_weight, Subtract(p, by.one_hot(TARGET, size)))
