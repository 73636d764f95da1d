"""Nested lists of numbers as arrays, with their shape checked before memory is taken."""

from typing import Any

import numpy as np

from engine.arrays import Array

MAX_RANK = 8


class Ragged(Exception):
    """Lists that make no array; the message says where."""


def array_of(value: Any, rank: int = MAX_RANK) -> Array:
    """Nested lists of numbers as an array: int64 where all are whole, else float64.

    Raises Ragged for lists of different lengths, for what is no number, and beyond ``rank`` axes.
    """
    whole = check(value, shape_of(value, rank), ())
    try:
        return np.array(value, dtype=np.int64 if whole else np.float64)
    except OverflowError:
        return np.array(value, dtype=np.float64)


def shape_of(value: Any, rank: int) -> tuple[int, ...]:
    """The shape that the first element of each list says."""
    shape: list[int] = []
    while isinstance(value, list | tuple):
        if len(shape) == rank:
            raise Ragged(f"more than {rank} axes")
        shape.append(len(value))
        if not value:
            break
        value = value[0]
    return tuple(shape)


def check(value: Any, shape: tuple[int, ...], at: tuple[int, ...]) -> bool:
    """Whether all numbers are whole; raises Ragged where the lists have not this shape."""
    place = f" at [{', '.join(map(str, at))}]" if at else ""
    if not shape:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Ragged(f"{str(value)[:20]!r}{place} is no number")
        return isinstance(value, int)
    if not isinstance(value, list | tuple):
        raise Ragged(f"a number{place} where a list of {shape[0]} is expected")
    if len(value) != shape[0]:
        said = f"the list{place} has {len(value)} elements, where others have {shape[0]}"
        raise Ragged(said)
    found = [check(one, shape[1:], (*at, i)) for i, one in enumerate(value)]
    return all(found)
