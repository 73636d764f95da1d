"""Bounded samples of tensors of any size, without copying the whole tensor."""

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

EXACT = 2**18  # elements: at a key press all of so many are looked at
SAMPLE = 2**15  # of more, so many are: each lies in another line of the cache


@lru_cache(maxsize=256)
def bounded(size: int) -> int:
    """How many of a tensor's ``size`` elements statistics read: all up to EXACT, else SAMPLE."""
    return EXACT if size <= EXACT else SAMPLE


def sample_step(size: int, limit: int) -> int:
    """The stride through `size` elements that meets at most `limit` of them; 1 if all fit.

    It has no common factor with `size`, so that a walk over the flat elements visits every column
    of a matrix instead of the same one over and over.
    """
    limit = max(1, limit)
    step = -(-size // limit)
    while step > 1 and math.gcd(step, size) != 1:
        step += 1
    return max(1, step)


def flat_slice(array: NDArray[Any], window: slice) -> NDArray[Any]:
    """A slice of the elements in row-major order, whatever the memory order; copies it at most."""
    if array.flags.c_contiguous:
        return array.reshape(-1)[window]
    return np.asarray(array.flat[window])


def sample(array: NDArray[Any], limit: int) -> NDArray[Any]:
    """At most `limit` elements of `array`, 1-D, spread evenly; all of them if they fit."""
    return flat_slice(array, slice(None, None, sample_step(array.size, limit)))
