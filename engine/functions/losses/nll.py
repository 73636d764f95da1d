"""The negative log-likelihood of log-probabilities."""

from dataclasses import dataclass
from typing import ClassVar

from engine.arrays import Array
from engine.formulas.batch import Writing
from engine.formulas.tree import Formula, Negative, Size
from engine.functions.losses.class_loss import ClassLoss, one_hot, pick
from engine.functions.losses.loss import TARGET


@dataclass(frozen=True)
class NLL(ClassLoss):
    """−w[y] ŷ[y] of log-probabilities ŷ, the negative log-likelihood, as ``torch.nn.NLLLoss``."""

    type: ClassVar[str] = "nll"
    torch: ClassVar[str] = "NLLLoss"
    torch_function: ClassVar[str] = "nll_loss"
    takes_rows: ClassVar[bool] = False

    def terms(self, yhat: Array, y: Array) -> Array:
        return -pick(yhat, y) if self.plain else self.weighted_pick(yhat, y)

    def slopes(self, yhat: Array, y: Array) -> Array:
        if self.plain:
            return -one_hot(y, yhat)
        return -one_hot(self.kept(y), yhat) * self.row_weights(yhat, y)[:, None]

    def target_slopes(self, yhat: Array, y: Array) -> Array:
        return -yhat

    def term(self, yhat: Formula, size: Size, by: Writing) -> Formula:
        return self.picked(yhat, by)

    def slope(self, yhat: Formula, size: Size, by: Writing) -> tuple[float, Formula]:
        return 1, Negative(by.times(*self.row_weight, by.one_hot(TARGET, size)))
