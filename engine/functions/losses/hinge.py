"""The hinge loss of binary targets."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine.arrays import Array
from engine.formulas.batch import Writing
from engine.formulas.elements import Compare
from engine.formulas.named import Positive
from engine.formulas.pieces import Branch
from engine.formulas.tree import Formula, Negative, Number, Size, Subtract
from engine.functions.losses.element_loss import ElementLoss
from engine.functions.losses.loss import TARGET


@dataclass(frozen=True)
class Hinge(ElementLoss):
    """max(0, margin − y ŷ) of targets y = ±1, as a support vector machine has it.

    It is ``torch.nn.MarginRankingLoss`` of ŷ against 0; the slope at y ŷ = margin is −y, as there.
    """

    type: ClassVar[str] = "hinge"
    torch: ClassVar[str] = "MarginRankingLoss"
    torch_function: ClassVar[str] = "margin_ranking_loss"
    torch_operands: ClassVar[str] = "{yhat}, torch.zeros_like({yhat}), {y}"
    torch_asks: ClassVar[tuple[str, ...]] = ("margin",)
    boundary: ClassVar[float] = 0.0
    labels: ClassVar[tuple[float, ...]] = (-1.0, 1.0)
    targets: ClassVar[tuple[float, float]] = (-1.0, 1.0)
    refuses: ClassVar[bool] = True
    margin: float = 1.0

    def terms(self, yhat: Array, y: Array) -> Array:
        return np.maximum(self.margin - y * yhat, 0)

    def inside(self, yhat: Array, y: Array) -> Array:
        """1 where a term counts, its end included, else 0; NaN is none that does."""
        return (self.margin - y * yhat >= 0).astype(yhat.dtype)

    def slopes(self, yhat: Array, y: Array) -> Array:
        return -y * self.inside(yhat, y)

    def target_slopes(self, yhat: Array, y: Array) -> Array:
        return -yhat * self.inside(yhat, y)

    def kinks(self, yhat: Array, y: Array) -> Array | None:
        return self.margin - y * yhat

    def term(self, yhat: Formula, size: Size, by: Writing) -> Formula:
        product = by.times(by.of(TARGET), by.of(yhat))
        return Positive(Subtract(Number(self.margin), product))

    def slope(self, yhat: Formula, size: Size, by: Writing) -> tuple[float, Formula]:
        product = by.times(by.of(TARGET), by.of(yhat))
        inside = Branch(Compare(product, "≤", Number(self.margin)))
        return 1, Negative(by.times(by.of(TARGET), inside))
