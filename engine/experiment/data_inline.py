"""Numbers written in an experiment file: nested lists of any depth, checked, then an array.

A file is not trusted: depth and count are bounded on the way, before anything is made of the lists.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Shape
from engine.experiment.data_problem import DataProblem
from engine.wording import rewritten, shown

MAX_RANK = 8  # axes, also of arrays in files
MAX_NUMBERS = 2**25  # no file of 64 MiB has more: a number and its comma are two characters
Nested = Sequence[Any]  # of numbers, or of such lists again


class Walk:
    """A walk over nested lists that ends at the first thing wrong, or where there are too many."""

    def __init__(self) -> None:
        self.left = MAX_NUMBERS

    def fault(self, items: Nested, place: str = "", depth: int = 1) -> tuple[str, str] | None:
        """What is wrong first, as (place, message), ``("[2][0]", "must be a number, …")``."""
        self.left -= len(items)
        if self.left < 0:
            said = f"more than {MAX_NUMBERS:,} numbers and lists: npz = … reads larger data"
            return "", said
        if all_floats(items):
            return None
        for i, item in enumerate(items):
            here = f"{place}[{i}]"
            if not isinstance(item, list | tuple):
                found = wrong_number(item, depth)
                if found:
                    return here, found
            elif depth == MAX_RANK:
                return here, f"lists nest deeper than the limit of {MAX_RANK}"
            elif (within := self.fault(item, here, depth + 1)) is not None:
                return within
        return None


def all_floats(items: Nested) -> bool:
    """Whether the items are numbers that a float can hold: seen at once, not one by one."""
    kinds = set(map(type, items))
    if not kinds <= {float, int}:
        return False
    try:
        return kinds == {float} or len(np.fromiter(map(float, items), np.float64)) == len(items)
    except OverflowError:
        return False


def wrong_number(item: Any, depth: int) -> str:
    """Why an item of a list at this depth is no number; empty where it is one."""
    if isinstance(item, bool) or not isinstance(item, int | float):
        said = f"must be a number{', or a list' if depth == 1 else ''}, not {shown(item)}"
        return said + rewritten(item, ("float",))
    try:
        float(item)
    except OverflowError:
        return f"{shown(item)} is out of range"
    return ""


def floats(items: Nested) -> list[Any]:
    """The same lists with floats alone; they have no fault."""
    return [floats(item) if isinstance(item, list | tuple) else float(item) for item in items]


def array_of(items: Nested, field: str, keep: bool) -> NDArray[Any]:
    """The array of nested lists without a fault, of float64; DataProblem where they are ragged.

    With ``keep`` it is of int64 where every number is an integer; DataProblem for one beyond that.
    """
    shape = shape_of(items)
    said = uneven(items, shape, field, field)
    if said:
        raise DataProblem(field, said)
    if not (keep and all(set(map(type, row)) == {int} for row in rows_of(items, len(shape)))):
        return np.array(items, dtype=np.float64).reshape(shape)
    try:
        return np.array(items, dtype=np.int64).reshape(shape)
    except OverflowError:
        whole = np.array(items, dtype=object)
        where = np.argwhere((whole < -(2**63)) | (whole >= 2**63))[0].tolist()
        said = f"{shown(whole[tuple(where)])} at [{', '.join(map(str, where))}] is beyond 64 bits"
        raise DataProblem(
            field, f"{said}: written with a point, as 1.0 is, it is a float"
        ) from None


def shape_of(items: Nested) -> Shape:
    """The shape of nested lists, as their first items have it."""
    shape: list[int] = []
    first: Any = items
    while isinstance(first, list | tuple):
        shape.append(len(first))
        first = first[0] if first else None
    return tuple(shape)


def uneven(items: Nested, shape: Shape, place: str, start: str) -> str:
    """Where lists differ from the first of their depth, which has this shape; empty if none do.

    ``place`` is the path of the list, ``start`` that of the first list of the same depth.
    """
    nests = len(shape) > 1
    if not nests and not set(map(type, items)) & {list, tuple}:
        return ""
    for i, item in enumerate(items):
        here, first = f"{place}[{i}]", f"{start}[0]"
        if isinstance(item, list | tuple) != nests:
            found, other = ("a single value", "a row") if nests else ("a row", "a single value")
            return f"mixes rows and single values: {here} is {found}, {first} is {other}"
        if not nests:
            continue
        if len(item) != shape[1]:
            if "[" not in place:
                here, first = f"row {i}", "row 0"
            return f"ragged: {here} has {len(item)} values, {first} has {shape[1]}"
        if said := uneven(item, shape[1:], here, first):
            return said
    return ""


def rows_of(items: Nested, depth: int) -> Iterator[Nested]:
    """The innermost lists of lists nested so deep."""
    if depth <= 1:
        yield items
    else:
        for item in items:
            yield from rows_of(item, depth - 1)
