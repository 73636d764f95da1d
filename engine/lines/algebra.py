"""Arithmetic of lines: + − * / and **, with what flows back, and the rules that keep it short.

The functions in lower case make nodes; they leave out what changes nothing, a factor of 1 or a
double transpose, so that a derivative reads as a person would write it. Broadcasting is NumPy's:
the gradient of an operand that was broadcast is summed over those axes.
"""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from engine.arrays import Array, Shape
from engine.formulas.elements import Log
from engine.formulas.tree import (
    Add as Plus,
)
from engine.formulas.tree import (
    Formula,
    Fraction,
    Hadamard,
    Negative,
    Square,
    Times,
    Transpose,
)
from engine.formulas.tree import (
    Subtract as Minus,
)
from engine.lines.node import (
    Call,
    Constant,
    Kind,
    Misfit,
    Node,
    Primitive,
    call,
    constant,
    described,
)
from engine.lines.writing import Along, Applied, Indexed
from engine.lines.writing import Power as Raised

ONE, ZERO = constant(1.0), constant(0.0)
SHORT = 6  # characters of a number that stays above a fraction, 0.2/3


def broadcast(operands: Sequence[Node]) -> Shape:
    """The shape that operands broadcast to, NumPy's rule; raises Misfit."""
    try:
        return np.broadcast_shapes(*(one.shape for one in operands))
    except ValueError:
        said = " and ".join(described(one) for one in operands)
        raise Misfit(f"{said}: {broadcast_hint(operands)}") from None


def broadcast_hint(operands: Sequence[Node]) -> str:
    """What would fit beside a tensor, axis by axis from the last."""
    a, b = (one.shape for one in operands[-2:])
    for back in range(1, min(len(a), len(b)) + 1):
        if a[-back] != b[-back] and 1 not in (a[-back], b[-back]):
            return f"axis −{back} is {a[-back]} and {b[-back]}: equal sizes fit, or a size of 1"
    return "sizes must agree from the last axis on, or be 1"


def kind_of(operands: Sequence[Node]) -> Kind:
    """Whole numbers stay whole; with a real one, or truth alone, the result is real or whole."""
    return "real" if any(one.kind == "real" for one in operands) else "whole"


class Elementary(Primitive):
    """An operation on each element, with broadcasting."""

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        return broadcast(operands)

    def kind(self, operands: Sequence[Node]) -> Kind:
        return kind_of(operands)


class Sum(Elementary):
    """a + b."""

    name = "+"
    ufunc = np.add

    def value(self, *arrays: Array, **options: Any) -> Array:
        out: Array = np.add(arrays[0], arrays[1])
        return out

    def pull(self, node: Call, i: int, grad: Node) -> Node:
        return sum_to(grad, node, node.operands[i].shape)

    def push(self, node: Call, i: int, tangent: Node) -> Node:
        return fill(tangent, node.shape)

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        return Plus(operands[0], operands[1])


class Difference(Elementary):
    """a − b."""

    name = "-"
    ufunc = np.subtract

    def value(self, *arrays: Array, **options: Any) -> Array:
        out: Array = np.subtract(arrays[0], arrays[1])
        return out

    def pull(self, node: Call, i: int, grad: Node) -> Node:
        back = sum_to(grad, node, node.operands[i].shape)
        return negative(back) if i else back

    def push(self, node: Call, i: int, tangent: Node) -> Node:
        return fill(negative(tangent) if i else tangent, node.shape)

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        return Minus(operands[0], operands[1])


class Product(Elementary):
    """a * b, element by element."""

    name = "*"
    ufunc = np.multiply

    def value(self, *arrays: Array, **options: Any) -> Array:
        out: Array = np.multiply(arrays[0], arrays[1])
        return out

    def pull(self, node: Call, i: int, grad: Node) -> Node:
        other = node.operands[1 - i]
        return sum_to(times(grad, other), node, node.operands[i].shape)

    def push(self, node: Call, i: int, tangent: Node) -> Node:
        return fill(times(tangent, node.operands[1 - i]), node.shape)

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        left, right = node.operands
        if left.shape == () or right.shape == ():
            return Times((operands[0], operands[1]), spaced=True)
        return Hadamard(operands[0], operands[1])


class Ratio(Elementary):
    """a / b."""

    name = "/"
    ufunc = np.true_divide

    def kind(self, operands: Sequence[Node]) -> Kind:
        return "real"

    def value(self, *arrays: Array, **options: Any) -> Array:
        out: Array = np.true_divide(arrays[0], arrays[1])
        return out

    def pull(self, node: Call, i: int, grad: Node) -> Node:
        above, below = node.operands
        if i == 0:
            return sum_to(over(grad, below), node, above.shape)
        back = negative(over(times(grad, above), power(below, constant(2))))
        return sum_to(back, node, below.shape)

    def push(self, node: Call, i: int, tangent: Node) -> Node:
        above, below = node.operands
        if i == 0:
            return fill(over(tangent, below), node.shape)
        along = negative(over(times(tangent, above), power(below, constant(2))))
        return fill(along, node.shape)

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        return Fraction(operands[0], operands[1])


class Minus1(Primitive):
    """−a."""

    name = "negative"
    linear = True

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        return operands[0].shape

    def kind(self, operands: Sequence[Node]) -> Kind:
        return kind_of(operands)

    def value(self, *arrays: Array, **options: Any) -> Array:
        return -arrays[0]

    def pull(self, node: Call, i: int, grad: Node) -> Node:
        return negative(grad)

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        return Negative(operands[0])


class Power(Elementary):
    """a ** b."""

    name = "**"

    def kind(self, operands: Sequence[Node]) -> Kind:
        exponent = operands[1]
        positive = isinstance(exponent, Constant) and exponent.value >= 0
        return kind_of(operands) if positive else "real"

    def value(self, *arrays: Array, **options: Any) -> Array:
        base, exponent = arrays
        if isinstance(exponent, int | float) and exponent == 2:
            out: Array = np.multiply(base, base)
            return out
        return np.asarray(base) ** exponent

    def pull(self, node: Call, i: int, grad: Node) -> Node:
        return sum_to(times(grad, self.slope(node, i)), node, node.operands[i].shape)

    def push(self, node: Call, i: int, tangent: Node) -> Node:
        return fill(times(tangent, self.slope(node, i)), node.shape)

    def slope(self, node: Call, i: int) -> Node:
        """b a^(b − 1), or aᵇ log a; 0 where both are 0, as PyTorch."""
        base, exponent = node.operands
        if i == 1:
            return call(PowerLog(), (base, exponent))
        if isinstance(exponent, Constant):
            if exponent.value == 0:
                return ZERO
            return times(exponent, power(base, constant(exponent.value - 1)))
        return times(exponent, power(base, minus(exponent, ONE)))

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        exponent = node.operands[1]
        if isinstance(exponent, Constant) and exponent.value == 2:
            return Square(operands[0])
        return Raised(operands[0], operands[1])


class PowerLog(Elementary):
    """aᵇ log a, the derivative of aᵇ by b: 0 where a = 0 and b ≥ 0, as PyTorch."""

    def value(self, *arrays: Array, **options: Any) -> Array:
        base, exponent = np.asarray(arrays[0]), np.asarray(arrays[1])
        out: Array = np.power(base, exponent) * np.log(base)
        return np.where((base == 0) & (exponent >= 0), out.dtype.type(0), out)

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        return Times((Raised(operands[0], operands[1]), Log(operands[0])), spaced=True)


class Permute(Primitive):
    """The axes in another order; ``axes`` lists all of them."""

    name = "transpose"
    linear = True

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        (a,), axes = operands, options["axes"]
        if sorted(axes) != list(range(a.rank)):
            wanted = ", ".join(map(str, range(a.rank)))
            raise Misfit(f"{described(a)}: transpose lists each of its axes once, {wanted}")
        return tuple(a.shape[k] for k in axes)

    def kind(self, operands: Sequence[Node]) -> Kind:
        return operands[0].kind

    def value(self, *arrays: Array, **options: Any) -> Array:
        a: Any = arrays[0]
        if not isinstance(a, np.ndarray):
            a = np.asarray(a)
        out: Array = a.transpose(options["axes"])  # np.transpose takes three times as long
        return out

    def pull(self, node: Call, i: int, grad: Node) -> Node:
        axes = node.option("axes")
        return permuted(fill(grad, node.shape), tuple(int(k) for k in np.argsort(axes)))

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        axes = node.option("axes")
        if axes == last_two(len(axes)):
            return Transpose(operands[0])
        said = tuple(map(str, axes))
        return Applied("transpose", tuple(operands), said, lambda a: np.transpose(a, axes))


class Reshape(Primitive):
    """The same elements, in the same order, in another shape."""

    name = "reshape"
    linear = True

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        (a,), shape = operands, tuple(options["shape"])
        count = math.prod(a.shape)
        if shape.count(-1) == 1:
            known = math.prod(size for size in shape if size != -1)
            if known and count % known == 0:
                shape = tuple(count // known if size == -1 else size for size in shape)
        if math.prod(shape) != count or any(size < 0 for size in shape):
            raise Misfit(f"{described(a)}, {count} elements, which {shape} does not hold")
        return shape

    def kind(self, operands: Sequence[Node]) -> Kind:
        return operands[0].kind

    def value(self, *arrays: Array, **options: Any) -> Array:
        return np.reshape(arrays[0], options["shape"])

    def pull(self, node: Call, i: int, grad: Node) -> Node:
        return reshaped(fill(grad, node.shape), node.operands[0].shape)

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        (a,), shape = node.operands, node.shape
        kept = tuple(size for size in a.shape if size != 1)
        if kept == tuple(size for size in shape if size != 1) and len(shape) > a.rank:
            index = new_axes(a.shape, shape)
            return Indexed(operands[0], index, lambda v: np.reshape(v, shape))
        said = tuple(map(str, shape))
        return Applied("reshape", tuple(operands), said, lambda v: np.reshape(v, shape))


def new_axes(old: Shape, new: Shape) -> str:
    """An index that adds axes of size 1: ``:, None``."""
    words, k = [], 0
    for size in new:
        if k < len(old) and old[k] == size:
            words.append(":")
            k += 1
        else:
            words.append("None")
    return ", ".join(words)


class SumTo(Primitive):
    """The sum over the axes that an operand was broadcast along, in the operand's shape."""

    linear = True

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        return tuple(options["shape"])

    def value(self, *arrays: Array, **options: Any) -> Array:
        a, shape = arrays[0], options["shape"]
        axes = summed_axes(a.shape, shape)
        out: Array = np.add.reduce(a, axis=axes)
        return out.reshape(shape)

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        axes, shape = summed_axes(node.operands[0].shape, node.shape), node.shape
        return Along(operands[0], axes, lambda a: a.sum(axis=axes).reshape(shape))


@lru_cache(maxsize=4096)
def summed_axes(shape: Shape, to: Shape) -> tuple[int, ...]:
    """The axes of ``shape`` along which a tensor of shape ``to`` was broadcast."""
    lead = len(shape) - len(to)
    ones = [lead + k for k, size in enumerate(to) if size == 1 and shape[lead + k] != 1]
    return (*range(lead), *ones)


class Fill(Primitive):
    """A tensor repeated to a larger shape, as broadcasting does."""

    linear = True
    makes = True

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        return tuple(options["shape"])

    def value(self, *arrays: Array, **options: Any) -> Array:
        out: Array = np.empty(options["shape"], np.result_type(arrays[0], options["dtype"]))
        out[...] = arrays[0]
        return out

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        shape, said = node.shape, tuple(map(str, node.shape))
        if node.operands[0] is ONE:
            return Applied("ones", (), said, lambda: np.ones(shape))
        return Applied("broadcast", tuple(operands), said, lambda a: np.broadcast_to(a, shape))


SUM, DIFFERENCE, PRODUCT, RATIO = Sum(), Difference(), Product(), Ratio()
NEGATIVE, POWER, PERMUTE = Minus1(), Power(), Permute()
RESHAPE, SUM_TO, FILL = Reshape(), SumTo(), Fill()


def coefficient(node: Node) -> tuple[Constant, Node | None]:
    """A node as a number times the rest; the rest is None for a number."""
    if isinstance(node, Constant):
        return node, None
    if isinstance(node, Call) and node.function is PRODUCT:
        left, right = node.operands
        if isinstance(left, Constant) and right.shape == node.shape:
            return left, right
    if isinstance(node, Call) and node.function is NEGATIVE:
        number, rest = coefficient(node.operands[0])
        return scaled(number, constant(-1.0)), rest
    return ONE, node


def scaled(a: Constant, b: Constant) -> Constant:
    """The product of two numbers; of fractions a fraction."""
    above, below = a.above * b.above, a.below * b.below
    if below < 0:
        above, below = -above, -below
    return fraction(above, below)


def fraction(above: float, below: float) -> Constant:
    """above/below as a number that is written so where both are whole."""
    whole = float(above).is_integer() and float(below).is_integer() and abs(above) < 1e9
    if below and whole and abs(below) < 1e9:
        divisor = math.gcd(int(above), int(below)) if below > 1 and above % below == 0 else 1
        return constant(above / below, above / divisor, below / divisor)
    if below > 1 and len(f"{above:g}") <= SHORT and float(f"{above:g}") == above:
        return constant(above / below, above, below)
    return constant(above / below if below else math.nan)


def number_times(number: Constant, rest: Node | None) -> Node:
    """number · rest, without a factor of 1 or −1."""
    if rest is None:
        return number
    if number.value == 1:
        return rest
    if number.value == -1:
        return call(NEGATIVE, (rest,))
    return call(PRODUCT, (number, rest))


def times(a: Node, b: Node) -> Node:
    """a ⊙ b, with the numbers in front."""
    (m, left), (n, right) = coefficient(a), coefficient(b)
    number = scaled(m, n)
    if left is None or right is None:
        return number_times(number, right if left is None else left)
    for ones, other in ((left, right), (right, left)):
        if is_ones(ones) and np.broadcast_shapes(ones.shape, other.shape) == other.shape:
            return number_times(number, other)
    return number_times(number, call(PRODUCT, (left, right)))


def is_ones(node: Node) -> bool:
    """Whether a tensor is 1 everywhere, as the gradient of a sum is."""
    return isinstance(node, Call) and node.function is FILL and node.operands[0] is ONE


def over(a: Node, b: Node) -> Node:
    """a / b; by a number it is a fraction in front."""
    number, rest = coefficient(a)
    if isinstance(b, Constant):
        return number_times(scaled(number, fraction(b.below, b.above)), rest)
    if rest is None:
        return call(RATIO, (number, b))
    return number_times(number, call(RATIO, (rest, b)))


def negative(a: Node) -> Node:
    """−a."""
    number, rest = coefficient(a)
    return number_times(scaled(number, constant(-1.0)), rest)


def plus(a: Node, b: Node) -> Node:
    """a + b."""
    if isinstance(b, Constant) and b.value == 0:
        return a
    if isinstance(a, Constant) and a.value == 0:
        return b
    number, rest = coefficient(b)
    if number.value < 0 and rest is not None:
        return call(DIFFERENCE, (a, number_times(scaled(number, constant(-1.0)), rest)))
    return call(SUM, (a, b))


def minus(a: Node, b: Node) -> Node:
    """a − b."""
    if isinstance(a, Constant) and isinstance(b, Constant):
        return constant(a.value - b.value)
    return a if isinstance(b, Constant) and b.value == 0 else call(DIFFERENCE, (a, b))


def power(a: Node, b: Node) -> Node:
    """a ** b; a¹ is a."""
    if isinstance(b, Constant) and b.value == 1:
        return a
    if isinstance(b, Constant) and b.value == 0:
        return ONE
    return call(POWER, (a, b))


def last_two(rank: int) -> tuple[int, ...]:
    """The order of axes that swaps the last two."""
    return (*range(rank - 2), rank - 1, rank - 2)


def transposed(a: Node) -> Node:
    """The last two axes swapped."""
    return permuted(a, last_two(a.rank))


def permuted(a: Node, axes: tuple[int, ...]) -> Node:
    """The axes in another order; of a product (a b)ᵀ = bᵀ aᵀ."""
    if axes == tuple(range(a.rank)):
        return a
    number, rest = coefficient(a)
    if rest is not None and rest is not a:
        return number_times(number, permuted(rest, axes))
    if isinstance(a, Call) and a.function is PERMUTE:
        inner = a.option("axes")
        return permuted(a.operands[0], tuple(inner[k] for k in axes))
    if isinstance(a, Call) and axes == last_two(a.rank):
        turned = a.function.turned(a)
        if turned is not None:
            return turned
    return call(PERMUTE, (a,), (("axes", axes),))


def reshaped(a: Node, shape: Shape) -> Node:
    """The same elements in another shape."""
    if a.shape == shape:
        return a
    number, rest = coefficient(a)
    if rest is not None and rest is not a:
        return number_times(number, reshaped(rest, shape))
    if isinstance(a, Call) and a.function is RESHAPE:
        return reshaped(a.operands[0], shape)
    if is_ones(a):
        return fill(ONE, shape)
    return call(RESHAPE, (a,), (("shape", shape),))


def column(a: Node) -> Node:
    """A new last axis of size 1."""
    return reshaped(a, (*a.shape, 1))


def row(a: Node) -> Node:
    """A new axis of size 1 before the last."""
    return reshaped(a, (*a.shape[:-1], 1, *a.shape[-1:]))


def fill(a: Node, shape: Shape) -> Node:
    """A tensor broadcast to a shape; itself where it has it."""
    if a.shape == shape:
        return a
    number, rest = coefficient(a)
    if rest is None:
        return number_times(number, call(FILL, (ONE,), (("shape", shape),)))
    return number_times(number, call(FILL, (rest,), (("shape", shape),)))


def sum_to(grad: Node, node: Node | None, shape: Shape) -> Node:
    """A gradient summed to the shape of an operand that broadcast to ``node``.

    A gradient that broadcasts to the node is repeated first only where that changes the sum.
    """
    whole = grad.shape if node is None else np.broadcast_shapes(grad.shape, node.shape)
    axes = summed_axes(whole, shape)
    if not axes and len(grad.shape) <= len(shape):
        return grad
    grad = fill(grad, whole)
    number, rest = coefficient(grad)
    assert rest is not None
    if not axes:
        return reshaped(grad, shape)
    if is_ones(rest):
        count = math.prod(whole) // max(1, math.prod(shape))
        return fill(scaled(number, constant(float(count))), shape)
    return number_times(number, call(SUM_TO, (rest,), (("shape", shape),)))
