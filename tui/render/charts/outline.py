"""A long series as what a curve needs of it: the extremes in every column of dots.

Only what has come since the last look is read, so that a step costs the same however long a run is.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Array
from tui.render.charts.curve import dot_cells
from tui.render.text.scaling import Floats, position

DECADES = 3.0  # a range beyond which a linear axis shows a floor and a wall
Indices = NDArray[np.intp]
Ends = tuple[float, float]


class Places(Protocol):
    """Where the values of a series lie on its axis: never further left than the value before."""

    def of(self, start: int, stop: int) -> NDArray[np.int64]:
        """The places of the values number ``start`` up to ``stop``, (stop − start,)."""

    def before(self, place: int) -> int:
        """How many values lie before a place."""


class OneEach:
    """A value at each place, the first one at 0."""

    def of(self, start: int, stop: int) -> NDArray[np.int64]:
        """The numbers themselves, (stop − start,)."""
        return np.arange(start, stop, dtype=np.int64)

    def before(self, place: int) -> int:
        """As many as the place says."""
        return place


ONE_EACH = OneEach()


@dataclass(frozen=True)
class Grid:
    """How an axis lies on columns: place i of ``span`` is in column i · columns // span."""

    span: int
    columns: int

    def column(self, index: int) -> int:
        """The column of dots of place ``index``."""
        return index * self.columns // self.span

    def first(self, column: int) -> int:
        """The first place in a column, or after it."""
        return -(-column * self.span // self.columns)


@dataclass(frozen=True, eq=False)
class Outline:
    """For every column (n,) that holds a value its first, lowest, highest and last one (n, 4).

    NaN and infinities are NaN here; ``broken`` (n,) are the columns that hold one.
    """

    columns: Indices
    points: Floats
    broken: NDArray[np.bool_]

    @classmethod
    def of(cls, values: Array, grid: Grid, start: int = 0, places: Places = ONE_EACH) -> "Outline":
        """The outline of the values from ``start`` on, which is the first of its column."""
        new = np.asarray(values[start:], np.float64)
        if not new.size:
            nothing = np.zeros(0)
            return cls(nothing.astype(np.intp), np.zeros((0, 4)), nothing.astype(np.bool_))
        columns = places.of(start, len(values)) * grid.columns // grid.span
        starts = np.flatnonzero(np.diff(columns, prepend=-1))
        lost = ~np.isfinite(new)
        known = np.where(lost, np.nan, new)
        ends = np.append(starts[1:], len(new)) - 1
        lowest, highest = np.fmin.reduceat(known, starts), np.fmax.reduceat(known, starts)
        points = np.stack([known[starts], lowest, highest, known[ends]], axis=1)
        return cls(columns[starts].astype(np.intp), points, np.logical_or.reduceat(lost, starts))

    def until(self, column: int) -> "Outline":
        """The outline of the columns before ``column``."""
        count = int(np.searchsorted(self.columns, column))
        return Outline(self.columns[:count], self.points[:count], self.broken[:count])

    def followed_by(self, other: "Outline") -> "Outline":
        """The columns of both, those of ``other`` behind."""
        return Outline(
            np.concatenate([self.columns, other.columns]),
            np.concatenate([self.points, other.points]),
            np.concatenate([self.broken, other.broken]),
        )

    def dots(self, ends: Ends, log: bool, width: int, height: int) -> Indices:
        """The braille bits of ``height`` rows of ``width`` characters, the largest value on top."""
        if not len(self.columns):
            return np.zeros((height, width), np.intp)
        return drawn(self, ends, log, width, height)


@lru_cache(maxsize=4)  # most key presses leave the losses as they are
def drawn(outline: Outline, ends: Ends, log: bool, width: int, height: int) -> Indices:
    """An outline as braille bits (height, width), read-only: it is shared by the cache."""
    values, limits = outline.points, np.array(ends)
    if log:
        values, limits = np.log10(values), np.log10(limits)
    rows = np.floor(position(values, *limits.tolist()) * (4 * height - 1) + 0.5)
    found: Indices = dot_cells(rows.reshape(-1), np.repeat(outline.columns, 4), width, height)
    found.setflags(write=False)
    return found


def ends_of(outlines: Iterable[Outline]) -> Ends | None:
    """The smallest and the largest finite value; None where there is none."""
    known = [one.points[~np.isnan(one.points)] for one in outlines]
    known = [values for values in known if values.size]
    if not known:
        return None
    return min(float(v.min()) for v in known), max(float(v.max()) for v in known)


def needs_log(ends: Ends | None) -> bool:
    """Whether only magnitudes can be told apart: all values positive, over more than a thousand."""
    return ends is not None and ends[0] > 0 and math.log10(ends[1]) - math.log10(ends[0]) > DECADES


@dataclass(frozen=True, eq=False)
class Kept:
    """An outline with what it was made of, to tell whether it can be gone on with."""

    series: object
    grid: Grid
    count: int
    last: float
    outline: Outline

    def begins(self, series: object, grid: Grid, values: Array) -> bool:
        """Whether these values begin with those of the outline; judged by the last of them."""
        if (self.series, self.grid) != (series, grid) or not 0 < self.count <= len(values):
            return False
        return bool(np.array_equal(values[self.count - 1], self.last, equal_nan=True))


class Outlines:
    """The outlines of a few series by name; each is extended as its series grows."""

    def __init__(self) -> None:
        self.kept: dict[str, Kept] = {}

    def of(
        self,
        name: str,
        series: object,
        values: Array,
        grid: Grid,
        places: Places = ONE_EACH,
    ) -> Outline:
        """The outline of a series. It has grown since the last time, unless ``series`` is new."""
        known = self.kept.get(name)
        if known is not None and known.begins(series, grid, values):
            if known.count == len(values):
                return known.outline
            open_column = grid.column(int(places.of(known.count - 1, known.count)[0]))
            new = Outline.of(values, grid, places.before(grid.first(open_column)), places)
            outline = known.outline.until(open_column).followed_by(new)
        else:
            outline = Outline.of(values, grid, places=places)
        last = float(values[-1]) if len(values) else math.nan
        self.kept[name] = Kept(series, grid, len(values), last, outline)
        return outline
