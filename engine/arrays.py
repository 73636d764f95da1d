"""The array type of the engine, and how an array becomes read-only, fit to be part of a State."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
Shape = tuple[int, ...]
LARGEST = 2**25 - 2**16  # bytes: just below the most that glibc ever takes from its own heap


def frozen(array: Array) -> Array:
    """The same array, no copy, made read-only: writing to it raises ValueError from now on.

    States, the log of a session and the keyframes share arrays, and rely on them never changing.
    """
    # By position: the keyword takes twice as long, and flags.writeable more.
    array.setflags(False)  # type: ignore[call-arg]  # NumPy's own documentation allows it
    return array


# 0 and 1 in the usual types, for arithmetic with small arrays: a number of Python takes NumPy
# longer than the work itself.
ZEROS = {np.dtype(kind): frozen(np.zeros((), kind)) for kind in (np.float32, np.float64)}
ONES = {np.dtype(kind): frozen(np.ones((), kind)) for kind in (np.float32, np.float64)}


def keep_memory() -> None:
    """Have the C library keep the memory of arrays that are let go, for those that come next.

    glibc hands it back to the system, a page fault each on its return, until it has seen a large
    array go; a training that lets go what it made had 450 of them an iteration. No page of this
    array is touched. Elsewhere it changes nothing.
    """
    np.empty(LARGEST, np.uint8)


def scalar(value: float, dtype: Any = np.float64) -> Array:
    """A number as a read-only array of shape (); a hyper-parameter is one in float64."""
    return frozen(np.asarray(value, dtype=dtype))
