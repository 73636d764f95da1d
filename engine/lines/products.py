"""The matrix product of lines, a @ b, and its sum over the axes before the last two."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from engine.arrays import Array, Shape
from engine.formulas.tree import Chain, Formula
from engine.lines.algebra import (
    coefficient,
    column,
    fill,
    number_times,
    reshaped,
    row,
    scaled,
    sum_to,
    times,
    transposed,
)
from engine.lines.node import Call, Misfit, Node, Primitive, call, described
from engine.lines.writing import Along


class MatMul(Primitive):
    """a @ b, NumPy's: the last two axes of each, the others broadcast; vectors as rows, columns."""

    name = "@"
    ufunc = np.matmul

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        a, b = operands
        if not a.shape or not b.shape:
            raise Misfit(f"{described(a)} and {described(b)}: @ takes matrices; write *")
        inner, other = a.shape[-1], b.shape[-2] if b.rank > 1 else b.shape[0]
        if inner != other:
            raise Misfit(f"{described(a)} and {described(b)}: {matmul_hint(a, b)}")
        try:
            batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        except ValueError:
            said = "the axes before the last two must agree, or be 1"
            raise Misfit(f"{described(a)} and {described(b)}: {said}") from None
        rows = a.shape[-2:-1] if a.rank > 1 else ()
        cols = b.shape[-1:] if b.rank > 1 else ()
        return (*batch, *rows, *cols)

    def value(self, *arrays: Array, **options: Any) -> Array:
        out: Array = np.matmul(arrays[0], arrays[1])
        return out

    def pull(self, node: Call, i: int, grad: Node) -> Node:
        a, b = node.operands
        grad = fill(grad, node.shape)
        if a.rank > 1 and b.rank > 1:
            if i == 0:
                return summed_product(grad, transposed(b), a.shape)
            return summed_product(transposed(a), grad, b.shape)
        return self.pull_vector(node, i, grad)

    def pull_vector(self, node: Call, i: int, grad: Node) -> Node:
        """As :meth:`pull`, where one operand at least is a vector."""
        a, b = node.operands
        if a.rank == b.rank == 1:
            return times(grad, node.operands[1 - i])
        if a.rank == 1:
            if i == 0:
                back = matmul(b, column(grad))
                return sum_to(reshaped(back, back.shape[:-1]), None, a.shape)
            return matmul(column(a), row(grad))
        if i == 0:
            return matmul(column(grad), row(b))
        back = matmul(transposed(a), column(grad))
        return sum_to(reshaped(back, back.shape[:-1]), None, b.shape)

    def turned(self, node: Call) -> Node | None:
        return swapped(node)

    def push(self, node: Call, i: int, tangent: Node) -> Node:
        operands = tuple(tangent if k == i else one for k, one in enumerate(node.operands))
        return matmul(*operands)

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        left = operands[0]
        factors = left.factors if isinstance(left, Chain) else (left,)
        return Chain((*factors, operands[1]), dotted=False)


def matmul_hint(a: Node, b: Node) -> str:
    """What would make the inner sizes of a product agree."""
    inner = b.shape[-2] if b.rank > 1 else b.shape[0]
    said = f"the last axis of the left, {a.shape[-1]}, meets {inner}"
    if b.rank == 2 and b.shape[1] == a.shape[-1]:
        return f"{said}: the right one transposed would fit, .T"
    if a.rank == 2 and a.shape[0] == inner:
        return f"{said}: the left one transposed would fit, .T"
    return f"{said}: they must be equal"


class SummedProduct(Primitive):
    """Σ a b over all axes but the last two: (…, m, k) and (…, k, n) to (m, n)."""

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        a, b = operands
        return (a.shape[-2], b.shape[-1])

    def value(self, *arrays: Array, **options: Any) -> Array:
        a, b = arrays
        lead = tuple(range(a.ndim - 2))
        out: Array = np.tensordot(a, b, ((*lead, a.ndim - 1), (*lead, b.ndim - 2)))
        return out

    def turned(self, node: Call) -> Node | None:
        return swapped(node)

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        product = Chain((operands[0], operands[1]), dotted=False)
        axes = tuple(range(node.operands[0].rank - 2))
        return Along(product, axes, lambda a: a.sum(axis=axes))


def swapped(node: Call) -> Node | None:
    """The transpose of a product, (a b)ᵀ = bᵀ aᵀ; None where one of both is a vector."""
    left, right = node.operands
    if left.rank < 2 or right.rank < 2:
        return None
    return call(node.function, (transposed(right), transposed(left)))


MATMUL, SUMMED_PRODUCT = MatMul(), SummedProduct()


def matmul(a: Node, b: Node) -> Node:
    """a @ b, with the numbers in front."""
    (m, left), (n, right) = coefficient(a), coefficient(b)
    assert left is not None
    assert right is not None
    return number_times(scaled(m, n), call(MATMUL, (left, right)))


def summed_product(a: Node, b: Node, shape: Shape) -> Node:
    """a @ b, summed to a shape that broadcasting came from."""
    if len(shape) == 2 and a.rank > 2 and a.shape[:-2] == b.shape[:-2]:
        (m, left), (n, right) = coefficient(a), coefficient(b)
        assert left is not None
        assert right is not None
        return number_times(scaled(m, n), call(SUMMED_PRODUCT, (left, right)))
    return sum_to(matmul(a, b), None, shape)
