"""The hinge loss of classes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from engine.arrays import Array
from engine.formulas.batch import ELEMENT, OTHER, Writing
from engine.formulas.elements import Compare, Pick, Total
from engine.formulas.named import Positive
from engine.formulas.pieces import Branch
from engine.formulas.tree import ONE, ZERO, Add, Formula, Fraction, Number, Size, Square, Subtract
from engine.functions.losses.class_loss import pick
from engine.functions.losses.loss import ROWS, TARGET, WEIGHT, Loss
from engine.functions.options import Weights


@dataclass(frozen=True)
class MultiMargin(Loss):
    """w[y]/K Σⱼ max(0, margin − ŷ[y] + ŷⱼ)^p over the classes j ≠ y.

    As ``torch.nn.MultiMarginLoss``, and as Weston & Watkins's support vector machine (1999). The
    mean divides by the number of rows, with weights too.
    """

    type: ClassVar[str] = "multi_margin"
    torch: ClassVar[str] = "MultiMarginLoss"
    torch_function: ClassVar[str] = "multi_margin_loss"
    takes_classes: ClassVar[bool] = True
    takes_rows: ClassVar[bool] = False
    per_sample: ClassVar[bool] = True
    picks: ClassVar[bool] = True
    targets: ClassVar[tuple[float, float]] = (0.0, np.inf)
    p: Literal[1, 2] = 1
    margin: float = 1.0
    weight: Weights = ()

    def counted(self, yhat: Array, y: Array) -> float:
        return len(yhat)

    @property
    def count(self) -> Formula:
        return ROWS

    @property
    def constants(self) -> Mapping[str, tuple[float, ...]]:
        return {WEIGHT.name: self.weight} if self.weight else {}

    def row_weights(self, yhat: Array, y: Array) -> Array:
        """What each row counts, (N,): the weight of its class."""
        if not self.weight:
            return np.ones(len(y), yhat.dtype)
        counts: Array = np.asarray(self.weight, dtype=yhat.dtype)[y]
        return counts

    def excess(self, yhat: Array, y: Array) -> Array:
        """margin − ŷ[y] + ŷ of the other classes, (N, K); 0, which counts nothing, at the class."""
        out = self.margin - pick(yhat, y)[:, None] + yhat
        out[np.arange(len(y)), y] = 0
        return out

    def terms(self, yhat: Array, y: Array) -> Array:
        each = self.excess(yhat, y)
        # not np.maximum, which hands NaN on: to PyTorch it is no excess
        each = np.where(each > 0, each**self.p, yhat.dtype.type(0))
        total: Array = np.add.reduce(each, axis=1) * self.row_weights(yhat, y) / yhat.shape[1]
        return total

    def slopes(self, yhat: Array, y: Array) -> Array:
        each = self.excess(yhat, y)
        rates = (each > 0).astype(yhat.dtype)
        if self.p == 2:
            rates = np.where(each > 0, 2 * each, yhat.dtype.type(0))
        rates[np.arange(len(y)), y] = -np.add.reduce(rates, axis=1)
        out: Array = rates * (self.row_weights(yhat, y) / yhat.shape[1])[:, None]
        return out

    def target_slopes(self, yhat: Array, y: Array) -> Array:
        raise NotImplementedError("a class index has no derivative")

    def kinks(self, yhat: Array, y: Array) -> Array | None:
        return self.excess(yhat, y) if self.p == 1 else None

    def beyond(self, yhat: Formula, by: Writing) -> Formula:
        """margin − ŷ[y] + ŷ, or its element."""
        return Add(Subtract(Number(self.margin), Pick(yhat, TARGET)), by.of(yhat))

    def others(self, size: Size, by: Writing) -> Formula:
        """1 for the classes that are not the target's, 0 for that."""
        return Subtract(ONE, by.one_hot(TARGET, size))

    def row_factor(self, size: Size, number: int = 1) -> Formula:
        """number · w[y] / K, what the sum over the other classes is multiplied with."""
        weight = (Pick(WEIGHT, TARGET),) if self.weight else ()
        return Fraction(ELEMENT.times(Number(number), *weight), size)

    def term(self, yhat: Formula, size: Size, by: Writing) -> Formula:
        of = ELEMENT if by.index else OTHER
        over: Formula = Positive(self.beyond(yhat, of))
        over = over if self.p == 1 else Square(over)
        total = Total(of.times(self.others(size, of), over), of.index or "j")
        return by.times(self.row_factor(size), total)

    def rate(self, yhat: Formula, size: Size, by: Writing) -> Formula:
        """The derivative of each class's part, without p: 1 or the excess, where there is one."""
        beyond = self.beyond(yhat, by)
        over = Branch(Compare(beyond, ">", ZERO)) if self.p == 1 else Positive(beyond)
        return by.times(self.others(size, by), over)

    def slope(self, yhat: Formula, size: Size, by: Writing) -> tuple[float, Formula]:
        own = Total(self.rate(yhat, size, OTHER), "j")  # j, because i is differentiated by
        less = by.times(by.one_hot(TARGET, size), own)
        both = Subtract(self.rate(yhat, size, by), less)
        return 1, by.times(self.row_factor(size, self.p), both)
