"""Products of Jacobians that simplify: what cancels between the last activation and the loss."""

from engine.formulas.batch import ELEMENT
from engine.formulas.elements import At
from engine.formulas.named import Apply
from engine.formulas.tree import (
    Chain,
    Formula,
    Hadamard,
    Partial,
    Size,
    Subtract,
    Symbol,
    Transpose,
)
from engine.functions.elementwise.exp import EXP
from engine.functions.elementwise.sigmoid import Sigmoid
from engine.functions.function import Function
from engine.functions.losses.bce import BCE
from engine.functions.losses.loss import TARGET, WEIGHT, Loss
from engine.functions.losses.nll import NLL
from engine.functions.softmax import LogSoftmax
from engine.worksheet.rows import Shortcut
from engine.worksheet.sample import LOSS


def shortcut(
    function: Function, loss: Loss, yhat: Symbol, z: Symbol, size: Size
) -> Shortcut | None:
    """The simplified ∂ℓ/∂z of ŷ = function(z): sigmoid with bce, log_softmax with nll; else None.

    It is without its value.
    """
    if isinstance(function, Sigmoid) and isinstance(loss, BCE):
        away: Formula = Subtract(yhat, TARGET)
        away = Hadamard(WEIGHT, away) if loss.weight else away
        right = loss.sample_weighted(Transpose(away), size)
        remark = (
            "σ′ cancels: BCE learns from a confidently wrong output, the squared error does not"
        )
    elif isinstance(function, LogSoftmax) and isinstance(loss, NLL):
        slope = loss.less_one_hot(At(Apply(EXP, yhat)), size, ELEMENT)
        right = Transpose(loss.sample_weighted(slope, size))
        remark = "the probabilities minus the one-hot target"
    else:
        return None
    factors = (Partial(LOSS, yhat.name), Partial(yhat.name, z.name))
    return Shortcut(Chain(factors), Partial(LOSS, z.name), right, remark, None)
