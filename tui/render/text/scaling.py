"""Arithmetic on finite values of any magnitude, from subnormal to 1.8e308, without overflow."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
POWERS = 1022  # exponents below which a power of two is a normal float64


def binary_exponent(values: NDArray[Any]) -> int:
    """The e of max|v| = f·2^e with ½ ≤ f < 1; 0 if there is no value but zero. Finite values."""
    if values.size == 0:
        return 0
    return math.frexp(max(abs(float(values.min())), abs(float(values.max()))))[1]


def scaled(values: NDArray[Any], exponent: int) -> Floats:
    """values · 2^-exponent, exact but for underflow; in (-1, 1) for the values' own exponent."""
    wide = values.astype(np.float64)
    with np.errstate(all="ignore"):
        if abs(exponent) < POWERS:  # a product with a power of two is ldexp, ten times as fast
            return np.asarray(wide * math.ldexp(1.0, -exponent))
        return np.asarray(np.ldexp(wide, -exponent))


def position(values: NDArray[Any], low: float, high: float) -> Floats:
    """Where values lie between finite `low` (0.0) and `high` (1.0); 0.5 if the two are equal.

    Values outside lie outside; NaN and infinities stay what they are.
    """
    exponent = binary_exponent(np.array([low, high], dtype=np.float64))
    with np.errstate(all="ignore"):
        bottom, top = math.ldexp(low, -exponent), math.ldexp(high, -exponent)
        if bottom == top:
            return np.where(np.isfinite(values), 0.5, values).astype(np.float64)
        return np.asarray((scaled(values, exponent) - bottom) / (top - bottom))
