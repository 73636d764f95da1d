"""Lines of a batch as the lines of one sample: vectors are columns, as in a homework.

The way back from a batch: ``x @ W.T + b`` of rows (N, n) becomes ``W x + b`` of a column (n, 1).
What has more axes keeps them, but for that of the samples. Lines that mix samples, as statistics of
the batch do, have no such form.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from engine.arrays import Shape
from engine.lines.algebra import PERMUTE, RESHAPE, Elementary, reshaped, transposed
from engine.lines.elementwise import Activated, Clip, Comparison, Unary, Where
from engine.lines.line import Line
from engine.lines.losses import LossOf, Terms
from engine.lines.node import Call, Misfit, Node, Tensor, call, described, ordered, tensor
from engine.lines.products import MATMUL, matmul
from engine.lines.reductions import MEAN, TOTAL, Reduction, axes_of
from engine.lines.softmaxes import AlongAxis
from engine.lines.structure import CONCAT, INDEX, ONE_HOT, REAL, STACK, Filled, Range
from engine.program.line_network import Graph
from engine.worksheet.sample_loss import SampleLoss

EACH = (Elementary, Unary, Activated, Comparison, Where, Clip)  # functions of each element


class Inseparable(Exception):
    """Lines that have no form for one sample alone; the message says which function mixes."""


def lines_of_one(graph: Graph, rows: int) -> tuple[tuple[Line, ...], "Separation"]:
    """The lines of one sample of a batch of so many rows; raises Inseparable."""
    found = Separation(rows)
    return tuple(found.line(line) for line in graph.lines), found


def one_shape(shape: Shape) -> Shape:
    """The shape of one sample's part of a tensor with a row for each: a vector is a column."""
    return (*shape[1:], 1) if len(shape) == 2 else shape[1:]


class Separation:
    """Takes the axis of the samples away; ``apart`` are the tensors that have a row for each."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.made: dict[Node, Node] = {}
        self.batched: set[Node] = set()
        self.apart: set[str] = {"x", "y"}

    def line(self, line: Line) -> Line:
        """One line; what it makes is known to the lines after it."""
        try:
            root = self(line.root)
        except Misfit as misfit:
            raise Inseparable(f"{line.name}: {misfit}") from None
        own = tensor(line.name, line.root.shape, line.root.kind)
        self.made[own] = tensor(line.name, root.shape, root.kind)
        if line.root in self.batched:
            self.apart.add(line.name)
            self.batched.add(own)
        return replace(line, root=root)

    def __call__(self, root: Node) -> Node:
        """The tree of one sample; raises Misfit or Inseparable."""
        for node in ordered(root):
            if node in self.made:
                continue
            self.made[node] = self.leaf(node) if isinstance(node, Tensor) else self.one(node)
        return self.made[root]

    def leaf(self, node: Tensor) -> Node:
        """A tensor: its part of x and y, a vector as a column, anything else as it is."""
        if node.name in ("x", "y"):
            self.batched.add(node)
            return tensor(node.name, one_shape(node.shape), node.kind)
        if node.rank == 1 and node.kind == "real":
            return tensor(node.name, (*node.shape, 1), node.kind)
        return node

    def one(self, node: Node) -> Node:
        """One function of operands that are made already."""
        if not isinstance(node, Call):
            return node
        if isinstance(node.function, Filled) and self.has_rows(node):
            return self.apart_from_here(node, self.filled(node))
        if not any(one in self.batched for one in node.operands):
            return self.shared(node)
        if isinstance(node.function, Reduction) and self.folds_all(node):
            return self.pooled(node)
        if isinstance(node.function, LossOf):
            yhat, y = (self.made[one] for one in node.operands)
            return call(SampleLoss(node.function.loss), (yhat, y))
        if node.shape[:1] != (self.rows,):
            raise self.mixed(node)
        return self.apart_from_here(node, self.of_each(node))

    def apart_from_here(self, node: Node, made: Node) -> Node:
        """What was made of a node with a row for each sample, in the form of one sample."""
        self.batched.add(node)
        return reshaped(made, one_shape(node.shape))

    def has_rows(self, node: Node) -> bool:
        """Whether the first axis may be that of the samples."""
        return node.rank > 1 and node.shape[0] == self.rows

    def mixed(self, node: Call) -> Inseparable:
        """What is raised for a function that mixes samples."""
        return Inseparable(f"{node.function.name} takes the samples of a batch together")

    def filled(self, node: Call) -> Node:
        """Zeros or ones of a batch."""
        return call(node.function, (), (("shape", one_shape(node.shape)),))

    def shared(self, node: Call) -> Node:
        """A function of tensors that all samples share; vectors are columns there too."""
        operands = [self.made[one] for one in node.operands]
        if all(made is one for made, one in zip(operands, node.operands, strict=True)):
            return self.column(node)
        if isinstance(node.function, EACH) and node.rank == 1:
            return call(node.function, [self.as_column(one) for one in node.operands], node.options)
        if isinstance(node.function, Reduction) and node.shape == ():
            return call(node.function, operands)
        back = [
            reshaped(made, one.shape) for made, one in zip(operands, node.operands, strict=True)
        ]
        return self.column(call(node.function, back, node.options))

    def column(self, node: Node) -> Node:
        """A vector of real numbers as a column."""
        whole = node.rank != 1 or node.kind != "real"
        return node if whole else reshaped(node, (*node.shape, 1))

    def as_column(self, one: Node) -> Node:
        """An operand of a function of each element of a vector."""
        made = self.made[one]
        if one in self.batched or made.rank == 0 or one.rank == 1:
            return made
        if one.rank == 2 and one.shape[0] == 1:
            return transposed(made)
        raise Inseparable(f"{described(one)}: it is no row of each sample")

    def folds_all(self, node: Call) -> bool:
        """Whether a reduction takes all axes, that of the samples too."""
        (inner,) = node.operands
        return axes_of(inner.shape, dict(node.options)) == tuple(range(inner.rank))

    def pooled(self, node: Call) -> Node:
        """A sum or mean over the whole batch: of a batch that is this sample alone."""
        if node.function not in (TOTAL, MEAN) or node.shape != ():
            raise self.mixed(node)
        (inner,) = (self.made[one] for one in node.operands)
        return inner if inner.shape == () else call(node.function, (inner,))

    def of_each(self, node: Call) -> Node:
        """A function whose result has a row for each sample."""
        function = node.function
        if isinstance(function, EACH):
            return self.elementwise(node)
        if isinstance(function, Reduction):
            return self.folded(node)
        if isinstance(function, AlongAxis):
            return self.along(node)
        if isinstance(function, Terms):
            if not function.loss.per_sample:
                raise self.mixed(node)
            return self.term(node)
        special: dict[Any, Callable[[Call], Node]] = {
            MATMUL: self.product,
            PERMUTE: self.permuted,
            RESHAPE: lambda one: reshaped(self.made[one.operands[0]], one_shape(one.shape)),
            INDEX: self.indexed,
            CONCAT: self.joined,
            STACK: self.joined,
            ONE_HOT: self.one_hot,
            REAL: lambda one: call(REAL, (self.made[one.operands[0]],)),
        }
        if function not in special:
            raise Inseparable(f"{function.name} has no form for one sample here")
        return special[function](node)

    def elementwise(self, node: Call) -> Node:
        """A function of each element; what all samples share is laid out as theirs are."""
        fits = self.as_column if node.rank == 2 else self.as_axes
        operands = [self.sliced(one, node) or fits(one) for one in node.operands]
        return call(node.function, operands, node.options)

    def sliced(self, one: Node, node: Call) -> Node | None:
        """A given tensor with a row for each sample, such as an upstream gradient."""
        rowed = one.rank == node.rank and self.has_rows(one) and self.rows > 1
        if one in self.batched or not rowed:
            return None
        if not isinstance(one, Tensor):
            raise Inseparable(f"{described(one)}: a row for each sample that no sample made")
        self.apart.add(one.name)
        self.batched.add(one)
        self.made[one] = tensor(one.name, one_shape(one.shape), one.kind)
        return self.made[one]

    def as_axes(self, one: Node) -> Node:
        """An operand of a function of each element of what has more axes than a vector."""
        made = self.made[one]
        if one in self.batched or one.rank != 1:
            return made
        return transposed(made)

    def folded(self, node: Call) -> Node:
        """A reduction of each sample."""
        (inner,) = node.operands
        axes = axes_of(inner.shape, dict(node.options))
        if 0 in axes:
            raise self.mixed(node)
        if isinstance(inner, Call) and isinstance(inner.function, Terms):
            return self.term(inner)
        made = self.made[inner]
        keeps = bool(node.option("keepdims"))
        if inner.rank == 2 or (len(axes) == inner.rank - 1 and not keeps):
            return call(node.function, (made,))
        options = dict(node.options) | {"axis": tuple(k - 1 for k in axes)}
        return call(node.function, (made,), tuple(options.items()))

    def term(self, node: Call) -> Node:
        """The loss of one sample among those of a batch."""
        assert isinstance(node.function, Terms)
        yhat, y = (self.made[one] for one in node.operands)
        return call(SampleLoss(replace(node.function.loss, scale=1.0)), (yhat, y))

    def along(self, node: Call) -> Node:
        """Softmax of each sample."""
        axis = node.option("axis", -1) % node.rank
        if axis == 0:
            raise self.mixed(node)
        (made,) = (self.made[one] for one in node.operands)
        return call(node.function, (made,), (("axis", axis - 1),))

    def product(self, node: Call) -> Node:
        """A matrix product; of rows x Wᵀ it is W x of a column."""
        a, b = node.operands
        left, right = self.made[a], self.made[b]
        if a in self.batched and a.rank == 2 and b not in self.batched:
            if b.rank > 2:
                raise self.mixed(node)
            return matmul(transposed(right), left)
        sides = [one.rank for one in (a, b) if one in self.batched]
        if min(sides) < 3 or any(one.rank == 1 for one in (a, b)):
            raise self.mixed(node)
        return matmul(left, right)

    def permuted(self, node: Call) -> Node:
        axes = node.option("axes")
        if axes[0] != 0 or node.rank < 3:
            raise self.mixed(node)
        moved = tuple(k - 1 for k in axes[1:])
        return call(PERMUTE, (self.made[node.operands[0]],), (("axes", moved),))

    def indexed(self, node: Call) -> Node:
        """Elements of each sample, ``x[:, t]``; or the rows of a table, ``C[x]``."""
        inner, *indices = node.operands
        entries = node.option("entries")
        made = self.made[inner]
        if inner not in self.batched:
            if len(indices) != 1 or entries != (("by", 0),):
                raise self.mixed(node)
            index = reshaped(self.made[indices[0]], indices[0].shape[1:])
            return call(INDEX, (made, index), node.options)
        if indices:
            return self.picked(node)
        if entries[0] != ("slice", None, None, None):
            raise self.mixed(node)
        if not entries[1:]:
            return made
        column = inner.rank == 2 and entries[1][0] == "slice"
        rest = made if column else reshaped(made, inner.shape[1:])
        return call(INDEX, (rest,), (("entries", entries[1:]),))

    def picked(self, node: Call) -> Node:
        """An element of each sample by its class, ``z[range(N), y]``."""
        inner, *indices = node.operands
        counts = isinstance(indices[0], Call) and isinstance(indices[0].function, Range)
        if len(indices) != 2 or not counts or indices[1] not in self.batched or inner.rank != 2:
            raise self.mixed(node)
        rest = reshaped(self.made[inner], inner.shape[1:])
        return call(INDEX, (rest, self.made[indices[1]]), (("entries", (("by", 0),)),))

    def joined(self, node: Call) -> Node:
        """Tensors joined or stacked along an axis of a sample."""
        axis = node.option("axis") % node.rank
        if axis == 0 or any(one not in self.batched for one in node.operands):
            raise self.mixed(node)
        parts = [reshaped(self.made[one], one.shape[1:]) for one in node.operands]
        if node.function is CONCAT and node.rank == 2:
            parts = [self.made[one] for one in node.operands]
        return call(node.function, parts, (("axis", axis - 1),))

    def one_hot(self, node: Call) -> Node:
        return call(ONE_HOT, (self.made[node.operands[0]],), node.options)
