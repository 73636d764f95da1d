"""The Huber loss."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine.arrays import Array
from engine.formulas.batch import WHOLE, Writing
from engine.formulas.elements import Absolute, Compare
from engine.formulas.named import Apply, Named, word
from engine.formulas.pieces import Branch, Clip
from engine.formulas.tree import Formula, Number, Size, Square, Subtract, Symbol
from engine.functions.function import setting
from engine.functions.losses.element_loss import ElementLoss, away
from engine.functions.options import Positive


@dataclass(frozen=True)
class Huber(ElementLoss):
    """½d² where |d| < delta, else delta (|d| − ½ delta), with d = ŷ − y (Huber 1964)."""

    type: ClassVar[str] = "huber"
    torch: ClassVar[str] = "HuberLoss"
    torch_function: ClassVar[str] = "huber_loss"
    distance: ClassVar[bool] = True
    delta: Positive = 1.0

    def of_difference(self, d: Array) -> Array:
        """The Huber function of each difference."""
        size = np.abs(d)
        far = self.delta * (size - 0.5 * self.delta)
        return np.where(size < self.delta, 0.5 * size * size, far)

    def terms(self, yhat: Array, y: Array) -> Array:
        return self.of_difference(yhat - y)

    def slopes(self, yhat: Array, y: Array) -> Array:
        return np.clip(yhat - y, -self.delta, self.delta)

    def target_slopes(self, yhat: Array, y: Array) -> Array:
        return -self.slopes(yhat, y)

    def definition(self, d: Formula) -> Branch:
        """The Huber function in its pieces."""
        size = Absolute(d)
        far = WHOLE.times(Number(self.delta), Subtract(size, Number(self.delta / 2)))
        near = WHOLE.times(Number(0.5), Square(d))
        return Branch(Compare(size, "<", Number(self.delta)), near, far)

    @property
    def named(self) -> Named:
        """The Huber function by its name, with δ where it is not 1."""
        name = f"huber{setting(self.delta, 1)}"
        said = f"{name}(d) = {self.definition(Symbol('d')).cases.text()}"
        return Named(name, word(name), self.of_difference, said)

    def term(self, yhat: Formula, size: Size, by: Writing) -> Formula:
        return Apply(self.named, away(yhat, by))

    def slope(self, yhat: Formula, size: Size, by: Writing) -> tuple[float, Formula]:
        clip = Clip(away(yhat, by), self.delta)
        return 1, clip.cases if by.index else clip
