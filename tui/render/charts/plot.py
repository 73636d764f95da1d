"""Curves with axes: ticks with labels, several series with marks of their own, the cursor.

Each series has a colour and a symbol that stands at the end of its curve, so that curves are told
apart without colour too. NaN and infinities are gaps with a `!` over them.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from tui.render.charts.curve import dot_cells
from tui.render.text.line import Line, fitted
from tui.render.text.numbers import compact
from tui.render.text.scaling import Floats, position

SYMBOLS = "●▲■◆▼○△□◇"
ROLES = ("curve", "changed", "shape", "symbol", "good", "warn", "tensor-loss", "label", "name")
SYMBOLS_ASIDE = 24  # columns that a symbol may stand aside of the end of its curve
LABELS = 8  # the width of the labels at the left
DOTS_ACROSS, DOTS_DOWN = 2, 4
BRAILLE = 0x2800
Cell = tuple[str, str]


@dataclass(frozen=True, eq=False)
class Curve:
    """A curve: x does not fall; y may be anything. ``style`` is its place among the symbols."""

    name: str
    x: Floats
    y: Floats
    style: int

    @property
    def symbol(self) -> str:
        """What stands on the curve and in the legend."""
        return SYMBOLS[self.style % len(SYMBOLS)]

    @property
    def role(self) -> str:
        """The role that gives the curve its colour."""
        return ROLES[self.style % len(ROLES)]


@dataclass(frozen=True)
class Frame:
    """The part of the plane that is seen; ``y`` None fits what there is.

    ``log``: a logarithmic y axis, on which values ≤ 0 are gaps. ``own``: every series on its own
    scale.
    """

    x: tuple[float, float]
    y: tuple[float, float] | None = None
    log: bool = False
    own: bool = False


def plot_lines(
    series: Sequence[Curve],
    frame: Frame,
    width: int,
    height: int,
    cursor: float | None = None,
    x_label: Callable[[float], str] = lambda x: compact(x, 7),
    unit: float = 1.0,
    empty: str = "",
) -> list[Line]:
    """``height`` lines of ``width`` cells: the curves, the axis below them, its labels.

    Ticks of the x axis stand at multiples of ``unit``. What has no room is left out, never wrong.
    ``empty`` is what to say where no series has a value.
    """
    if width <= LABELS + 2 or height < 3:
        return [fitted([], max(0, width)) for _ in range(max(0, height))]
    down, across = height - 2, width - LABELS - 1
    clipped = [seen(one, frame) for one in series]
    limits = frame.y or y_limits(clipped)
    cells: list[list[Cell]] = [[(" ", "")] * across for _ in range(down)]
    draw_cursor(cells, frame, cursor, across)
    # The first curve last, so that it lies over the others.
    drawn = [
        (one, draw(cells, one, frame, y_limits([one]) if frame.own else limits))
        for one in reversed(clipped)
    ]
    draw_symbols(cells, list(reversed(drawn)))
    known = any(np.isfinite(one.y).any() for one in clipped)
    if not any(len(one.x) for one in clipped):
        write(cells[down // 2], f" {empty} ")
    labels = y_labels(limits, frame, down) if known or frame.y else [""] * down
    lines = [
        [(label.rjust(LABELS), "dim"), ("┤" if label else "│", "dim"), *merged(row)]
        for label, row in zip(labels, cells, strict=True)
    ]
    return [fitted(line, width) for line in [*lines, *x_axis(frame, across, x_label, unit, cursor)]]


def seen(series: Curve, frame: Frame) -> Curve:
    """What lies in the frame, with the logarithm taken; cut at the edges, where curves go on."""
    y = np.asarray(series.y, np.float64)
    broken = ~np.isfinite(y)
    if frame.log:
        y = np.log10(y, out=np.full(y.shape, np.nan), where=y > 0)
    y = np.where(broken, np.inf, y)  # from here on infinity is what is marked, NaN a plain gap
    x = np.asarray(series.x, np.float64)
    first = max(0, int(np.searchsorted(x, frame.x[0], "left")) - 1)
    last = min(len(x), int(np.searchsorted(x, frame.x[1], "right")) + 1)
    x, y = x[first:last], y[first:last]
    if not len(x):
        return Curve(series.name, x, y, series.style)
    edges = np.clip(x, *frame.x)
    with np.errstate(all="ignore"):
        cut = np.where(edges == x, y, np.interp(edges, x, y))
    if len(x) == 1 and edges[0] != x[0]:
        edges, cut = edges[:0], cut[:0]
    return Curve(series.name, edges, cut, series.style)


def y_limits(series: Sequence[Curve]) -> tuple[float, float]:
    """The smallest and the largest finite value; 0 and 1 where there is none."""
    values = [one.y[np.isfinite(one.y)] for one in series]
    known = [(float(v.min()), float(v.max())) for v in values if v.size]
    if not known:
        return 0.0, 1.0
    return min(low for low, _ in known), max(high for _, high in known)


def draw(
    cells: list[list[Cell]], series: Curve, frame: Frame, limits: tuple[float, float]
) -> NDArray[np.intp]:
    """A curve over what is there, a ``!`` where a value is not finite; the dots of each cell."""
    down, across = len(cells), len(cells[0])
    columns = columns_of(series.x, frame, across * DOTS_ACROSS)
    top = down * DOTS_DOWN - 1
    with np.errstate(all="ignore"):
        rows = np.floor(position(series.y, *limits) * top + 0.5)
    rows = np.where(np.isfinite(rows) & (rows >= 0) & (rows <= top), rows, np.nan)
    bits: NDArray[np.intp] = dot_cells(rows, columns, across, down)
    for y, x in zip(*np.nonzero(bits), strict=True):
        # Where curves cross, the cell has the dots of both.
        old = ord(cells[y][x][0]) - BRAILLE
        under = old if 0 < old < 256 else 0
        cells[y][x] = chr(BRAILLE + (int(bits[y, x]) | under)), series.role
    for column in np.unique(columns[np.isinf(series.y)] // DOTS_ACROSS):
        cells[0][int(column)] = "!", "bad"
    return bits


def write(row: list[Cell], text: str) -> None:
    """Write a text in the middle of a row, if it has room there."""
    start = (len(row) - len(text)) // 2
    if text.strip() and start >= 0:
        row[start : start + len(text)] = [(letter, "dim") for letter in text]


def draw_symbols(cells: list[list[Cell]], drawn: Sequence[tuple[Curve, NDArray[np.intp]]]) -> None:
    """Each curve's symbol where it ends; where another's stands there, further left on it."""
    taken: set[tuple[int, int]] = set()
    for one, bits in drawn:
        found = list(islice(ends_at(bits, one.y), SYMBOLS_ASIDE))
        free = (at for at in found if at not in taken and cells[at[0]][at[1]][0] != "!")
        place = next(free, None)
        if place is not None:
            taken.add(place)
            cells[place[0]][place[1]] = one.symbol, one.role


def ends_at(bits: NDArray[np.intp], y: Floats) -> Iterator[tuple[int, int]]:
    """The cells of a curve from its right end on; there the one to which it rises or falls."""
    finite = y[np.isfinite(y)]
    falls = len(finite) > 1 and bool(finite[-1] < finite[-2])
    for x in np.flatnonzero(bits.any(axis=0))[::-1]:
        rows = np.flatnonzero(bits[:, x])
        yield int(rows[-1] if falls else rows[0]), int(x)


def columns_of(x: Floats, frame: Frame, columns: int) -> NDArray[np.intp]:
    """The columns of braille dots, 0 to ``columns`` - 1, of places on the x axis."""
    low, high = frame.x
    share = (x - low) / (high - low) if high > low else np.full(x.shape, 0.5)
    return np.clip(np.floor(share * (columns - 1) + 0.5), 0, columns - 1).astype(np.intp)


def draw_cursor(cells: list[list[Cell]], frame: Frame, cursor: float | None, across: int) -> None:
    """Draw a line from top to bottom at the cursor."""
    column = cursor_column(frame, cursor, across)
    if column is not None:
        for row in cells:
            row[column] = "┊", "key"


def cursor_column(frame: Frame, cursor: float | None, across: int) -> int | None:
    """The character column of the cursor; None where it is out of the frame."""
    if cursor is None or not frame.x[0] <= cursor <= frame.x[1]:
        return None
    return int(columns_of(np.array([cursor]), frame, across * DOTS_ACROSS)[0]) // DOTS_ACROSS


def merged(row: Sequence[Cell]) -> Line:
    """Cells as spans, neighbours of one role together."""
    line: Line = []
    for text, role in row:
        if line and line[-1][1] == role:
            line[-1] = (line[-1][0] + text, role)
        else:
            line.append((text, role))
    return line


def ticks(low: float, high: float, most: int, unit: float = 0.0) -> list[float]:
    """At most ``most`` multiples of 1, 2 or 5 times a power of ten, or of ``unit``, inside."""
    span = high - low
    if not math.isfinite(span) or span <= 0 or most < 1:
        return []
    power = 10.0 ** math.floor(math.log10(span / most)) if span / most > 0 else 0.0
    scale = unit or 1.0
    power = max(power / scale, 1.0) if unit else power
    power = 10.0 ** math.floor(math.log10(power) + 1e-9) if power > 0 else 0.0
    for factor in (1, 2, 5, 10, 20, 50, 100):
        step = factor * power * scale
        if step <= 0:
            return []
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first < most:
            return [n * step for n in range(first, last + 1)]
    return []


def y_labels(limits: tuple[float, float], frame: Frame, down: int) -> list[str]:
    """A label for some of the rows; on scales of their own, shares of each series' range."""
    labels = [""] * down
    low, high = (0.0, 100.0) if frame.own else limits
    top = down * DOTS_DOWN - 1
    most = max(2, down // 3)
    places = ticks(low, high, most, 1.0) if frame.log and not frame.own else []
    if len(places) < 2:
        places = ticks(low, high, most) or [low]
    for value in places:
        where = float(position(np.array([value]), low, high)[0])
        row = down - 1 - math.floor(where * top + 0.5) // DOTS_DOWN
        if 0 <= row < down:
            labels[row] = y_label(value, frame)
    return labels


def y_label(value: float, frame: Frame) -> str:
    """A number beside the y axis: a value, the power of a logarithm, or a percentage."""
    if frame.own:
        return f"{value:g}%"
    if frame.log:
        return compact(10.0**value, LABELS) if abs(value) < 300 else f"1e{value:.4g}"
    return compact(0.0 if abs(value) < 1e-300 else value, LABELS)


def x_axis(
    frame: Frame,
    across: int,
    x_label: Callable[[float], str],
    unit: float,
    cursor: float | None,
) -> list[Line]:
    """The axis with its ticks, and the labels under them."""
    axis, labels = ["─"] * across, [" "] * across
    free = 0
    origin = -unit if unit > 1 else 0.0  # iterations are counted from 1
    low, high = (x - origin for x in frame.x)
    for place in ticks(low, high, max(2, across // 12), unit):
        value = place + origin
        column = int(columns_of(np.array([value]), frame, across * DOTS_ACROSS)[0]) // DOTS_ACROSS
        axis[column] = "┬"
        text = x_label(value)
        start = max(0, min(across - len(text), column - len(text) // 2))
        if start >= free and start + len(text) <= across:
            labels[start : start + len(text)] = text
            free = start + len(text) + 1
    line: Line = [(" " * LABELS + "└", "dim")]
    here = cursor_column(frame, cursor, across)
    if here is None:
        line.append(("".join(axis), "dim"))
    else:
        line += [("".join(axis[:here]), "dim"), ("▲", "key"), ("".join(axis[here + 1 :]), "dim")]
    return [line, [(" " * (LABELS + 1) + "".join(labels), "dim")]]
