"""The angle between prediction and target."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine.arrays import Array
from engine.formulas.batch import ELEMENT, OTHER, Writing
from engine.formulas.elements import Total
from engine.formulas.roots import Cube, Length
from engine.formulas.tree import ONE, Formula, Fraction, Size, Subtract, Times
from engine.functions.losses.loss import ROWS, TARGET, Loss

EPSILON = 1e-12  # PyTorch adds it to both squared lengths, so that a row of zeros has a cosine, 0


def length(rows: Array) -> Array:
    """The length of each row, (N, 1)."""
    out: Array = np.sqrt(np.add.reduce(rows * rows, axis=1, keepdims=True) + EPSILON)
    return out


@dataclass(frozen=True)
class Cosine(Loss):
    """1 − ŷ·y / (‖ŷ‖ ‖y‖) of each row, as ``torch.nn.CosineEmbeddingLoss`` of pairs that agree."""

    type: ClassVar[str] = "cosine"
    torch: ClassVar[str] = "CosineEmbeddingLoss"
    torch_function: ClassVar[str] = "cosine_embedding_loss"
    torch_operands: ClassVar[str] = "{yhat}, {y}, torch.ones(len({y}))"
    per_sample: ClassVar[bool] = True

    def counted(self, yhat: Array, y: Array) -> float:
        return len(yhat)

    @property
    def count(self) -> Formula:
        return ROWS

    def terms(self, yhat: Array, y: Array) -> Array:
        dot = np.add.reduce(yhat * y, axis=1, keepdims=True)
        out: Array = 1 - dot / (length(yhat) * length(y))
        return out[:, 0]

    def slopes(self, yhat: Array, y: Array) -> Array:
        dot = np.add.reduce(yhat * y, axis=1, keepdims=True)
        of, to = length(yhat), length(y)
        out: Array = yhat * (dot / (of * of * of * to)) - y / (of * to)
        return out

    def target_slopes(self, yhat: Array, y: Array) -> Array:
        return self.slopes(y, yhat)  # the cosine is that of y and ŷ exchanged

    def dot(self, yhat: Formula, of: Writing) -> Total:
        """ŷ·y, a sum over the index of ``of``."""
        return Total(of.times(of.of(yhat), of.of(TARGET)), of.index or "j")

    def lengths(self, yhat: Formula) -> tuple[Length, Length]:
        """‖ŷ‖ and ‖y‖."""
        return Length(yhat, EPSILON), Length(TARGET, EPSILON)

    def term(self, yhat: Formula, size: Size, by: Writing) -> Formula:
        dot = self.dot(yhat, ELEMENT if by.index else OTHER)
        return Subtract(ONE, Fraction(dot, Times(self.lengths(yhat), spaced=True)))

    def slope(self, yhat: Formula, size: Size, by: Writing) -> tuple[float, Formula]:
        of, to = self.lengths(yhat)
        along = Fraction(self.dot(yhat, OTHER), Times((Cube(of), to), spaced=True))
        across = Fraction(by.of(TARGET), Times((of, to), spaced=True))
        return 1, Subtract(by.times(by.of(yhat), along), across)
