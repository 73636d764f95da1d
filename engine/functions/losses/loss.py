"""What a loss is: value, gradient, Jacobian and formulas, side by side.

``value`` and ``pull`` take the prediction ŷ (N, K) and the target y: (N, K), or class indices (N,).
One term is written down once: a batch adds the terms of whole tensors, the loss of one sample, a
column, those of its elements. Semantics and edge values follow PyTorch 2 (``torch.nn``).
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from engine.arrays import Array
from engine.formulas.batch import ELEMENT, WHOLE, Reciprocal, Summed, Writing
from engine.formulas.elements import Total
from engine.formulas.pieces import scaled
from engine.formulas.tree import (
    Formula,
    Fraction,
    Number,
    Size,
    Symbol,
    Times,
)
from engine.jacobian.operator import Jacobian, Point
from engine.jacobian.structures import Dense

Reduction = Literal["sum", "mean", "batch_mean"]
ROWS, OUTPUTS = Size("N"), Size("K")
WEIGHT, POSITIVE, TARGET = Symbol("w"), Symbol("w⁺"), Symbol("y")


@dataclass(frozen=True)
class Loss(ABC):
    """A scalar loss, scale · Σ terms / divisor, where ``reduction`` says what divides.

    ``sum`` divides by 1, ``batch_mean`` by N, and ``mean`` as PyTorch's: by the number of elements,
    or by the sum of the weights of the classes. ``takes_classes`` is whether a target may be a
    class index, ``takes_rows`` whether it may be a row. ``torch`` is its name in ``torch.nn``,
    ``torch_function`` that in ``torch.nn.functional``, ``torch_operands`` what either is called
    with and ``torch_lacks`` the options that it has not. ``picks`` is whether the largest output
    says the class, ``boundary`` the output from which a class is told, ``distance`` whether the
    loss measures how far ŷ is from y, ``targets`` where the targets lie, ``labels`` which numbers
    they are where they are few, and ``refuses`` whether others are refused, as in PyTorch.
    """

    type: ClassVar[str]
    torch: ClassVar[str]
    torch_function: ClassVar[str]
    torch_operands: ClassVar[str] = "{yhat}, {y}"
    torch_lacks: ClassVar[tuple[str, ...]] = ()
    torch_asks: ClassVar[tuple[str, ...]] = ()  # options with another default in PyTorch
    torch_means: ClassVar[bool] = True  # whether PyTorch's mean is one, and will stay it
    takes_classes: ClassVar[bool] = False
    takes_rows: ClassVar[bool] = True
    per_sample: ClassVar[bool] = False  # one term a sample, not one an element
    picks: ClassVar[bool] = False
    boundary: ClassVar[float | None] = None
    distance: ClassVar[bool] = False
    targets: ClassVar[tuple[float, float]] = (-math.inf, math.inf)
    labels: ClassVar[tuple[float, ...]] = ()
    refuses: ClassVar[bool] = False
    reduction: Reduction = "mean"
    scale: float = 1.0

    @abstractmethod
    def terms(self, yhat: Array, y: Array) -> Array:
        """The terms that the reduction adds up: (N, K), or (N,) where ``per_sample``."""

    @abstractmethod
    def slopes(self, yhat: Array, y: Array) -> Array:
        """The derivative (N, K) of the sum of the terms by the prediction, before the reduction."""

    @abstractmethod
    def target_slopes(self, yhat: Array, y: Array) -> Array:
        """The derivative (N, K) of the sum of the terms by a target (N, K), of rows."""

    def kinks(self, yhat: Array, y: Array) -> Array | None:
        """What changes its sign where the derivative jumps, any shape; None where it is smooth."""
        return None

    @abstractmethod
    def counted(self, yhat: Array, y: Array) -> float:
        """The divisor of the reduction ``mean``; 0 where every row is ignored."""

    @property
    @abstractmethod
    def count(self) -> Formula:
        """The divisor of ``mean`` for a batch: N, N K, Σ w[y]."""

    @abstractmethod
    def term(self, yhat: Formula, size: Size, by: Writing) -> Formula:
        """One term, of whole tensors or of element i; ``size`` is K."""

    @abstractmethod
    def slope(self, yhat: Formula, size: Size, by: Writing) -> tuple[float, Formula]:
        """The derivative of the sum of the terms by ŷ: a number, and what it is multiplied with."""

    @property
    def constants(self) -> Mapping[str, tuple[float, ...]]:
        """The weights that the formulas name, by their symbols."""
        return {}

    def divisor(self, yhat: Array, y: Array) -> float:
        """The divisor of this loss's reduction: 1, N or :meth:`counted`."""
        if self.reduction == "sum":
            return 1
        return len(yhat) if self.reduction == "batch_mean" else self.counted(yhat, y)

    def value(self, yhat: Array, y: Array) -> Array:
        """The loss, shape (), in the dtype of ŷ; NaN, as in PyTorch, for the mean of nothing."""
        # np.add.reduce is np.sum without its wrapper, which costs more than a small batch does
        total, divisor = np.add.reduce(self.terms(yhat, y), axis=None), self.divisor(yhat, y)
        factor = self.scale / divisor if divisor else math.nan
        return np.asarray(total * factor, dtype=yhat.dtype)

    def pull(self, yhat: Array, y: Array) -> Array:
        """The gradient ∂ℓ/∂ŷ (N, K); 0 where the loss is the mean of nothing."""
        divisor = self.divisor(yhat, y)
        factor = self.scale / divisor if divisor else 0.0
        slopes = self.slopes(yhat, y)
        return slopes if factor == 1 else slopes * factor

    def target_pull(self, yhat: Array, y: Array) -> Array:
        """The gradient ∂ℓ/∂y (N, K) by a target of rows; 0 for the mean of nothing."""
        divisor = self.divisor(yhat, y)
        return self.target_slopes(yhat, y) * (self.scale / divisor if divisor else 0.0)

    def jacobian(self, wrt: str, at: Point) -> Jacobian:
        """The Jacobian ∂ℓ/∂ŷ or ∂ℓ/∂y, one dense row; ``wrt`` is ``yhat`` or ``y``.

        Of a single sample, the loss is that of a batch which is this sample alone.
        """
        pull = self.pull if wrt == "yhat" else self.target_pull
        return Dense((), at.shape(wrt), at.dtype, lambda: pull(at.read("yhat"), at.read("y")))

    @property
    def prefix(self) -> tuple[Formula, ...]:
        """The factors before the sum of a batch: ½ and 1/N; none where there is nothing to say."""
        scale = Number(self.scale)
        if self.reduction == "sum":
            return (scale,)
        return scale, Reciprocal(ROWS if self.reduction == "batch_mean" else self.count)

    def formula(self, yhat: Formula, size: Size = OUTPUTS) -> Formula:
        """The right-hand side of ℓ = … for a batch."""
        return WHOLE.times(*self.prefix, Summed(self.term(yhat, size, WHOLE)))

    def gradient_formula(self, yhat: Formula, size: Size = OUTPUTS) -> Formula:
        """The right-hand side of ∂ℓ/∂ŷ = … for a batch."""
        number, slope = self.slope(yhat, size, WHOLE)
        return WHOLE.times(*self.prefix, scaled(number, slope))

    def total(self, yhat: Formula, size: Size) -> Formula:
        """The sum of the terms of one sample, a scalar."""
        term = self.term(yhat, size, ELEMENT)
        return term if self.per_sample else Total(term)

    def averaged(self, formula: Formula) -> Formula:
        """The formula divided by what one sample counts, for the reduction ``mean``."""
        return formula

    @property
    def over_elements(self) -> bool:
        """Whether one sample's loss is divided by K: the mean over elements, of N = 1."""
        return self.reduction == "mean" and not self.per_sample

    def sample_formula(self, yhat: Formula, size: Size) -> Formula:
        """The loss of one sample, a scalar, in its prediction ŷ (K×1)."""
        total = self.averaged(self.total(yhat, size))
        if self.over_elements:
            return Times((Fraction(Number(self.scale), size), total))
        return scaled(self.scale, total)

    def sample_slope(self, yhat: Formula, size: Size) -> Formula:
        """Element i of ∂ℓ/∂ŷ of one sample; its value is the column of all elements."""
        number, slope = self.slope(yhat, size, ELEMENT)
        return self.sample_weighted(slope, size, number)

    def sample_weighted(self, slope: Formula, size: Size, number: float = 1) -> Formula:
        """number · scale · slope, over K for a mean over the elements."""
        above = scaled(number * self.scale, self.averaged(slope))
        return Fraction(above, size) if self.over_elements else above


def weights(given: tuple[float, ...], like: Array) -> Array | float:
    """The weights of the outputs or classes (K,), in the dtype of ``like``; 1 where there are none.

    In that dtype, because a float64 array would promote a float32 loss.
    """
    return np.asarray(given, dtype=like.dtype) if given else 1.0
