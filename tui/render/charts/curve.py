"""Series of numbers as curves of braille dots and one-line sparks; no value is ever lost.

A character holds 2×4 dots. The first value stands in the first column of dots and the last in the
last, as many columns as the curve has; several values in a column show as their whole range.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tui.render.text.scaling import Floats, position

BLOCKS = "▁▂▃▄▅▆▇█"
_BRAILLE = 0x2800
# The bit of each dot of a braille character, by row and column (Unicode, Braille Patterns).
_DOT_BITS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]], dtype=np.intp)
_DOTS_DOWN, _DOTS_ACROSS = 4, 2

Series = Sequence[float] | NDArray[Any]


def braille_curve(
    values: Series,
    width: int,
    height: int,
    *,
    log: bool = False,
    between: tuple[float, float] | None = None,
) -> list[str]:
    """`height` strings of `width` characters, the largest finite value on top.

    NaN and infinities are gaps, and so are values ≤ 0 on a `log` axis. A constant series runs
    through the middle. `between` are the ends of the axis that several curves share.
    """
    width, height = max(0, width), max(0, height)
    if width == 0 or height == 0:
        return [""] * height
    dots = np.zeros((height * _DOTS_DOWN, width * _DOTS_ACROSS), dtype=np.bool_)
    ends = None if between is None else tuple(_axis_values(between, log).tolist())
    rows = _dot_rows(_axis_values(values, log), dots.shape[0], ends)
    columns = _columns(rows.size, dots.shape[1])
    _draw_ranges(dots, rows, columns)
    _draw_joins(dots, rows, columns)
    return _braille(dots)


def dot_cells(rows: Floats, columns: NDArray[np.intp], width: int, height: int) -> NDArray[np.intp]:
    """The braille bits of `height` × `width` characters with a curve through points in dots.

    `columns` do not fall; `rows` count from the lowest, and NaN is a gap.
    """
    dots = np.zeros((height * _DOTS_DOWN, width * _DOTS_ACROSS), dtype=np.bool_)
    _draw_ranges(dots, rows, columns)
    _draw_joins(dots, rows, columns)
    return _bits(dots)


def nonfinite_columns(values: Series, width: int) -> list[bool]:
    """For each of the `width` characters of a curve: does a NaN or an infinity fall there?"""
    series = _axis_values(values, log=False)
    marked = np.zeros(max(0, width), dtype=np.bool_)
    if width > 0:
        columns = _columns(series.size, width * _DOTS_ACROSS) // _DOTS_ACROSS
        marked[columns[~np.isfinite(series)]] = True
    return [bool(mark) for mark in marked]


def cursor_column(index: int, n: int, width: int) -> int:
    """The character of a curve of `n` values where the one at `index` stands; clipped to 0..w-1."""
    if n <= 1 or width <= 0:
        return 0
    index = min(max(0, index), n - 1)
    place = _columns_of(np.array([index]), n, width * _DOTS_ACROSS)
    return int(place[0]) // _DOTS_ACROSS


def block_spark(values: Series, width: int) -> str:
    """One line of `width` characters ▁..█, `!` where a value is not finite.

    Fewer values than `width` leave spaces behind them; of more, a column shows its largest.
    """
    width = max(0, width)
    series = _axis_values(values, log=False)
    if width == 0 or series.size == 0:
        return " " * width
    levels = _dot_rows(series, len(BLOCKS))
    columns = min(width, series.size)
    starts = np.arange(columns) * series.size // columns
    highest = np.maximum.reduceat(levels, starts)  # NaN wins
    return "".join("!" if np.isnan(h) else BLOCKS[int(h)] for h in highest).ljust(width)


def _axis_values(values: Series, log: bool) -> Floats:
    series = np.asarray(values, dtype=np.float64).reshape(-1)
    if not log:
        return series
    return np.log10(series, out=np.full(series.shape, np.nan), where=series > 0)


def _dot_rows(series: Floats, count: int, ends: tuple[float, ...] | None = None) -> Floats:
    """The rows of dots, 0 the lowest, of finite values; NaN for the others."""
    finite = series[np.isfinite(series)]
    if finite.size == 0:
        return np.full(series.shape, np.nan)
    low, high = ends or (float(finite.min()), float(finite.max()))
    height = position(series, low, high)
    with np.errstate(invalid="ignore"):
        rows = np.floor(height * (count - 1) + 0.5)
    return np.where(np.isfinite(series), rows, np.nan)


def _columns_of(index: NDArray[np.intp], n: int, columns: int) -> NDArray[np.intp]:
    """The nearest of `columns` for indices of n ≥ 2 values."""
    return (2 * index * (columns - 1) + n - 1) // (2 * (n - 1))


def _columns(n: int, columns: int) -> NDArray[np.intp]:
    index = np.arange(n, dtype=np.intp)
    return _columns_of(index, n, columns) if n > 1 else index


def _draw_ranges(dots: NDArray[np.bool_], rows: Floats, columns: NDArray[np.intp]) -> None:
    known = np.isfinite(rows)
    if not known.any():
        return
    rows, columns = rows[known], columns[known]
    starts = np.flatnonzero(np.diff(columns, prepend=-1))
    lows, highs = np.minimum.reduceat(rows, starts), np.maximum.reduceat(rows, starts)
    for column, low, high in zip(columns[starts], lows, highs, strict=True):
        dots[int(low) : int(high) + 1, column] = True


def _draw_joins(dots: NDArray[np.bool_], rows: Floats, columns: NDArray[np.intp]) -> None:
    """Lines between neighbours in different columns; a gap is never bridged."""
    joined = np.isfinite(rows[1:]) & np.isfinite(rows[:-1]) & (columns[1:] > columns[:-1])
    for left in np.flatnonzero(joined):
        _draw_line(dots, columns[left], rows[left], columns[left + 1], rows[left + 1])


def _draw_line(dots: NDArray[np.bool_], x0: int, y0: float, x1: int, y1: float) -> None:
    """Each column gets the rows that the line crosses within half a column to either side."""
    slope = (y1 - y0) / (x1 - x0)
    for x in range(x0, x1 + 1):
        before = y0 + slope * (max(x - 0.5, x0) - x0)
        after = y0 + slope * (min(x + 0.5, x1) - x0)
        low, high = sorted((before, after))
        # Half a dot belongs to the neighbour below, so that a diagonal is one dot thick.
        bottom = math.floor(low + 0.5)
        dots[bottom : max(bottom, math.ceil(high - 0.5)) + 1, x] = True


def _bits(dots: NDArray[np.bool_]) -> NDArray[np.intp]:
    down, across = dots.shape[0] // _DOTS_DOWN, dots.shape[1] // _DOTS_ACROSS
    blocks = dots[::-1].reshape(down, _DOTS_DOWN, across, _DOTS_ACROSS).swapaxes(1, 2)
    return np.asarray((blocks * _DOT_BITS).sum(axis=(2, 3)), dtype=np.intp)


def _braille(dots: NDArray[np.bool_]) -> list[str]:
    return ["".join(map(chr, row)) for row in (_BRAILLE + _bits(dots)).tolist()]
