"""Which elements of an operand each element of a line's function reads: links of digits.

What is not known here is dense, which is never wrong.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.arrays import Shape
from engine.chain.axes import aligned, by_axes, dense
from engine.chain.moves import Value, mover
from engine.jacobian.links import Term, Terms, digits, equal, free_col, free_row, related
from engine.jacobian.terms import added, ordered, times
from engine.lines.algebra import SUM, SUM_TO, Difference, Elementary
from engine.lines.elementwise import Activated, Clip, Unary, Where
from engine.lines.losses import LossOf
from engine.lines.losses import Terms as LossTerms
from engine.lines.node import Call, Node
from engine.lines.node import ordered as nodes_below
from engine.lines.products import MATMUL
from engine.lines.reductions import Reduction, axes_of
from engine.lines.softmaxes import AlongAxis
from engine.lines.spatial import Spatial


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
    if isinstance(function, Spatial) and not function.transposed:
        found = convolved(node, i)
        return Dependence((found or dense(node.shape, operand.shape),), False)
    return Dependence((dense(node.shape, operand.shape),), False)


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
