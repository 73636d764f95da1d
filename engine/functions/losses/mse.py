"""The squared error."""

from engine.arrays import Array
from engine.formulas.batch import Writing
from engine.formulas.tree import Formula, Size, Square, SquaredNorm, Subtract
from engine.functions.losses.element_loss import ElementLoss, away
from engine.functions.losses.loss import TARGET


class MSE(ElementLoss):
    """The squared error (ŷ − y)² of each element, as ``torch.nn.MSELoss``."""

    type = "mse"
    torch = "MSELoss"
    torch_function = "mse_loss"
    distance = True

    def terms(self, yhat: Array, y: Array) -> Array:
        d = yhat - y
        return d * d

    def slopes(self, yhat: Array, y: Array) -> Array:
        return 2 * (yhat - y)

    def target_slopes(self, yhat: Array, y: Array) -> Array:
        return 2 * (y - yhat)

    def pull(self, yhat: Array, y: Array) -> Array:
        # 2/N first, as PyTorch has it: 2 (ŷ − y) may overflow where their product does not, and
        # otherwise a factor of 2 changes no bit
        divisor = self.divisor(yhat, y)
        return (yhat - y) * (2 * self.scale / divisor if divisor else 0.0)

    def target_pull(self, yhat: Array, y: Array) -> Array:
        return self.pull(y, yhat)  # the terms are those of ŷ and y exchanged

    def term(self, yhat: Formula, size: Size, by: Writing) -> Formula:
        return Square(away(yhat, by))

    def total(self, yhat: Formula, size: Size) -> Formula:
        return SquaredNorm(Subtract(yhat, TARGET))

    def slope(self, yhat: Formula, size: Size, by: Writing) -> tuple[float, Formula]:
        return 2, away(yhat, by)
