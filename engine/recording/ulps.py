"""How far two floats are apart, counted in representable numbers between them."""

from typing import Any

import numpy as np

INTEGERS = {4: np.int32, 8: np.int64}


def ulps_between(a: Any, b: Any) -> int | None:
    """Units in the last place between two float32 or float64 of one dtype; None where one is NaN.

    The distance of −0 and 0 is 0.
    """
    a, b = np.asarray(a), np.asarray(b)
    if np.isnan(a) or np.isnan(b):
        return None
    return abs(ordinal(a) - ordinal(b))


def ordinal(value: Any) -> int:
    """The number of a float when all floats of its dtype are counted from 0 upwards."""
    bits = int(value.view(INTEGERS[value.dtype.itemsize]))
    lowest = -(2 ** (8 * value.dtype.itemsize - 1))
    return bits if bits >= 0 else lowest - bits
