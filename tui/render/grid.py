"""A window of a tensor as labelled cells of text; the cost depends on the window alone."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tui.render.text.numbers import cells
from tui.view.axes import changed_bits
from tui.view.number_format import NumberFormat

CellKind = Literal["normal", "nan", "inf", "zero"]


@dataclass(frozen=True)
class Cell:
    """One number: its text, whether its bits changed, and what deserves a colour.

    ``ranged``: it lies in the highlighted range of values.
    """

    text: str
    changed: bool
    kind: CellKind
    ranged: bool = False


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
