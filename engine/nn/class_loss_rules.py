"""The losses of classes of one sample as formulas: class weights, ignored classes, smoothing."""

from dataclasses import dataclass
from typing import Literal

from engine.formulas.elements import At, Counts, OneHot, Pick, Total
from engine.formulas.tree import (
    Add,
    Apply,
    Formula,
    Fraction,
    Negative,
    Number,
    Size,
    Subtract,
    Symbol,
    Times,
)
from engine.nn.class_losses import ClassLoss, CrossEntropy
from engine.nn.rules import LOG_SOFTMAX, ONE, SOFTMAX

WEIGHT, TARGET = Symbol("w"), Symbol("y")


@dataclass(frozen=True)
class ClassRule:
    """cross_entropy and nll of one sample as formulas, without the scale.

    ``size`` is K; ``classes`` is whether y is a class index, not a column of probabilities. Of a
    lone sample the mean divides by its own weight, which is written out.
    """

    loss: ClassLoss
    size: Size
    classes: bool

    @property
    def known(self) -> tuple[Formula, ...]:
        """The factor [y ≠ ignore_index]; none where no class is ignored."""
        ignored = self.loss.ignore_index if self.classes else None
        return () if ignored is None else (Counts(TARGET, ignored),)

    @property
    def row_weight(self) -> tuple[Formula, ...]:
        """What the sample counts, as factors; none where it counts 1."""
        weight = (Pick(WEIGHT, TARGET),) if self.loss.weight and self.classes else ()
        return (*self.known, *weight)

    def averaged(self, formula: Formula) -> Formula:
        """The formula divided by what the sample counts, for the reduction ``mean``."""
        if self.loss.reduction != "mean" or not self.row_weight:
            return formula
        return Fraction(formula, product(self.row_weight))

    @property
    def smoothing(self) -> float:
        """The label smoothing ε; 0 for nll, which has none."""
        return self.loss.label_smoothing if isinstance(self.loss, CrossEntropy) else 0.0

    @property
    def by_shares(self) -> bool:
        """Whether the loss is a sum over all classes, not the logarithm of one alone."""
        return not self.classes or self.smoothing > 0

    def share(self, index: Literal["i", "j"] = "i") -> Formula:
        """Element i or j of q, which the log-probabilities are multiplied with.

        That is the target (one-hot or probabilities), smoothed and weighted.
        """
        target: Formula = At(TARGET, index)
        if self.classes:
            target = OneHot(TARGET, self.size, index)
        if self.smoothing:
            rest = Fraction(Number(self.smoothing), self.size)
            target = Add(Times((Number(1 - self.smoothing), target)), rest)
        weight = (At(WEIGHT, index),) if self.loss.weight else ()
        return product((*self.known, *weight, target))

    def value(self, yhat: Formula) -> Formula:
        """The loss of one sample, a scalar, in its prediction ŷ (K×1)."""
        if self.loss.type == "nll":
            return Negative(self.averaged(product((*self.row_weight, Pick(yhat, TARGET)))))
        logs = Apply(LOG_SOFTMAX, yhat)
        if not self.by_shares:
            return Negative(self.averaged(product((*self.row_weight, Pick(logs, TARGET)))))
        return Negative(self.averaged(Total(Times((self.share(), At(logs))))))

    def slope(self, yhat: Formula) -> Formula:
        """Element i of the derivative of the loss by ŷ; its value is the column of all elements."""
        if self.loss.type == "nll":
            hot = OneHot(TARGET, self.size)
            return Negative(self.averaged(product((*self.row_weight, hot))))
        p = At(Apply(SOFTMAX, yhat))
        if not self.by_shares:
            return self.less_one_hot(p)
        whole = Total(self.share("j"), "j")  # j, because i is the element that is differentiated by
        return self.averaged(Subtract(Times((p, whole)), self.share()))

    def less_one_hot(self, p: Formula) -> Formula:
        """p − [i = y] times what the sample counts, averaged: element i of softmax less one-hot."""
        slope = Subtract(p, OneHot(TARGET, self.size))
        return self.averaged(product((*self.row_weight, slope)))


def product(factors: tuple[Formula, ...]) -> Formula:
    """The factors side by side without any 1; a single one as it is, and 1 where none is left."""
    found = tuple(factor for factor in factors if factor != ONE)
    return Times(found) if len(found) > 1 else (*found, ONE)[0]
