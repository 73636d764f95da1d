"""The absolute error."""

import numpy as np

from engine.arrays import Array
from engine.formulas.batch import Writing
from engine.formulas.elements import Absolute
from engine.formulas.named import Apply
from engine.formulas.pieces import SIGN
from engine.formulas.tree import Formula, Size
from engine.functions.losses.element_loss import ElementLoss, away


class L1(ElementLoss):
    """The absolute error |ŷ − y|, as ``torch.nn.L1Loss``; the subgradient at 0 is 0."""

    type = "l1"
    torch = "L1Loss"
    torch_function = "l1_loss"
    distance = True

    def terms(self, yhat: Array, y: Array) -> Array:
        return np.abs(yhat - y)

    def slopes(self, yhat: Array, y: Array) -> Array:
        d = yhat - y
        slopes: Array = (d > 0).astype(d.dtype) - (d < 0)  # 0 at NaN, as PyTorch has it
        return slopes

    def target_slopes(self, yhat: Array, y: Array) -> Array:
        return self.slopes(y, yhat)  # the terms are those of ŷ and y exchanged

    def kinks(self, yhat: Array, y: Array) -> Array | None:
        return yhat - y

    def term(self, yhat: Formula, size: Size, by: Writing) -> Formula:
        return Absolute(away(yhat, by))

    def slope(self, yhat: Formula, size: Size, by: Writing) -> tuple[float, Formula]:
        return 1, Apply(SIGN, away(yhat, by))
