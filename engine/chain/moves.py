"""Functions of lines that only move elements, as links: every non-zero of theirs is 1."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from engine.arrays import Array, Shape
from engine.chain.axes import aligned, by_axes
from engine.jacobian.links import Link, Pairs, Term, digits, equal, free_row, related
from engine.jacobian.operator import Index as Places
from engine.jacobian.terms import ordered, transposed
from engine.lines.algebra import FILL, PERMUTE, RESHAPE, SUM_TO
from engine.lines.node import Call, Node
from engine.lines.structure import CONCAT, INDEX, PAD, REAL, REPEAT, STACK, Range

Value = Callable[[Node], Array]
"""The value of a tree of whole numbers, when it is needed."""


def mover(node: Call, i: int, value: Value) -> Term | None:
    """The links of a function that only moves elements; None of any other one."""
    function, inner = node.function, node.operands[i].shape
    if function is RESHAPE:
        return tuple(equal(1, 1, int(np.prod(inner, dtype=int))))
    if function is PERMUTE:
        return by_axes(node.shape, inner, list(enumerate(node.option("axes"))))
    if function in (FILL, REAL):
        return aligned(node.shape, inner)
    if function is SUM_TO:
        return transposed(aligned(inner, node.shape))
    if function is INDEX:
        return indexed(node, value)
    if function is CONCAT:
        return joined(node, i)
    if function is STACK:
        return stacked(node, i)
    if function is PAD:
        return padded(node)
    if function is REPEAT:
        return repeated(node)
    return None


def indexed(node: Call, value: Value) -> Term | None:
    """inner[…], axis by axis; one tensor of indices picks along its axis.

    None where an index is none of these and reads everything.
    """
    inner, *indices = node.operands
    entries = list(node.option("entries"))
    taken = sum(entry[0] in ("slice", "at", "by") for entry in entries)
    rest = [("slice", None, None, None)] * (inner.rank - taken)
    at = next((k for k, entry in enumerate(entries) if entry[0] == "rest"), len(entries))
    entries[at : at + 1] = rest
    if len(indices) > 1 or (indices and any(entry[0] == "at" for entry in entries)):
        return together(node, entries)
    rows, cols = digits(node.shape), digits(inner.shape)
    links: list[Link] = []
    axis = place = 0
    for entry in entries:
        if entry[0] == "new":
            place += 1
            continue
        if entry[0] == "by":
            links += picked(rows[place : place + indices[0].rank], cols[axis], indices[0], value)
            place += indices[0].rank
        else:
            stay = entry[0] == "slice"
            key = slice(*entry[1:]) if stay else slice(entry[1], entry[1] + 1 or None)
            ins = np.arange(inner.shape[axis])[key]
            found = related(rows[place] if stay else (1, 1), cols[axis], np.arange(len(ins)), ins)
            if found is None:
                return None
            links += found
            place += stay
        axis += 1
    return ordered(links)


def picked(
    rows: Sequence[tuple[int, int]], col: tuple[int, int], index: Node, value: Value
) -> list[Link]:
    """A tensor of indices along one axis."""
    size = int(np.prod(index.shape, dtype=int))

    def fetch() -> tuple[Places, Places]:
        places = np.asarray(value(index)).reshape(-1).astype(np.int64) % col[1]
        return np.arange(size), places

    stride = rows[-1][0] if rows else 1
    return [Link(stride, size, *col, Pairs(size, fetch, given=False))]


def together(node: Call, entries: Sequence[tuple[Any, ...]]) -> Term | None:
    """Several indices at once, as logp[range(N), y]: the axis of a full range stays."""
    inner, *indices = node.operands
    first = indices[0]
    lone = [entry[0] for entry in entries] == ["by"] * len(entries)
    whole = isinstance(first, Call) and isinstance(first.function, Range)
    if not (lone and whole and node.shape[:1] == first.shape == inner.shape[:1]):
        return None
    return by_axes(node.shape, inner.shape, [(0, 0)])


def shifted(node: Call, shape: Shape, axis: int, start: int) -> Term | None:
    """An operand that lies in the result from ``start`` on along one axis."""
    rows, cols = digits(node.shape), digits(shape)
    links: list[Link] = []
    for k, size in enumerate(shape):
        begin = start if k == axis else 0
        found = related(rows[k], cols[k], begin + np.arange(size), np.arange(size))
        if found is None:
            return None
        links += found
    return ordered(links)


def joined(node: Call, i: int) -> Term | None:
    """An operand of concat."""
    axis = node.option("axis") % node.rank
    start = sum(one.shape[axis] for one in node.operands[:i])
    return shifted(node, node.operands[i].shape, axis, start)


def stacked(node: Call, i: int) -> Term | None:
    """An operand of stack."""
    axis = node.option("axis") % node.rank
    shape = node.operands[i].shape
    rows, cols = digits(node.shape), digits(shape)
    found = related(rows[axis], (1, 1), np.array([i]), np.array([0]))
    assert found is not None
    rest = [row for k, row in enumerate(rows) if k != axis]
    for (row_stride, size), (col_stride, _) in zip(rest, cols, strict=True):
        found += equal(row_stride, col_stride, size)
    return ordered(found)


def padded(node: Call) -> Term | None:
    """Zeros around."""
    shape = node.operands[0].shape
    rows, cols = digits(node.shape), digits(shape)
    links: list[Link] = []
    for k, (before, _) in enumerate(node.option("widths")):
        places = np.arange(shape[k])
        found = related(rows[k], cols[k], before + places, places)
        if found is None:
            return None
        links += found
    return ordered(links)


def repeated(node: Call) -> Term:
    """Each slice several times."""
    (inner,), many = node.operands, node.option("times")
    axis = node.option("axis") % node.rank
    links: list[Link] = []
    for k, ((stride, _), (col_stride, size)) in enumerate(
        zip(digits(node.shape), digits(inner.shape), strict=True)
    ):
        split = many if k == axis else 1
        links += free_row(stride, split)
        links += equal(stride * split, col_stride, size)
    return ordered(links)
