"""The product of many matrices, in an order that needs no search."""

from collections.abc import Sequence
from functools import reduce

import numpy as np

from engine.arrays import Array


def multiplied(matrices: Sequence[Array]) -> Array:
    """The product of matrices that conform, from the thinnest place outwards to both sides.

    Of a derivative of a scalar, which has a side of 1, that is the cheapest order. To search for
    one, as NumPy's multi_dot does, takes the cube of the number of factors.
    """
    sides = [matrices[0].shape[0], *(matrix.shape[1] for matrix in matrices)]
    middle = sides.index(min(sides))
    halves = []
    if middle:
        halves.append(reduce(lambda right, left: left @ right, reversed(matrices[:middle])))
    if middle < len(matrices):
        halves.append(reduce(np.matmul, matrices[middle:]))
    return halves[0] if len(halves) == 1 else halves[0] @ halves[1]
