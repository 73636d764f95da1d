"""The losses of one sample as formulas, and their derivatives by the prediction.

One sample is a batch of N = 1: a mean over the elements divides by K, any other one by nothing.
"""

from dataclasses import dataclass

import numpy as np

from engine.arrays import Array
from engine.formulas.elements import Absolute, At, AtLeast, Case, Cases, Compare, Log, Total
from engine.formulas.tree import (
    Add,
    Apply,
    Formula,
    Fraction,
    Function,
    Negative,
    Number,
    Size,
    SquaredNorm,
    Subtract,
    Symbol,
    Times,
)
from engine.nn.class_loss_rules import WEIGHT, ClassRule, product
from engine.nn.class_losses import ClassLoss
from engine.nn.element_losses import BCE_EPSILON, LOG_FLOOR, Huber
from engine.nn.loss import Loss
from engine.nn.rules import ONE, SIGMA, latex_name, operator, scaled

POSITIVE = Symbol("w⁺")
SIGN = Function("sign", operator("sign"), np.sign)


@dataclass(frozen=True)
class LossRule:
    """A loss of one sample as formulas: its value, and element i of its derivative by ŷ.

    ``size`` is K; ``classes`` is whether the target is a class index.
    """

    loss: Loss
    size: Size
    classes: bool

    @property
    def y(self) -> Symbol:
        """The symbol of the target: a column (K×1), or a class index (1×1)."""
        return Symbol("y")

    @property
    def mean(self) -> bool:
        """Whether one sample's loss is divided by K: the mean over elements, of N = 1."""
        return self.loss.reduction == "mean" and not self.loss.per_sample

    def weighted(self, total: Formula) -> Formula:
        """The total times scale and, for a mean over the elements, 1/K."""
        scale = self.loss.scale
        if not self.mean:
            return scaled(scale, total)
        return Times((Fraction(Number(scale), self.size), total))

    def slope_weighted(self, slope: Formula, number: float = 1) -> Formula:
        """number · scale · slope, over K for a mean over the elements."""
        above = scaled(number * self.loss.scale, slope)
        return Fraction(above, self.size) if self.mean else above

    def value(self, yhat: Formula) -> Formula:
        """The loss of one sample, a scalar, in its prediction ŷ (K×1)."""
        y, d = self.y, Subtract(yhat, self.y)
        match self.loss.type:
            case "mse":
                return self.weighted(SquaredNorm(d))
            case "l1":
                return self.weighted(Total(Absolute(Subtract(At(yhat), At(y)))))
            case "huber":
                return self.weighted(
                    Total(Apply(huber_function(self.loss), Subtract(At(yhat), At(y))))
                )
            case "bce":
                return self.weighted(Total(self.entropy(At(yhat))))
            case "bce_with_logits":
                return self.weighted(Total(self.entropy(At(Apply(SIGMA, yhat)), floor=-np.inf)))
            case _:
                return self.weighted(self.of_classes.value(yhat))

    @property
    def of_classes(self) -> ClassRule:
        """The rule of cross_entropy and nll; an AssertionError for any other loss."""
        assert isinstance(self.loss, ClassLoss)
        return ClassRule(self.loss, self.size, self.classes)

    @property
    def constants(self) -> dict[str, tuple[float, ...]]:
        """The weights that the formulas name: w one a class or output, w⁺ for targets of 1."""
        fields = {WEIGHT.name: "weight", POSITIVE.name: "pos_weight"}
        found = {name: getattr(self.loss, field, ()) for name, field in fields.items()}
        return {name: numbers for name, numbers in found.items() if numbers}

    def factors(self, symbol: Symbol) -> tuple[Formula, ...]:
        """Element i of the weights ``symbol`` as a factor; none where the loss has none of them."""
        return (At(symbol),) if symbol.name in self.constants else ()

    def entropy(self, p: Formula, floor: float = LOG_FLOOR) -> Formula:
        """The binary cross-entropy −wᵢ [wᵢ⁺ yᵢ log p + (1 − yᵢ) log(1 − p)] of element i.

        ``floor`` is where the logarithms are clamped: −100 for bce, nowhere for bce_with_logits.
        """
        y = At(self.y)
        one = Times((*self.factors(POSITIVE), y, Log(p, floor)))
        zero = Times((Subtract(ONE, y), Log(Subtract(ONE, p), floor)))
        return Negative(product((*self.factors(WEIGHT), Add(one, zero))))

    def slope(self, yhat: Formula) -> Formula:
        """Element i of ∂ℓ/∂ŷ; its value is the column of all elements."""
        a, y = At(yhat), At(self.y)
        d = Subtract(a, y)
        match self.loss.type:
            case "mse":
                return self.slope_weighted(d, 2)
            case "l1":
                return self.slope_weighted(Apply(SIGN, d))
            case "huber":
                return self.slope_weighted(self.clipped(d))
            case "bce":
                return self.slope_of_bce(a, d)
            case "bce_with_logits":
                return self.slope_weighted(self.slope_of_logits(At(Apply(SIGMA, yhat))))
            case _:
                return self.slope_weighted(self.of_classes.slope(yhat))

    def slope_of_bce(self, a: Formula, d: Formula) -> Formula:
        """wᵢ (ŷᵢ − yᵢ) / (K ŷᵢ(1 − ŷᵢ)), the denominator clamped as in the loss's own gradient."""
        variance = AtLeast(Times((a, Subtract(ONE, a))), BCE_EPSILON)
        below = Times((self.size, variance)) if self.mean else variance
        return Fraction(scaled(self.loss.scale, product((*self.factors(WEIGHT), d))), below)

    def slope_of_logits(self, p: Formula) -> Formula:
        """wᵢ (pᵢ − yᵢ), or wᵢ ((wᵢ⁺ yᵢ + 1 − yᵢ) pᵢ − wᵢ⁺ yᵢ) with ``pos_weight``; p = σ(ŷ)."""
        y = At(self.y)
        slope = Subtract(p, y)
        if positive := self.factors(POSITIVE):
            ones = Times((*positive, y))
            slope = Subtract(Times((Add(ones, Subtract(ONE, y)), p)), ones)
        return product((*self.factors(WEIGHT), slope))

    def clipped(self, d: Formula) -> Formula:
        """The derivative of the Huber function: d where |d| < δ, else δ sign(d)."""
        assert isinstance(self.loss, Huber)
        delta = self.loss.delta
        within = Case(d, (Compare(Absolute(d), "<", Number(delta)),))
        return Cases((within,), scaled(delta, Apply(SIGN, d)))


def huber_function(loss: Loss) -> Function:
    """The Huber function of a difference d, named with its δ, and its definition for a note."""
    assert isinstance(loss, Huber)
    delta = loss.delta

    def evaluate(d: Array) -> Array:
        size = np.abs(d)
        return np.where(size < delta, 0.5 * d * d, delta * (size - 0.5 * delta))

    setting = "" if delta == 1 else f"[{Number(delta).text()}]"
    number = "" if delta == 1 else f"{Number(delta).text()} "
    meaning = (
        f"½d² if |d| < {Number(delta).text()}, else {number}(|d| − {Number(delta / 2).text()})"
    )
    name = f"huber{setting}"
    return Function(name, operator(latex_name(name)), evaluate, f"{name}(d) = {meaning}")
