"""The absolute error with a round corner."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine.arrays import Array
from engine.formulas.batch import Writing
from engine.formulas.elements import Absolute, Compare
from engine.formulas.named import Apply, Named, word
from engine.formulas.pieces import SIGN, Branch, Clip
from engine.formulas.tree import Formula, Fraction, Number, Size, Square, Subtract, Symbol
from engine.functions.function import setting
from engine.functions.losses.element_loss import ElementLoss, away
from engine.functions.options import NonNegative


@dataclass(frozen=True)
class SmoothL1(ElementLoss):
    """½d²/beta where |d| < beta, else |d| − ½ beta, with d = ŷ − y; huber divided by beta.

    As ``torch.nn.SmoothL1Loss`` (Girshick 2015); with beta = 0 it is the absolute error.
    """

    type: ClassVar[str] = "smooth_l1"
    torch: ClassVar[str] = "SmoothL1Loss"
    torch_function: ClassVar[str] = "smooth_l1_loss"
    distance: ClassVar[bool] = True
    beta: NonNegative = 1.0

    def of_difference(self, d: Array) -> Array:
        """The function of each difference."""
        size = np.abs(d)
        if self.beta == 0:
            return size
        return np.where(size < self.beta, 0.5 * size * size / self.beta, size - 0.5 * self.beta)

    def terms(self, yhat: Array, y: Array) -> Array:
        return self.of_difference(yhat - y)

    def slopes(self, yhat: Array, y: Array) -> Array:
        d = yhat - y
        if self.beta:
            return np.clip(d / self.beta, -1, 1)
        signs: Array = (d > 0).astype(d.dtype) - (d < 0)  # 0 at NaN, as PyTorch has it
        return signs

    def target_slopes(self, yhat: Array, y: Array) -> Array:
        return -self.slopes(yhat, y)

    def kinks(self, yhat: Array, y: Array) -> Array | None:
        return yhat - y if self.beta == 0 else None

    def definition(self, d: Formula) -> Branch:
        """The function in its pieces."""
        far = Subtract(Absolute(d), Number(self.beta / 2))
        near = Fraction(Square(d), Number(2 * self.beta))
        return Branch(Compare(Absolute(d), "<", Number(self.beta)), near, far)

    @property
    def named(self) -> Named:
        """The function by its name, with β where it is not 1."""
        name = f"smoothL1{setting(self.beta, 1)}"
        said = f"{name}(d) = {self.definition(Symbol('d')).cases.text()}"
        return Named(name, word(name), self.of_difference, said)

    def term(self, yhat: Formula, size: Size, by: Writing) -> Formula:
        d = away(yhat, by)
        return Apply(self.named, d) if self.beta else Absolute(d)

    def slope(self, yhat: Formula, size: Size, by: Writing) -> tuple[float, Formula]:
        d = away(yhat, by)
        if self.beta == 0:
            return 1, Apply(SIGN, d)
        clip = Clip(d if self.beta == 1 else Fraction(d, Number(self.beta)), 1)
        return 1, clip.cases if by.index else clip
