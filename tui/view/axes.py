"""How a tensor of any rank is seen as a matrix, and which of its bits have changed."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Axes:
    """The axes and indices by which a tensor of any rank is seen as a matrix.

    `row` and `col` are the axes that run down and across, None for one that is not there;
    `index` has an entry for every axis, of which those of `row` and `col` do not matter.
    """

    row: int | None
    col: int | None
    index: tuple[int, ...]

    @classmethod
    def default(cls, ndim: int) -> "Axes":
        """A vector as one row, otherwise the last two axes at index 0 of all others."""
        row = ndim - 2 if ndim >= 2 else None
        return cls(row, ndim - 1 if ndim >= 1 else None, (0,) * ndim)

    def tensor_index(self, row: int, col: int) -> tuple[int, ...]:
        """The index in the tensor of a cell of the matrix."""
        places = {self.row: row, self.col: col}
        return tuple(places.get(axis, fixed) for axis, fixed in enumerate(self.index))


def as_matrix(array: NDArray[Any], axes: Axes | None = None) -> NDArray[Any]:
    """A 2-D view of a tensor, never a copy; 0-d is 1×1.

    Raises ValueError for axes that the tensor does not have, IndexError for an index outside.
    """
    axes = axes or Axes.default(array.ndim)
    _check_axes(array, axes)
    shown = [axis for axis in (axes.row, axes.col) if axis is not None]
    others = [axis for axis in range(array.ndim) if axis not in shown]
    if any(array.shape[axis] == 0 for axis in others):
        return np.empty((0, 0), dtype=array.dtype)  # nothing there to index, nothing to copy
    moved = array.transpose([*others, *shown])
    place: tuple[Any, ...] = (*(axes.index[axis] for axis in others), ...)
    matrix: NDArray[Any] = moved[place]
    if axes.row is None:
        return np.expand_dims(matrix, 0 if shown else (0, 1))
    return matrix if axes.col is not None else np.expand_dims(matrix, 1)


def changed_bits(before: NDArray[Any], after: NDArray[Any]) -> NDArray[np.bool_]:
    """Which elements of two arrays of one shape and dtype differ in any bit."""
    old, new = np.ascontiguousarray(before), np.ascontiguousarray(after)
    if new.dtype.kind == "f" and new.dtype.itemsize in (2, 4, 8):
        bits = f"u{new.dtype.itemsize}"
        return np.asarray(old.view(bits) != new.view(bits)).reshape(after.shape)
    return np.asarray(old != new).reshape(after.shape)


def comparable(after: NDArray[Any], before: NDArray[Any] | None) -> bool:
    """Whether there is a value before, of the same shape and type."""
    return before is not None and before.shape == after.shape and before.dtype == after.dtype


def _check_axes(array: NDArray[Any], axes: Axes) -> None:
    shown = [axis for axis in (axes.row, axes.col) if axis is not None]
    if len(axes.index) != array.ndim or len(set(shown)) != len(shown):
        raise ValueError(f"{axes} does not fit a tensor of shape {array.shape}")
    for axis in shown:
        if not 0 <= axis < array.ndim:
            raise ValueError(f"no axis {axis} in a tensor of shape {array.shape}")
    for axis, (index, length) in enumerate(zip(axes.index, array.shape, strict=True)):
        if axis not in shown and length and not 0 <= index < length:
            raise IndexError(f"index {index} is outside axis {axis}, which has {length} entries")
