"""Inverted dropout: in training, elements are set to zero at random and the others scaled up.

The mask has 1/(1 − p) where an element is kept and 0 where it is dropped, as in PyTorch, so that
the expectation of an output is its input (Srivastava et al. 2014, scaled in training instead of
evaluation). It depends on (seed, place of the layer, iteration) alone, so that going back and
replaying give it again. The random numbers are NumPy's, in float64 whatever the dtype, so that
float32 drops the same elements.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from engine.arrays import Array, Shape
from engine.formulas.tree import Formula, Hadamard
from engine.functions.function import Elementwise, Terms
from engine.functions.options import Probability
from engine.streams import stream

MASKS = 2**31 + 1  # keeps the streams of masks apart from those of initial values and shuffling


@dataclass(frozen=True)
class Dropout(Elementwise):
    """z ⊙ m in training; ``p`` is the probability of an element to be dropped.

    ``value`` is the identity of evaluation mode, so that metrics never drop anything; the forward
    op of a training step multiplies with :meth:`mask` instead, and ``pull`` reads that mask.
    """

    type: ClassVar[str] = "dropout"
    torch: ClassVar[str] = "Dropout"
    pulls: ClassVar[tuple[str, ...]] = ("mask",)
    name: ClassVar[str] = "dropout"
    straight: ClassVar[bool] = True
    p: Probability = 0.5

    def value(self, x: Array) -> Array:
        return x

    def pull(self, grad: Array, at: Array) -> Array:
        return grad * at

    def formula(self, t: Terms) -> Formula:
        return Hadamard(t["input"], t["mask"])

    def slope(self, t: Terms) -> Formula:
        return t["mask"]

    def remark(self, t: Terms) -> str:
        return f"{t['mask'].text()} = [u ≥ {self.p:g}] / {1 - self.p:g}, u random"

    @property
    def scale(self) -> float:
        """1 / (1 − p), the factor of a kept element; 0 for p = 1, where nothing is kept."""
        return 1 / (1 - self.p) if self.p < 1 else 0.0

    def mask(self, seed: int, place: int, iteration: int, shape: Shape, dtype: Any) -> Array:
        """The mask of one iteration, of this shape (N, d) and dtype: 0 or ``scale``.

        ``place`` is the layer's in the network, from 0; ``iteration`` counts from 1.
        """
        kept = stream(seed, MASKS, place, iteration).random(shape) >= self.p
        mask: Array = kept * np.dtype(dtype).type(self.scale)
        return mask
