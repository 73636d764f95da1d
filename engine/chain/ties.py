"""Which elements of an operand each element of a line's function reads: links of digits.

What is not known here is dense, which is never wrong.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.arrays import Array, Shape
from engine.jacobian.links import (
    Link,
    Pairs,
    Term,
    Terms,
    added,
    digits,
    equal,
    free_col,
    free_row,
    ordered,
    related,
    times,
)
from engine.jacobian.operator import Index as Places
from engine.lines.algebra import FILL, MATMUL, PERMUTE, RESHAPE, SUM, SUM_TO, Difference, Elementary
from engine.lines.elementwise import Activated, Clip, Unary, Where
from engine.lines.losses import LossOf
from engine.lines.losses import Terms as LossTerms
from engine.lines.node import Call, Node
from engine.lines.node import ordered as nodes_below
from engine.lines.reductions import AlongAxis, Reduction, axes_of
from engine.lines.structure import CONCAT, INDEX, PAD, REAL, REPEAT, STACK, Range

Value = Callable[[Node], Array]
"""The value of a tree of whole numbers, when it is needed."""


@dataclass(frozen=True, eq=False)
class Dependence:
    """Where ∂of/∂wrt can be non-zero; ``unit`` where every non-zero is 1."""

    terms: Terms
    unit: bool

    def after(self, inner: "Dependence") -> "Dependence | None":
        """The dependence through a tensor that itself depends on another one."""
        found: Terms = ()
        for left in self.terms:
            for right in inner.terms:
                product = times(left, right)
                if product is not None:
                    found = added(found, (product,))
        # Only what moves elements is of ones alone, and that adds none of them up.
        lone = len(self.terms) == len(inner.terms) == 1
        return Dependence(found, lone and self.unit and inner.unit) if found else None

    def plus(self, other: "Dependence") -> "Dependence":
        """The union of two dependences."""
        return Dependence(added(self.terms, other.terms), False)


def identity(shape: Shape) -> Dependence:
    """A tensor by itself."""
    return Dependence((aligned(shape, shape),), True)


def dependence(root: Node, known: Mapping[Node, Dependence], value: Value) -> Dependence | None:
    """What a tree depends on, from what the tensors that it reads depend on; None for nothing."""
    found = dict(known)
    for node in nodes_below(root):
        if node in found or not isinstance(node, Call) or node.kind != "real":
            continue
        total: Dependence | None = None
        for i, operand in enumerate(node.operands):
            inner = found.get(operand)
            local = tie(node, i, value) if inner is not None else None
            if inner is None or local is None:
                continue
            here = local.after(inner)
            if here is not None:
                total = here if total is None else total.plus(here)
        if total is not None:
            found[node] = total
    return found.get(root)


def tie(node: Call, i: int, value: Value) -> Dependence | None:
    """How a function depends on one operand; None where it does not."""
    function, operand = node.function, node.operands[i]
    if isinstance(function, Unary) and function.slope(operand, node) is None:
        return None
    moved = mover(node, i, value)
    if moved is not None:
        return Dependence((moved,), function is not SUM_TO)
    if isinstance(function, Where) and i == 0:
        return None
    if isinstance(function, Elementary | Unary | Activated | Where | Clip):
        unit = function is SUM or (isinstance(function, Difference) and i == 0)
        return Dependence((aligned(node.shape, operand.shape),), unit)
    if function is MATMUL:
        return Dependence((product(node, i),), False)
    if isinstance(function, Reduction):
        return Dependence((folded(node),), False)
    if isinstance(function, AlongAxis):
        axis = node.option("axis", -1) % node.rank
        return Dependence((by_axes(node.shape, node.shape, mixed=(axis,)),), False)
    if isinstance(function, LossTerms):
        axes = range(node.rank)
        pairs = [(k, k) for k in axes if k < operand.rank]
        return Dependence((by_axes(node.shape, operand.shape, pairs),), False)
    if isinstance(function, LossOf):
        return Dependence((dense((), operand.shape),), False)
    if function.name in ("conv1d", "conv2d"):
        found = convolved(node, i)
        return Dependence((found or dense(node.shape, operand.shape),), False)
    return Dependence((dense(node.shape, operand.shape),), False)


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
        return tuple(link.transposed() for link in aligned(inner, node.shape))
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


def dense(out: Shape, inner: Shape) -> Term:
    """Everything depends on everything."""
    return ordered([x for d in digits(out) for x in free_row(*d)] + [
        x for d in digits(inner) for x in free_col(*d)
    ])  # fmt: skip


def by_axes(
    out: Shape,
    inner: Shape,
    pairs: Sequence[tuple[int, int]] | None = None,
    mixed: Sequence[int] = (),
) -> Term:
    """Axes (of the result, of the operand) that are equal; any other one is free.

    Without ``pairs`` each axis is equal to itself but for those in ``mixed``.
    """
    if pairs is None:
        pairs = [(k, k) for k in range(len(out)) if k not in mixed]
    rows, cols = digits(out), digits(inner)
    links: list[Link] = []
    for a, b in pairs:
        links += equal(rows[a][0], cols[b][0], out[a])
    for k, digit in enumerate(rows):
        links += [] if any(k == a for a, _ in pairs) else free_row(*digit)
    for k, digit in enumerate(cols):
        links += [] if any(k == b for _, b in pairs) else free_col(*digit)
    return ordered(links)


def aligned(out: Shape, inner: Shape) -> Term:
    """An operand that is broadcast: axes from the last on, where both have the same size."""
    lead = len(out) - len(inner)
    pairs = [(lead + k, k) for k, size in enumerate(inner) if size == out[lead + k]]
    return by_axes(out, inner, pairs)


def product(node: Call, i: int) -> Term:
    """a @ b by a, row by row, or by b, column by column."""
    a, b = node.operands
    mine = node.operands[i]
    last = node.rank - 1
    pairs: list[tuple[int, int]] = []
    if i == 0 and a.rank > 1:
        pairs.append((last - (b.rank > 1), a.rank - 2))
    if i == 1 and b.rank > 1:
        pairs.append((last, b.rank - 1))
    lead = node.rank - (a.rank > 1) - (b.rank > 1)
    own = mine.rank - 2
    for k in range(max(0, own)):
        axis = lead - own + k
        if mine.shape[k] == node.shape[axis]:
            pairs.append((axis, k))
    return by_axes(node.shape, mine.shape, pairs)


def folded(node: Call) -> Term:
    """A reduction: the axes that stay are equal."""
    inner, options = node.operands[0].shape, dict(node.options)
    axes = axes_of(inner, options)
    kept = [k for k in range(len(inner)) if k not in axes]
    outs = kept if options.get("keepdims") else range(len(kept))
    return by_axes(node.shape, inner, list(zip(outs, kept, strict=True)))


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


def convolved(node: Call, i: int) -> Term | None:
    """A convolution (N, F, …) of an input (N, C, …) by a kernel (F, C, …): by one of both.

    Along each axis of space o · stride − padding + k · dilation is the place in the input.
    """
    if node.option("groups", 1) != 1:
        return None
    x, kernel = node.operands[:2]
    rows = digits(node.shape)
    if i > 1:
        return by_axes(node.shape, node.operands[i].shape, [(1, 0)])
    mine = digits(node.operands[i].shape)
    links = [*equal(rows[0][0], mine[0][0], rows[0][1])] if i == 0 else free_row(*rows[0])
    links += free_row(*rows[1]) if i == 0 else equal(rows[1][0], mine[0][0], rows[1][1])
    links += free_col(*mine[1])
    for k in range(2, node.rank):
        stride, padding = (
            each(node.option(n, d), k - 2) for n, d in (("stride", 1), ("padding", 0))
        )
        dilation = each(node.option("dilation", 1), k - 2)
        o, t = np.indices((node.shape[k], kernel.shape[k])).reshape(2, -1)
        at = o * stride - padding + t * dilation
        inside = (at >= 0) & (at < x.shape[k])
        found = related(rows[k], mine[k], o[inside], (at if i == 0 else t)[inside], toeplitz=True)
        if found is None:
            return None
        links += found
    return ordered(links)


def each(option: Any, k: int) -> int:
    """An option of an axis: a number is that of all."""
    return int(option[k] if isinstance(option, tuple) else option)
