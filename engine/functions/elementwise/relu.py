"""The rectified linear unit."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.arrays import ZEROS, Array, frozen
from engine.formulas.elements import Compare
from engine.formulas.named import Positive
from engine.formulas.pieces import Branch
from engine.formulas.tree import ZERO, Formula
from engine.functions.function import Elementwise, Terms

# the integer as wide as a float of so many bytes
BITS: dict[int, type[np.signedinteger]] = {4: np.int32, 8: np.int64}
ONES = {width: frozen(np.ones((), kind)) for width, kind in BITS.items()}  # see arrays.ONES


def zeroed(values: Array, where: NDArray[np.bool_]) -> Array:
    """The values (float32 or float64) with +0 where ``where`` holds, all other bits unchanged.

    The bits are masked: a branch an element, as in ``np.where``, takes eight times as long, and
    a product with 0 would make NaN of an infinity.
    """
    bits: Any = BITS[values.itemsize]
    kept: Any = where.astype(bits)
    # 1 becomes 0, no bit; 0 becomes −1, which is all of them in two's complement
    kept -= ONES[values.itemsize]
    kept &= values.view(bits)
    result: Array = kept.view(values.dtype)
    return result


class ReLU(Elementwise):
    """max(z, 0), the rectified linear unit; the subgradient at 0 is 0, and NaN passes both ways."""

    type = "relu"
    torch = "ReLU"
    interval = (0.0, math.inf)
    rising = True
    name = "ReLU"
    cost = 1
    temporaries = 0
    kinks = (0.0,)

    def value(self, x: Array) -> Array:
        return np.maximum(x, ZEROS.get(x.dtype, 0))

    def pull(self, grad: Array, at: Array) -> Array:
        # not at > 0, which would stop the gradient at NaN
        return zeroed(grad, np.less_equal(at, ZEROS.get(at.dtype, 0)))

    def formula(self, t: Terms) -> Formula:
        return Positive(t["input"])

    def slope(self, t: Terms) -> Formula:
        return Branch(Compare(t["input"], ">", ZERO))
