"""Lines of one sample, run for a whole batch: every tree gets an axis of samples in front."""

from collections.abc import Callable, Mapping
from typing import Any

from engine.lines.algebra import PERMUTE, RESHAPE, Elementary, fill, reshaped
from engine.lines.elementwise import Comparison, Where
from engine.lines.losses import OfSample
from engine.lines.node import Call, Misfit, Node, call, described, ordered
from engine.lines.normal import Standard
from engine.lines.products import MATMUL
from engine.lines.reductions import Reduction
from engine.lines.softmaxes import AlongAxis
from engine.lines.spatial import LARGEST, Adaptive, Mean, Places, Spatial
from engine.lines.structure import CONCAT, INDEX, ONE_HOT, PAD, RANGE, REPEAT, STACK

OF_IMAGES = (Standard("group"),)


class Lift:
    """Lifts trees over ``rows`` samples; ``batched`` says what a tensor of a batch becomes."""

    def __init__(self, rows: int, batched: Mapping[Node, Node]) -> None:
        self.rows = rows
        self.made: dict[Node, Node] = dict(batched)
        self.batched: set[Node] = set(batched)  # of one sample, that differ from sample to sample

    def __call__(self, root: Node) -> Node:
        """The tree of a batch; raises Misfit for what has no batch form."""
        for node in ordered(root):
            if node in self.made:
                continue
            if not isinstance(node, Call) or not any(one in self.batched for one in node.operands):
                self.made[node] = node
                continue
            self.made[node] = self.lifted(node)
            self.batched.add(node)
        return self.made[root]

    def lifted(self, node: Call) -> Node:
        """One function of operands that are lifted already."""
        function, options = node.function, dict(node.options)
        operands = [self.made[one] for one in node.operands]
        if isinstance(function, Elementary | Comparison | Where):
            return call(function, self.aligned(node), node.options)
        if isinstance(function, Reduction):
            axis = options.get("axis")
            axes = range(node.operands[0].rank) if axis is None else axis
            options["axis"] = shifted(axes)
            return call(function, operands, tuple(options.items()))
        if isinstance(function, AlongAxis):
            options["axis"] = shifted(options.get("axis", -1))
            return call(function, operands, tuple(options.items()))
        if isinstance(function, OfSample):
            return self.losing(node)
        special: dict[Any, Callable[[Call], Node]] = {
            MATMUL: self.product,
            PERMUTE: self.permuted,
            RESHAPE: self.reshaped,
            INDEX: self.indexed,
            CONCAT: self.joined,
            STACK: self.joined,
            PAD: self.padded,
            REPEAT: self.repeated,
            ONE_HOT: lambda one: call(ONE_HOT, operands, one.options),
            LARGEST: lambda one: call(LARGEST, operands, one.options),
        }
        if function in special:
            return special[function](node)
        if isinstance(function, Places | Mean | Adaptive):
            return call(function, operands, node.options)  # over the last axes, whatever is before
        if isinstance(function, Spatial) or function in OF_IMAGES:
            return self.of_images(node)
        if len(operands) == 1 and operands[0].shape[1:] == node.operands[0].shape:
            return call(function, operands, node.options)
        raise Misfit(f'{described(node)}: not with per = "sample"; per = "batch" has it')

    def aligned(self, node: Call) -> list[Node]:
        """Operands of a function of elements, with axes of size 1 after that of the samples."""
        out = []
        for one in node.operands:
            made = self.made[one]
            if one in self.batched and one.rank < node.rank:
                ones = (1,) * (node.rank - one.rank)
                made = reshaped(made, (self.rows, *ones, *one.shape))
            out.append(made)
        return out

    def product(self, node: Call) -> Node:
        """A matrix product; a vector of each sample stands as a row or a column of its own."""
        (a, b), (x, y) = node.operands, (self.made[one] for one in node.operands)
        if a.rank == 1 and a in self.batched:
            x = reshaped(x, (self.rows, 1, *a.shape))
        elif a.rank == 1:
            x = reshaped(x, (1, *a.shape))
        if b.rank == 1 and b in self.batched:
            y = reshaped(y, (self.rows, *b.shape, 1))
        elif b.rank == 1:
            y = reshaped(y, (*b.shape, 1))
        return reshaped(call(MATMUL, (x, y)), (self.rows, *node.shape))

    def permuted(self, node: Call) -> Node:
        axes = (0, *(k + 1 for k in node.option("axes")))
        return call(PERMUTE, (self.made[node.operands[0]],), (("axes", axes),))

    def reshaped(self, node: Call) -> Node:
        return reshaped(self.made[node.operands[0]], (self.rows, *node.shape))

    def indexed(self, node: Call) -> Node:
        """An index of each sample; a tensor of indices picks for each its own."""
        inner, *indices = node.operands
        made = [self.made[one] for one in node.operands]
        entries = node.option("entries")
        if inner not in self.batched:
            return call(INDEX, made, node.options)
        if any(one in self.batched for one in indices):
            rows = call(RANGE, (), (("size", self.rows),))
            moved = tuple(("by", e[1] + 1) if e[0] == "by" else e for e in entries)
            return call(INDEX, (made[0], rows, *made[1:]), (("entries", (("by", 0), *moved)),))
        whole = ("slice", None, None, None)
        return call(INDEX, made, (("entries", (whole, *entries)),))

    def joined(self, node: Call) -> Node:
        """Tensors joined; what is the same for all samples is repeated first."""
        operands = [
            self.made[one]
            if one in self.batched
            else fill(reshaped(one, (1, *one.shape)), (self.rows, *one.shape))
            for one in node.operands
        ]
        return call(node.function, operands, (("axis", shifted(node.option("axis"))),))

    def padded(self, node: Call) -> Node:
        widths = ((0, 0), *node.option("widths"))
        return call(PAD, (self.made[node.operands[0]],), (("widths", widths),))

    def repeated(self, node: Call) -> Node:
        options = (("times", node.option("times")), ("axis", shifted(node.option("axis"))))
        return call(REPEAT, (self.made[node.operands[0]],), options)

    def of_images(self, node: Call) -> Node:
        """A function whose first axis is of images, each sample one: the samples are that axis."""
        x, *others = node.operands
        if x.shape[0] != 1 or any(one in self.batched for one in others):
            raise Misfit(f"{described(node)}: the filters would differ from sample to sample")
        images = reshaped(self.made[x], (self.rows, *x.shape[1:]))
        made = call(node.function, (images, *others), node.options)
        return reshaped(made, (self.rows, *node.shape))

    def losing(self, node: Call) -> Node:
        """The losses of the samples, (N,); a target that is the same for all is repeated."""
        assert isinstance(node.function, OfSample)
        yhat, y = (
            self.made[one]
            if one in self.batched
            else fill(reshaped(one, (1, *one.shape)), (self.rows, *one.shape))
            for one in node.operands
        )
        return node.function.batch(yhat, y)


def shifted(axis: Any) -> Any:
    """An axis of a sample as that of a batch; those counted from the end stay."""
    if isinstance(axis, int):
        return axis + 1 if axis >= 0 else axis
    return tuple(k + 1 if k >= 0 else k for k in axis)
