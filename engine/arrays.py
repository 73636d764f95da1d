"""The array type of the engine, and the one way an array becomes part of a State."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
Shape = tuple[int, ...]


def frozen(array: Array) -> Array:
    """The same array, read-only: whoever holds it may rely on it never changing."""
    array.setflags(write=False)  # takes half as long as flags.writeable
    return array


def scalar(value: float, dtype: Any = np.float64) -> Array:
    """A read-only array of shape ()."""
    return frozen(np.asarray(value, dtype=dtype))
