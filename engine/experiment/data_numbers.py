"""Numbers of data on their way into a dataset: in the dtype of a run, as classes, standardized.

Whatever is wrong with them is a :class:`DataProblem`.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Array
from engine.experiment.data_problem import DataProblem
from engine.experiment.data_table import MAX_CLASSES


def whole_numbers(y: Array) -> bool:
    """Whether targets could be class indices, NaN and infinities apart."""
    return bool((np.isfinite(y) & (y == np.floor(y))).all())


def converted(values: Array, field: str, dtype: str) -> Array:
    """The values in the experiment's dtype; a DataProblem where a number becomes an infinity."""
    with np.errstate(over="ignore"):
        out: Array = values.astype(dtype)
    lost = np.argwhere(np.isinf(out) & np.isfinite(values))
    if len(lost):
        where = tuple(lost[0].tolist())
        number, place = values[where], ", ".join(map(str, where))
        raise DataProblem(field, f"{number:g} at [{place}] is too large for {dtype}")
    return out


def kept(values: Array, field: str, dtype: str) -> Any:
    """Integers and booleans as int64, any other values in the experiment's dtype.

    Raises DataProblem where a number becomes an infinity, or an integer is beyond 64 bits.
    """
    if values.dtype.kind not in "biu":
        return converted(values, field, dtype)
    if values.dtype.kind == "u" and values.max(initial=0) > np.iinfo(np.int64).max:
        raise DataProblem(field, f"{values.max()} is beyond the integers of 64 bits with a sign")
    return values.astype(np.int64)


def class_indices(y: Array, ignored: int | None = None) -> Any:
    """Flat targets as int64; a DataProblem where one is no whole number from 0 and not ignored."""
    wrong = ~((y >= 0) & (y < MAX_CLASSES) & (y == np.floor(y)))
    if ignored is not None:
        wrong &= y != ignored
    if wrong.any():
        i = int(np.argmax(wrong))
        said = f"flat targets are class indices, whole numbers from 0, but y[{i}] is {y[i]:g}"
        raise DataProblem("y", said)
    return y.astype(np.int64)


def standardized(x: Array, rows: NDArray[np.int64] | None = None) -> Array:
    """Each element of a sample with mean 0 and deviation 1 (over N); a constant one becomes 0.

    Mean and deviation are those of ``rows``, or of all; what is constant there stays a difference.
    """
    x = x.astype(np.float64)
    known = x if rows is None else x[rows]
    with np.errstate(all="ignore"):  # data may hold NaN and infinities
        # Equal elements, and not a deviation of 0: rounding can leave a constant column one.
        constant = known.min(axis=0) == known.max(axis=0)
        spread = np.where(constant, 1, known.std(axis=0))
        middle = np.where(constant, known[0], known.mean(axis=0))
        out: Array = np.where(x == middle, 0, (x - middle) / spread)
    return out
