"""softmax and log_softmax in lines, along any axis."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from engine.arrays import Array, Shape
from engine.formulas.named import Apply
from engine.formulas.tree import Formula
from engine.functions.softmax import LOG_SOFTMAX, SOFTMAX
from engine.lines.algebra import fill, minus, over, times
from engine.lines.elementwise import EXP, LOG
from engine.lines.node import Call, Misfit, Node, Primitive, call, described
from engine.lines.reductions import MAXIMAL, TOTAL, checked_axes
from engine.lines.writing import Applied


class AlongAxis(Primitive):
    """softmax or log_softmax along an axis, the last by default."""

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        (a,) = operands
        if a.rank == 0:
            raise Misfit(f"{described(a)}: {self.name} takes a tensor with an axis")
        checked_axes(a, {"axis": options.get("axis", -1)})
        return a.shape

    def summed(self, node: Call, one: Node) -> Node:
        """The sum along the axis, which stays with size 1."""
        options = (("axis", node.option("axis", -1)), ("keepdims", True))
        return call(TOTAL, (one,), options)

    def settings(self, node: Call) -> tuple[str, ...]:
        """The axis where it is not the last."""
        axis = node.option("axis", -1)
        return () if axis in (-1, node.rank - 1) else (f"axis={axis}",)


def away(node: Call) -> Node:
    """z − max z along the axis, so that nothing overflows."""
    options = (("axis", node.option("axis", -1)), ("keepdims", True))
    return minus(node.operands[0], call(MAXIMAL, node.operands, options))


class Softmax(AlongAxis):
    """exp z / Σ exp z."""

    name = "softmax"

    def value(self, *arrays: Array, **options: Any) -> Array:
        a, axis = np.asarray(arrays[0]), options.get("axis", -1)
        e = np.exp(a - np.max(a, axis=axis, keepdims=True))
        out: Array = e / np.sum(e, axis=axis, keepdims=True)
        return out

    def definition(self, node: Call) -> Node:
        """e / Σ e, of e = exp(z − max z)."""
        e = call(EXP, (away(node),))
        return over(e, self.summed(node, e))

    def pull(self, node: Call, i: int, grad: Node) -> Node:
        grad = fill(grad, node.shape)
        return times(node, minus(grad, self.summed(node, times(grad, node))))

    def push(self, node: Call, i: int, tangent: Node) -> Node:
        return self.pull(node, i, tangent)

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        if settings := self.settings(node):
            options = dict(node.options)
            return Applied(self.name, tuple(operands), settings, lambda a: self.value(a, **options))
        return Apply(SOFTMAX, operands[0])


class LogSoftmax(AlongAxis):
    """z − log Σ exp z."""

    name = "log_softmax"

    def value(self, *arrays: Array, **options: Any) -> Array:
        a, axis = np.asarray(arrays[0]), options.get("axis", -1)
        shifted = a - np.max(a, axis=axis, keepdims=True)
        out: Array = shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))
        return out

    def definition(self, node: Call) -> Node:
        """z − max z − log Σ exp(z − max z)."""
        shifted = away(node)
        return minus(shifted, call(LOG, (self.summed(node, call(EXP, (shifted,))),)))

    def pull(self, node: Call, i: int, grad: Node) -> Node:
        grad = fill(grad, node.shape)
        return minus(grad, times(call(EXP, (node,)), self.summed(node, grad)))

    def push(self, node: Call, i: int, tangent: Node) -> Node:
        tangent = fill(tangent, node.shape)
        return minus(tangent, self.summed(node, times(call(EXP, (node,)), tangent)))

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        if settings := self.settings(node):
            options = dict(node.options)
            return Applied(self.name, tuple(operands), settings, lambda a: self.value(a, **options))
        return Apply(LOG_SOFTMAX, operands[0])


SOFTMAX_OF, LOG_SOFTMAX_OF = Softmax(), LogSoftmax()
