"""The part of a tensor of any rank that is seen as a matrix, chosen by axes or a NumPy slice."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import GradstepError
from tui.view.axes import Axes, as_matrix

ALL = slice(None)
STRETCH = re.compile(r"(-?\d+)?:(-?\d+)?(?::(-?\d+)?)?\Z")


@dataclass(frozen=True)
class Region:
    """Which axes run down and across, the index of the others, and the stretches of the two."""

    axes: Axes
    rows: slice = field(default_factory=lambda: ALL)
    cols: slice = field(default_factory=lambda: ALL)

    @staticmethod
    @lru_cache(maxsize=64)
    def default(ndim: int) -> "Region":
        """The last two axes at index 0 of all others."""
        return Region(Axes.default(ndim))

    @staticmethod
    def of(shape: Sequence[int]) -> "Region":
        """What is shown of a shape at first: its last two axes, at index 0 of all others.

        Axes of length 1 at the end are left out where there are two before them: columns (N, n, 1)
        are shown with a row for each sample.
        """
        last = len(shape)
        while last > 2 and shape[last - 1] == 1:
            last -= 1
        whole = Region.default(len(shape))
        if last == len(shape):
            return whole
        return Region(replace(whole.axes, row=last - 2, col=last - 1))

    def fits(self, shape: Sequence[int]) -> bool:
        """Whether a tensor of this shape has the region's axes and indices."""
        axes = self.axes
        if len(axes.index) != len(shape):
            return False
        shown = (axes.row, axes.col)
        return all(
            axis in shown or index < max(1, length)
            for axis, (index, length) in enumerate(zip(axes.index, shape, strict=True))
        )

    def row_range(self, shape: Sequence[int]) -> range:
        """The indices along the axis that runs down."""
        return stretch_of(self.axes.row, self.rows, shape)

    def col_range(self, shape: Sequence[int]) -> range:
        """The indices along the axis that runs across."""
        return stretch_of(self.axes.col, self.cols, shape)

    def matrix(self, array: NDArray[Any]) -> NDArray[Any]:
        """The elements as a matrix that shares the tensor's memory."""
        rows = ALL if self.axes.row is None else self.rows
        cols = ALL if self.axes.col is None else self.cols
        return as_matrix(array, self.axes)[rows, cols]

    def index_at(self, shape: Sequence[int], row: int, col: int) -> tuple[int, ...]:
        """The tensor's index of a cell of the matrix."""
        return self.axes.tensor_index(self.row_range(shape)[row], self.col_range(shape)[col])

    def showing(self, shape: Sequence[int], index: tuple[int, ...]) -> "Region":
        """The same axes at another index of the others, with stretches that hold the index."""
        axes = self.axes
        kept = [at if axis in self.hidden else axes.index[axis] for axis, at in enumerate(index)]
        found = replace(self, axes=replace(axes, index=tuple(kept)))
        if axes.row is not None and index[axes.row] not in self.row_range(shape):
            found = replace(found, rows=ALL)
        if axes.col is not None and index[axes.col] not in self.col_range(shape):
            found = replace(found, cols=ALL)
        return found

    def place_of(self, shape: Sequence[int], index: tuple[int, ...]) -> tuple[int, int]:
        """The cell that shows an index, which lies in the region."""
        axes = self.axes
        row = 0 if axes.row is None else self.row_range(shape).index(index[axes.row])
        return row, 0 if axes.col is None else self.col_range(shape).index(index[axes.col])

    @property
    def hidden(self) -> list[int]:
        """The axes that are neither rows nor columns."""
        shown = (self.axes.row, self.axes.col)
        return [axis for axis in range(len(self.axes.index)) if axis not in shown]

    def transposed(self) -> "Region":
        """Rows as columns and columns as rows."""
        axes = replace(self.axes, row=self.axes.col, col=self.axes.row)
        return Region(axes, self.cols, self.rows)

    def other_axes(self, by: int) -> "Region":
        """The next choice of rows and columns among the axes, all of them at full length."""
        ndim = len(self.axes.index)
        if ndim < 2:
            return self.transposed()
        last = (ndim - 2, ndim - 1)
        pairs = sorted(permutations(range(ndim), 2), key=lambda pair: pair != last)
        now = (self.axes.row, self.axes.col)
        at = pairs.index((now[0], now[1])) if now in pairs else -by
        row, col = pairs[(at + by) % len(pairs)]
        return Region(replace(self.axes, row=row, col=col))

    def other_index(self, shape: Sequence[int], by: int) -> "Region":
        """The next index of the axes that are not shown, the last of them first; around at the end.

        Without such axes, or without elements, the region stays as it is.
        """
        hidden = self.hidden
        sizes = [shape[axis] for axis in hidden]
        if not hidden or 0 in sizes:
            return self
        index = list(self.axes.index)
        flat = int(np.ravel_multi_index([index[axis] for axis in hidden], sizes))
        flat = (flat + by) % int(np.prod(sizes, dtype=object))
        for axis, place in zip(hidden, np.unravel_index(flat, sizes), strict=True):
            index[axis] = int(place)
        return replace(self, axes=replace(self.axes, index=tuple(index)))

    def text(self) -> str:
        """The slice as a person types it: ``0, :, 2:8``."""
        return ", ".join(self._parts("", ""))

    @property
    def key(self) -> tuple[object, ...]:
        """What tells one slice of a tensor from another: the axes, their stretches, the places."""
        row, col = self.axes.row, self.axes.col
        places = enumerate(self.axes.index)
        others = tuple(place for axis, place in places if axis not in (row, col))
        return row, col, self.rows, self.cols, others

    def label(self) -> str:
        """The slice with arrows at the axes that run down and across: ``[0, :↓, 2:8→]``."""
        return f"[{', '.join(self._parts('↓', '→'))}]"

    def _parts(self, down: str, across: str) -> list[str]:
        parts = [str(place) for place in self.axes.index]
        if self.axes.row is not None:
            parts[self.axes.row] = stretch_text(self.rows) + down
        if self.axes.col is not None:
            parts[self.axes.col] = stretch_text(self.cols) + across
        return parts


def stretch_of(axis: int | None, stretch: slice, shape: Sequence[int]) -> range:
    """The indices that a stretch of an axis holds; one place where there is no axis."""
    return range(1) if axis is None else range(shape[axis])[stretch]


def stretch_text(stretch: slice) -> str:
    """A slice as NumPy writes it: ``2:8``, ``::2``, ``:``."""
    ends = ["" if end is None else str(end) for end in (stretch.start, stretch.stop)]
    return ":".join(ends) + ("" if stretch.step is None else f":{stretch.step}")


def parse_region(text: str, shape: Sequence[int], now: Region) -> Region:
    """The region of a NumPy slice: numbers fix an axis, the last two stretches are shown.

    Brackets may be left out, ``...`` stands for all axes between. A full ``:`` that is not shown
    keeps its present index. Raises GradstepError with what is wrong.
    """
    items = expanded(split_items(text), shape)
    index = [min(at, max(0, n - 1)) for at, n in zip(now.axes.index, shape, strict=True)]
    stretches: list[tuple[int, slice]] = []
    for axis, item in enumerate(items):
        if ":" in item:
            stretches.append((axis, parse_stretch(item)))
        else:
            index[axis] = parse_index(item, axis, shape[axis])
    for axis, stretch in stretches[:-2]:
        if stretch != ALL:
            raise GradstepError(
                f"only two axes can be shown: give axis {axis} a number instead of"
                f" {stretch_text(stretch)}"
            )
    shown = stretches[-2:]
    row = shown[0] if len(shown) == 2 else (None, ALL)
    col = shown[-1] if shown else (None, ALL)
    # Rows and columns that were swapped stay so.
    keep_order = (now.axes.row, now.axes.col) == (col[0], row[0]) and row[0] is not None
    region = Region(Axes(row[0], col[0], tuple(index)), row[1], col[1])
    return region.transposed() if keep_order else region


def split_items(text: str) -> list[str]:
    """The entries of a slice, without brackets and blanks."""
    inner = text.strip().removeprefix("[").removesuffix("]")
    return [item.strip().replace(" ", "") for item in inner.split(",") if item.strip()]


def expanded(items: list[str], shape: Sequence[int]) -> list[str]:
    """One entry for every axis; raises GradstepError where there are too many."""
    if items.count("...") > 1:
        raise GradstepError("only one ... can stand in a slice")
    if "..." not in items:
        items = [*items, "..."]
    missing = len(shape) - (len(items) - 1)
    if missing < 0:
        axes = "1 axis" if len(shape) == 1 else f"{len(shape)} axes"
        given = "1 entry" if len(items) == 2 else f"{len(items) - 1} entries"
        raise GradstepError(f"{given}, but the shape {tuple(shape)} has {axes}")
    at = items.index("...")
    return [*items[:at], *[":"] * missing, *items[at + 1 :]]


def parse_stretch(item: str) -> slice:
    """``start:stop:step`` as a slice. Raises GradstepError."""
    match = STRETCH.match(item)
    if match is None:
        raise GradstepError(f"{item!r} is no slice: start:stop:step, as in 2:8 or ::2")
    start, stop, step = (int(part) if part else None for part in match.groups())
    if step == 0:
        raise GradstepError(f"the step of {item!r} must not be 0")
    return slice(start, stop, step)


def parse_index(item: str, axis: int, length: int) -> int:
    """An index inside an axis; negative ones count from its end. Raises GradstepError."""
    try:
        at = int(item)
    except ValueError:
        raise GradstepError(f"{item!r} is neither a number nor a slice such as 2:8") from None
    if not -length <= at < length:
        raise GradstepError(f"index {at} is outside axis {axis}, which has {length} entries")
    return at % length
