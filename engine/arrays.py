"""The array type of the engine, and how an array becomes read-only, fit to be part of a State."""

import ctypes
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
Shape = tuple[int, ...]
LARGEST = 2**25 - 2**16  # bytes: just below the most that glibc takes from its heap by itself
MMAP_MAX, TRIM_THRESHOLD, ARENA_MAX = -4, -1, -8  # options of glibc's mallopt


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


def keep_memory(largest: int = 0) -> None:
    """Have the C library keep the memory of arrays that are let go, for those that come next.

    glibc hands it back to the system, a page fault each on its return, until it has seen a large
    array go; a training that lets go what it made had 450 of them an iteration. No page of this
    array is touched. Where the ``largest`` array, in bytes, is larger still, the C library is told
    so. Elsewhere it changes nothing.
    """
    np.empty(LARGEST, np.uint8)
    if largest > LARGEST:
        keep_large()


@cache
def keep_large() -> None:
    """Have glibc keep the memory of arrays of any size, in one heap whichever thread makes them.

    Else the system gives and takes the pages of each: a third of the time of an op that writes
    64 MiB, and many times that where it has to look for huge pages first. The heap shrinks again
    where more than 2 GiB of it are free.
    """
    try:
        tell = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # no glibc
        return
    for option, value in ((MMAP_MAX, 0), (TRIM_THRESHOLD, 2**31 - 1), (ARENA_MAX, 1)):
        tell(option, value)


def scalar(value: float, dtype: Any = np.float64) -> Array:
    """A number as a read-only array of shape (); a hyper-parameter is one in float64."""
    return frozen(np.asarray(value, dtype=dtype))
