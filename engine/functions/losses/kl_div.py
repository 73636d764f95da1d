"""The Kullback–Leibler divergence of log-probabilities."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine.arrays import Array
from engine.formulas.batch import Writing
from engine.formulas.elements import Log
from engine.formulas.named import Apply
from engine.formulas.tree import Formula, Negative, Size, Subtract
from engine.functions.elementwise.exp import EXP
from engine.functions.losses.element_loss import ElementLoss
from engine.functions.losses.loss import TARGET

FLOOR = -1e3  # of log y in the formula: y log y is 0 where y is


@dataclass(frozen=True)
class KLDiv(ElementLoss):
    """y (log y − ŷ) of log-probabilities ŷ and probabilities y, as ``torch.nn.KLDivLoss``.

    With ``log_target`` y is the logarithm of the probabilities: exp(y) (y − ŷ). The divergence of a
    distribution is the sum over its elements, of which ``batch_mean`` is the mean.
    """

    type: ClassVar[str] = "kl_div"
    torch: ClassVar[str] = "KLDivLoss"
    torch_function: ClassVar[str] = "kl_div"
    torch_means: ClassVar[bool] = False  # PyTorch warns that it will divide by the rows alone
    picks: ClassVar[bool] = True
    log_target: bool = False

    def probabilities(self, y: Array) -> Array:
        """The probabilities (N, K) that the targets stand for."""
        return np.exp(y) if self.log_target else y

    def terms(self, yhat: Array, y: Array) -> Array:
        if self.log_target:
            return np.exp(y) * (y - yhat)
        with np.errstate(divide="ignore", invalid="ignore"):
            entropies = np.where(y == 0, y, y * np.log(y))
        out: Array = entropies - y * yhat
        return out

    def slopes(self, yhat: Array, y: Array) -> Array:
        return -self.probabilities(y)

    def target_slopes(self, yhat: Array, y: Array) -> Array:
        return np.exp(y) * (y - yhat + 1) if self.log_target else np.log(y) + 1 - yhat

    def share(self, by: Writing) -> Formula:
        """The probabilities of the targets."""
        return Apply(EXP, by.of(TARGET)) if self.log_target else by.of(TARGET)

    def term(self, yhat: Formula, size: Size, by: Writing) -> Formula:
        target = by.of(TARGET)
        logs = target if self.log_target else Log(target, FLOOR)
        return by.times(self.share(by), Subtract(logs, by.of(yhat)))

    def slope(self, yhat: Formula, size: Size, by: Writing) -> tuple[float, Formula]:
        return 1, Negative(self.share(by))
