"""The norm of a tensor at a cost that does not grow with it: from a sample of its elements."""

import math

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Array

LIMIT = 2**16  # elements that are looked at
RUN = 64  # neighbours that are read together: memory comes in lines


def sampled(array: Array) -> NDArray[np.float64]:
    """At most LIMIT elements, (k,) in float64: runs of neighbours, spread evenly over the whole."""
    flat = array.reshape(-1)
    if flat.size > LIMIT:
        step = -(-flat.size * RUN // LIMIT)
        flat = flat[: flat.size // step * step].reshape(-1, step)[:, :RUN].reshape(-1)
    return flat.astype(np.float64)


def magnitude(array: Array) -> float:
    """The Euclidean (Frobenius) norm without overflow; beyond LIMIT elements an estimate.

    That is the root mean square of the sample times √size. NaN or ∞ where the sample has one.
    """
    taken = sampled(array)
    top = float(np.abs(taken).max(initial=0.0))
    if top == 0 or not math.isfinite(top):
        return top
    scaled = taken / top  # squares of large elements would overflow, and of small ones underflow
    return top * math.sqrt(float(scaled @ scaled) * array.size / max(1, taken.size))
