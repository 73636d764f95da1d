"""The negative log-likelihood of a normal distribution around the prediction."""

import math
from dataclasses import dataclass
from typing import ClassVar

from engine.arrays import Array
from engine.formulas.batch import WHOLE, Writing
from engine.formulas.elements import Log
from engine.formulas.roots import Pi
from engine.formulas.tree import ONE, Add, Formula, Fraction, Number, Size, Square
from engine.functions.losses.element_loss import ElementLoss, away
from engine.functions.options import NonNegative, Positive


@dataclass(frozen=True)
class GaussianNLL(ElementLoss):
    """½ (log v + (ŷ − y)²/v), as ``torch.nn.GaussianNLLLoss`` with one variance v for all.

    v is ``var``, at least ``eps``; ``full`` adds the constant ½ log 2π.
    """

    type: ClassVar[str] = "gaussian_nll"
    torch: ClassVar[str] = "GaussianNLLLoss"
    torch_function: ClassVar[str] = "gaussian_nll_loss"
    torch_operands: ClassVar[str] = "{yhat}, {y}, torch.full_like({y}, {var})"
    torch_lacks: ClassVar[tuple[str, ...]] = ("var",)
    distance: ClassVar[bool] = True
    var: NonNegative = 1.0
    full: bool = False
    eps: Positive = 1e-6

    @property
    def variance(self) -> float:
        """v, not below ``eps``."""
        return max(self.var, self.eps)

    def terms(self, yhat: Array, y: Array) -> Array:
        d = yhat - y
        constant = math.log(self.variance) + (math.log(2 * math.pi) if self.full else 0)
        out: Array = 0.5 * (d * d / self.variance + constant)
        return out

    def slopes(self, yhat: Array, y: Array) -> Array:
        return (yhat - y) / self.variance

    def target_slopes(self, yhat: Array, y: Array) -> Array:
        return (y - yhat) / self.variance

    @property
    def constant(self) -> Formula | None:
        """½ log(2π v), without what is not there: None for v = 1."""
        factors = (*((Number(2), Pi()) if self.full else ()), Number(self.variance))
        inside = WHOLE.times(*factors)
        return None if inside == ONE else WHOLE.times(Number(0.5), Log(inside))

    def term(self, yhat: Formula, size: Size, by: Writing) -> Formula:
        squared = Fraction(Square(away(yhat, by)), Number(2 * self.variance))
        return squared if self.constant is None else Add(squared, self.constant)

    def slope(self, yhat: Formula, size: Size, by: Writing) -> tuple[float, Formula]:
        d = away(yhat, by)
        return 1, d if self.variance == 1 else Fraction(d, Number(self.variance))
