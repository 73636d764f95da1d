"""A window of a tensor as labelled cells of text; the cost depends on the window alone."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tui.render.text.numbers import NumberFormat, cells, shape_text

CellKind = Literal["normal", "nan", "inf", "zero"]


@dataclass(frozen=True)
class Cell:
    """One number: its text, whether its bits changed, and what deserves a colour.

    ``ranged``: it lies in the range of values that a person has set.
    """

    text: str
    changed: bool
    kind: CellKind
    ranged: bool = False


@dataclass(frozen=True)
class Axes:
    """How a tensor of any rank is seen as a matrix.

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


@dataclass(frozen=True)
class Window:
    """The rows and columns of a matrix that are shown."""

    rows: range
    cols: range


@dataclass(frozen=True)
class GridWindow:
    """Column labels, row labels and rows of cells, padded so that columns line up.

    `window` is what is really shown, clipped to the matrix.
    """

    window: Window
    header: list[str]
    labels: list[str]
    cells: list[list[Cell]]


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


def _check_axes(array: NDArray[Any], axes: Axes) -> None:
    shown = [axis for axis in (axes.row, axes.col) if axis is not None]
    if len(axes.index) != array.ndim or len(set(shown)) != len(shown):
        raise ValueError(f"{axes} does not fit a tensor of shape {shape_text(array.shape)}")
    for axis in shown:
        if not 0 <= axis < array.ndim:
            raise ValueError(f"no axis {axis} in a tensor of shape {shape_text(array.shape)}")
    for axis, (index, length) in enumerate(zip(axes.index, array.shape, strict=True)):
        if axis not in shown and length and not 0 <= index < length:
            raise IndexError(f"index {index} is outside axis {axis}, which has {length} entries")


def grid_window(
    matrix: NDArray[Any],
    rows: range,
    cols: range,
    *,
    fmt: NumberFormat = NumberFormat.FIXED,
    digits: int = 4,
    before: NDArray[Any] | None = None,
) -> GridWindow:
    """The cells of `matrix` in `rows` and `cols`, which are clipped to what there is.

    A cell is changed if its bits differ from those of `before`, a matrix of the same shape (one
    of another shape or dtype: all are changed): NaN equals the same NaN, 0 differs from -0.
    """
    rows, cols = _clipped(rows, matrix.shape[0]), _clipped(cols, matrix.shape[1])
    inside = (slice(rows.start, rows.stop, rows.step), slice(cols.start, cols.stop, cols.step))
    window = matrix[inside]
    texts = cells(window, fmt, digits)
    changed = _changed(matrix, before, inside).tolist()
    kinds = _kinds(window)
    header = _header(cols, texts)
    found = [
        [
            Cell(text.rjust(len(label)), change, kind)
            for label, text, change, kind in zip(header, *row, strict=True)
        ]
        for row in zip(texts, changed, kinds, strict=True)
    ]
    return GridWindow(Window(rows, cols), header, _right_aligned([str(row) for row in rows]), found)


def changed_bits(before: NDArray[Any], after: NDArray[Any]) -> NDArray[np.bool_]:
    """Which elements of two arrays of one shape and dtype differ in any bit."""
    old, new = np.ascontiguousarray(before), np.ascontiguousarray(after)
    if new.dtype.kind == "f" and new.dtype.itemsize in (2, 4, 8):
        bits = f"u{new.dtype.itemsize}"
        return np.asarray(old.view(bits) != new.view(bits)).reshape(after.shape)
    return np.asarray(old != new).reshape(after.shape)


def _clipped(window: range, length: int) -> range:
    return range(max(0, window.start), max(0, min(length, window.stop)), max(1, window.step))


def _changed(
    matrix: NDArray[Any], before: NDArray[Any] | None, inside: tuple[slice, slice]
) -> NDArray[np.bool_]:
    window = matrix[inside]
    if before is None or before is matrix:
        return np.zeros(window.shape, dtype=np.bool_)
    if before.shape != matrix.shape or before.dtype != matrix.dtype:
        return np.ones(window.shape, dtype=np.bool_)
    return changed_bits(before[inside], window)


def _kinds(window: NDArray[Any]) -> list[list[CellKind]]:
    if window.dtype.kind not in "fiu":
        return [["normal"] * window.shape[1] for _ in range(window.shape[0])]
    names: tuple[CellKind, ...] = ("normal", "nan", "inf", "zero")
    codes = np.isnan(window) * 1 + np.isinf(window) * 2 + (window == 0) * 3
    return [[names[code] for code in row] for row in codes.tolist()]


def _header(cols: range, texts: list[list[str]]) -> list[str]:
    widths = [len(text) for text in texts[0]] if texts else [0] * len(cols)
    return [str(col).rjust(width) for col, width in zip(cols, widths, strict=True)]


def _right_aligned(labels: list[str]) -> list[str]:
    width = max((len(label) for label in labels), default=0)
    return [label.rjust(width) for label in labels]
