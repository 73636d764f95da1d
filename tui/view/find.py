"""The next or previous cell of a kind, in the order of reading, looked for piece by piece."""

import math
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tui.view.axes import changed_bits, comparable
from tui.view.region import Region
from tui.view.value_range import ValueRange
from tui.view.versions import Array, Version, difference

Key = tuple[Any, ...]
Piece = tuple[int, Key]
"""The number of its first cell, and the key that takes it."""

CHUNK = 2**18  # elements looked at between two chances to cancel


class Sought(StrEnum):
    """The kinds of cells that a search can find."""

    CHANGED = "changed cell"
    NAN = "NaN"
    INFINITE = "infinity"
    MAXIMUM = "maximum"
    MINIMUM = "minimum"
    ZERO = "zero"
    IN_RANGE = "value in the range"


EXTREMES = {Sought.MAXIMUM: np.maximum, Sought.MINIMUM: np.minimum}


@dataclass(frozen=True, eq=False)
class Field:
    """The cells in the order of reading: the axes that are not shown, then rows, then columns."""

    region: Region
    version: Version
    array: Array
    before: Array | None
    bounds: ValueRange | None = None

    @property
    def order(self) -> list[int]:
        """The axes in the order of reading."""
        axes = self.region.axes
        return [*self.region.hidden, *(a for a in (axes.row, axes.col) if a is not None)]

    def laid_out(self, array: Array) -> Array:
        """A view of an array in the order of reading, without what the stretches leave out."""
        axes = self.region.axes
        stretches = [(axes.row, self.region.rows), (axes.col, self.region.cols)]
        key: Key = (..., *(stretch for axis, stretch in stretches if axis is not None))
        return array.transpose(self.order)[key]

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes in the order of reading."""
        return self.laid_out(self.array).shape

    @property
    def size(self) -> int:
        """The number of cells."""
        return math.prod(self.shape)

    def index_of(self, flat: int) -> tuple[int, ...]:
        """The tensor's index of the cell with number ``flat``."""
        shape = self.array.shape
        axes, index = self.region.axes, [0] * self.array.ndim
        for axis, place in zip(self.order, np.unravel_index(flat, self.shape), strict=True):
            index[axis] = int(place)
        if axes.row is not None:
            index[axes.row] = self.region.row_range(shape)[index[axes.row]]
        if axes.col is not None:
            index[axes.col] = self.region.col_range(shape)[index[axes.col]]
        return tuple(index)

    def flat_of(self, index: tuple[int, ...]) -> int:
        """The number of the cell of an index, which lies in the region."""
        shape, axes, places = self.array.shape, self.region.axes, list(index)
        if axes.row is not None:
            places[axes.row] = self.region.row_range(shape).index(index[axes.row])
        if axes.col is not None:
            places[axes.col] = self.region.col_range(shape).index(index[axes.col])
        return int(np.ravel_multi_index([places[axis] for axis in self.order], self.shape))

    def chunks(self) -> list[Piece]:
        """The pieces of at most CHUNK cells that a search goes through."""
        return list(pieces(self.shape, CHUNK))

    def values(self, key: Key) -> Array:
        """The values of a piece in the version shown, flat."""
        after: Array = self.laid_out(self.array)[key].reshape(-1)
        if self.version == Version.AFTER or self.before is None:
            return after
        before: Array = self.laid_out(self.before)[key].reshape(-1)
        return before if self.version == Version.BEFORE else difference(after, before)

    def changes(self, key: Key) -> NDArray[np.bool_]:
        """Which cells of a piece, flat, differ from before in any bit; all for another shape."""
        after = self.laid_out(self.array)[key].reshape(-1)
        if self.before is None or self.before is self.array:
            return np.zeros(after.shape, dtype=np.bool_)
        if not comparable(self.array, self.before):
            return np.ones(after.shape, dtype=np.bool_)
        return changed_bits(self.laid_out(self.before)[key].reshape(-1), after)


@dataclass(frozen=True)
class Hit:
    """A found cell by its index; ``wrapped``: the search went around the end to find it."""

    index: tuple[int, ...]
    wrapped: bool


def pieces(
    shape: tuple[int, ...], limit: int, first: int = 0, head: tuple[int, ...] = ()
) -> Iterator[Piece]:
    """Keys of at most ``limit`` elements each that together take every element once, in order."""
    if math.prod(shape) == 0:
        return
    if not shape:
        yield first, (*head, ...)
        return
    inner = math.prod(shape[1:])
    if inner > limit:
        for place in range(shape[0]):
            yield from pieces(shape[1:], limit, first + place * inner, (*head, place))
        return
    step = max(1, limit // inner)
    for start in range(0, shape[0], step):
        yield first + start * inner, (*head, slice(start, start + step), ...)


def work(field: Field, sought: Sought) -> int:
    """How many cells are looked at before all have been seen."""
    return field.size * (2 if sought in EXTREMES else 1)


def find(
    field: Field, sought: Sought, start: int, direction: int
) -> Generator[int, None, Hit | None]:
    """The next (1) or previous (-1) cell of a kind from cell ``start``, around the end.

    Yields how many cells have been looked at. The starting cell itself comes last.
    """
    extreme = None
    if sought in EXTREMES:
        extreme = yield from extreme_of(field, EXTREMES[sought])
    searched = work(field, sought) - field.size
    matches = matcher(field, sought, extreme)
    for wrapped, begin, key in round_from(field.chunks(), start, direction):
        found = matches(key)
        places = np.flatnonzero(found) + begin
        beyond = places > start if direction > 0 else places < start
        places = places[beyond != wrapped]
        if places.size:
            flat = int(places[0] if direction > 0 else places[-1])
            return Hit(field.index_of(flat), wrapped)
        searched += found.size
        yield searched
    return None


def extreme_of(field: Field, ufunc: np.ufunc) -> Generator[int, None, Any]:
    """The largest or smallest value that is not NaN; None where there is none.

    Yields how many cells have been looked at.
    """
    searched, extreme = 0, None
    for _, key in field.chunks():
        values = field.values(key)
        searched += values.size
        numbers = values[~np.isnan(values)]
        if numbers.size:
            found = ufunc.reduce(numbers)
            extreme = found if extreme is None else ufunc(extreme, found)
        yield searched
    return extreme


def round_from(chunks: list[Piece], start: int, direction: int) -> Iterator[tuple[bool, int, Key]]:
    """The pieces from the one with the start to the end, then all up to it again."""
    at = max((i for i, (begin, _) in enumerate(chunks) if begin <= start), default=0)
    onwards = chunks[at:] if direction > 0 else chunks[at::-1]
    around = chunks[: at + 1] if direction > 0 else chunks[::-1][: len(chunks) - at]
    yield from ((False, *chunk) for chunk in onwards)
    yield from ((True, *chunk) for chunk in around)


def matcher(field: Field, sought: Sought, extreme: Any) -> Callable[[Key], NDArray[np.bool_]]:
    """A function from the key of a piece to the mask of its cells of a kind."""
    if sought == Sought.CHANGED:
        return field.changes
    tests: dict[Sought, Callable[[Array], Any]] = {
        Sought.NAN: np.isnan,
        Sought.INFINITE: np.isinf,
        Sought.ZERO: lambda values: values == 0,
        Sought.IN_RANGE: field.bounds.holds if field.bounds else nowhere,
    }
    if extreme is not None:
        tests[sought] = lambda values: values == extreme
    test = tests.get(sought, nowhere)
    return lambda key: np.asarray(test(field.values(key)))


def nowhere(values: Array) -> NDArray[np.bool_]:
    """A mask that holds for no cell."""
    return np.zeros(values.shape, dtype=np.bool_)
