"""The array type of the engine, and how an array becomes read-only, fit to be part of a State."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
Shape = tuple[int, ...]


def frozen(array: Array) -> Array:
    """The same array, no copy, made read-only: writing to it raises ValueError from now on.

    States, the log of a session and the keyframes share arrays, and rely on them never changing.
    """
    array.setflags(write=False)  # takes half as long as flags.writeable
    return array


def scalar(value: float, dtype: Any = np.float64) -> Array:
    """A number as a read-only array of shape (); a hyper-parameter is one in float64."""
    return frozen(np.asarray(value, dtype=dtype))
