"""Functions of each element in lines: NumPy's, activations of layers, comparisons, choices."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.arrays import Array, Shape
from engine.formulas.elements import Absolute, Log
from engine.formulas.named import Apply, Named, word
from engine.formulas.tree import Formula, Hadamard
from engine.functions.elementwise.exp import EXP as EXP_NAMED
from engine.functions.function import Activation, Elementwise
from engine.lines.algebra import (
    Elementary,
    broadcast,
    fill,
    fraction,
    kind_of,
    minus,
    negative,
    over,
    power,
    sum_to,
    times,
)
from engine.lines.node import Call, Kind, Misfit, Node, Primitive, call, constant, described
from engine.lines.writing import Applied

Slope = Callable[[Node, Node], Node | None]  # of the operand and the result; None for zero


@dataclass(frozen=True, eq=False)
class Unary(Primitive):
    """A function of each element; ``slope`` is its derivative, of the operand and the result.

    ``bends`` is the operand at which the derivative jumps.
    """

    name: str
    evaluate: Callable[[Array], Array]
    slope: Slope
    named: Callable[[Formula], Formula]
    real: bool = True
    bends: float | None = None

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        return operands[0].shape

    def kind(self, operands: Sequence[Node]) -> Kind:
        return "real" if self.real else kind_of(operands)

    def value(self, *arrays: Array, **options: Any) -> Array:
        return self.evaluate(arrays[0])

    def pull(self, node: Call, i: int, grad: Node) -> Node | None:
        slope = self.slope(node.operands[0], node)
        return None if slope is None else times(grad, slope)

    def push(self, node: Call, i: int, tangent: Node) -> Node:
        slope = self.slope(node.operands[0], node)
        return fill(constant(0.0) if slope is None else times(tangent, slope), node.shape)

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        return self.named(operands[0])

    def kinks(self, node: Call) -> Sequence[Node]:
        return () if self.bends is None else (minus(node.operands[0], constant(self.bends)),)


def called(name: str, evaluate: Callable[[Array], Array]) -> Callable[[Formula], Formula]:
    """A function that is written as ``name(z)``."""
    named = Named(name, word(name), evaluate)
    return lambda inner: Apply(named, inner)


def unary(
    name: str,
    evaluate: Callable[[Array], Array],
    slope: Slope,
    named: Callable[[Formula], Formula] | None = None,
    real: bool = True,
    bends: float | None = None,
) -> Unary:
    """A row of the table of NumPy's functions."""
    return Unary(name, evaluate, slope, named or called(name, evaluate), real, bends)


SIGN = unary("sign", np.sign, lambda x, out: None, real=False)
EXP = unary("exp", np.exp, lambda x, out: out, lambda z: Apply(EXP_NAMED, z))
COS: Unary = unary("cos", np.cos, lambda x, out: negative(call(SIN, (x,))))
SIN: Unary = unary("sin", np.sin, lambda x, out: call(COS, (x,)))
LOG = unary("log", np.log, lambda x, out: power(x, constant(-1)), Log)

ABSOLUTE = unary("abs", np.abs, lambda x, out: call(SIGN, (x,)), Absolute, real=False, bends=0.0)

UNARY = (
    SIGN,
    EXP,
    SIN,
    COS,
    LOG,
    unary("log2", np.log2, lambda x, out: over(constant(1 / np.log(2.0)), x)),
    unary("log10", np.log10, lambda x, out: over(constant(1 / np.log(10.0)), x)),
    unary("sqrt", np.sqrt, lambda x, out: over(fraction(1, 2), out)),
    ABSOLUTE,
    unary("square", np.square, lambda x, out: times(constant(2.0), x), real=False),
    unary("floor", np.floor, lambda x, out: None),
    unary("ceil", np.ceil, lambda x, out: None),
    unary("round", np.rint, lambda x, out: None),
)


@dataclass(frozen=True, eq=False)
class Activated(Primitive):
    """An activation of layers as a function of lines, with its options as they are there."""

    function: Activation

    @property
    def name(self) -> str:  # type: ignore[override]
        return self.function.type

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        return operands[0].shape

    def value(self, *arrays: Array, **options: Any) -> Array:
        return self.function.value(np.asarray(arrays[0]))

    def pull(self, node: Call, i: int, grad: Node) -> Node:
        at = tuple(node if role == "output" else node.operands[0] for role in self.function.pulls)
        return call(Pulled(self.function), (fill(grad, node.shape), *at))

    def push(self, node: Call, i: int, tangent: Node) -> Node:
        # The Jacobian of each activation here is symmetric: along a tangent it is the pull.
        return self.pull(node, i, tangent)

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        return self.function.formula({"input": operands[0]})

    def kinks(self, node: Call) -> Sequence[Node]:
        return [minus(node.operands[0], constant(at)) for at in self.function.kinks]

    def __hash__(self) -> int:
        return hash(self.function)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Activated) and self.function == other.function


@dataclass(frozen=True, eq=False)
class Pulled(Primitive):
    """The gradient of an activation's operand, from that of its result."""

    function: Activation

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        return operands[0].shape

    def value(self, *arrays: Array, **options: Any) -> Array:
        return self.function.pull(np.asarray(arrays[0]), np.asarray(arrays[1]))

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        grad, (role,) = operands[0], self.function.pulls
        terms = {role: operands[1], "input": operands[1], "output": operands[1]}
        if isinstance(self.function, Elementwise):
            return Hadamard(grad, self.function.slope(terms))
        name = f"{self.function.type}′"
        return Applied(name, tuple(operands), (), self.function.pull)

    def __hash__(self) -> int:
        return hash(("pull", self.function))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pulled) and self.function == other.function


@dataclass(frozen=True, eq=False)
class Comparison(Primitive):
    """A condition on each element; nothing has a derivative by it."""

    name: str
    written: str
    evaluate: Callable[[Array, Array], Array]

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        return Elementary.infer(self, operands, options)  # type: ignore[arg-type]

    def kind(self, operands: Sequence[Node]) -> Kind:
        return "truth"

    def value(self, *arrays: Array, **options: Any) -> Array:
        return self.evaluate(arrays[0], arrays[1])

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        return Between(operands[0], self.written, operands[1], self.evaluate)


COMPARISONS = (
    Comparison(">", ">", np.greater),
    Comparison(">=", "≥", np.greater_equal),
    Comparison("<", "<", np.less),
    Comparison("<=", "≤", np.less_equal),
    Comparison("==", "=", np.equal),
    Comparison("!=", "≠", np.not_equal),
)


@dataclass(frozen=True)
class Between(Formula):
    """[left ≷ right]: 1 where it holds, else 0."""

    left: Formula
    sign: str
    right: Formula
    evaluate: Callable[[Array, Array], Array] = field(compare=False)

    def text(self) -> str:
        return f"[{self.left.text()} {self.sign} {self.right.text()}]"

    def latex(self) -> str:
        sign = {"≥": r"\ge", "≤": r"\le", "≠": r"\ne"}.get(self.sign, self.sign)
        return f"[{self.left.latex()} {sign} {self.right.latex()}]"

    def value(self, values: Mapping[str, Array]) -> Array:
        found = self.evaluate(self.left.value(values), self.right.value(values))
        return np.asarray(found, dtype=np.float64)


class Where(Primitive):
    """where(c, a, b): a where the condition holds, else b."""

    name = "where"
    makes = True

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        return broadcast(operands)

    def kind(self, operands: Sequence[Node]) -> Kind:
        return kind_of(operands[1:])

    def value(self, *arrays: Array, **options: Any) -> Array:
        condition, a, b = arrays
        # Two Python numbers would make float64 of a float32 network.
        dtype = options["dtype"] if not (np.ndim(a) or np.ndim(b)) else None
        out: Array = np.where(np.asarray(condition) != 0, a, b)
        return out if dtype is None or out.dtype.kind != "f" else out.astype(dtype)

    def pull(self, node: Call, i: int, grad: Node) -> Node | None:
        if i == 0:
            return None
        condition, zero = node.operands[0], constant(0.0)
        grad = fill(grad, node.shape)
        chosen = (condition, grad, zero) if i == 1 else (condition, zero, grad)
        return sum_to(call(WHERE, chosen), node, node.operands[i].shape)

    def push(self, node: Call, i: int, tangent: Node) -> Node:
        if i == 0:
            return fill(constant(0.0), node.shape)
        condition, zero = node.operands[0], constant(0.0)
        chosen = (condition, tangent, zero) if i == 1 else (condition, zero, tangent)
        return fill(call(WHERE, chosen), node.shape)

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        return Applied("where", tuple(operands), (), chosen)


def chosen(condition: Array, a: Array, b: Array) -> Array:
    """a where the condition holds, else b."""
    out: Array = np.where(condition != 0, a, b)
    return out


WHERE = Where()


@dataclass(frozen=True, eq=False)
class Extreme(Elementary):
    """maximum(a, b) and minimum(a, b); where both are equal each has half, as in PyTorch."""

    name: str
    evaluate: Callable[[Array, Array], Array]
    wins: Callable[[Array, Array], Array]

    def value(self, *arrays: Array, **options: Any) -> Array:
        return self.evaluate(arrays[0], arrays[1])

    def pull(self, node: Call, i: int, grad: Node) -> Node:
        share = call(Share(self), (node.operands[i], node.operands[1 - i]))
        return sum_to(times(grad, share), node, node.operands[i].shape)

    def push(self, node: Call, i: int, tangent: Node) -> Node:
        share = call(Share(self), (node.operands[i], node.operands[1 - i]))
        return fill(times(tangent, share), node.shape)

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        return Applied(self.name, tuple(operands), (), self.evaluate)

    def kinks(self, node: Call) -> Sequence[Node]:
        return (minus(node.operands[0], node.operands[1]),)


@dataclass(frozen=True)
class Share(Elementary):
    """1 where the first operand is the extreme one, ½ where both are equal, else 0."""

    makes = True
    of: Extreme

    def kind(self, operands: Sequence[Node]) -> Kind:
        return "real"

    def value(self, *arrays: Array, **options: Any) -> Array:
        mine, other = arrays
        dtype = np.result_type(mine, other)
        dtype = dtype if dtype.kind == "f" else options["dtype"]
        out: Array = np.where(self.of.wins(mine, other), 1.0, 0.0) + np.where(
            np.equal(mine, other), 0.5, 0.0
        )
        return out.astype(dtype)

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        sign = ">" if self.of.name == "maximum" else "<"
        return Between(operands[0], sign, operands[1], lambda a, b: self.value(a, b, dtype=float))


MAXIMUM = Extreme("maximum", np.maximum, np.greater)
MINIMUM = Extreme("minimum", np.minimum, np.less)


class Clip(Primitive):
    """clip(z, low, high): z kept within two numbers; the gradient passes at the bounds too."""

    name = "clip"

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        (a,) = operands
        if options["low"] > options["high"]:
            raise Misfit(f"{described(a)}: clip has its lower bound above the upper one")
        return a.shape

    def value(self, *arrays: Array, **options: Any) -> Array:
        out: Array = np.clip(arrays[0], options["low"], options["high"])
        return out

    def pull(self, node: Call, i: int, grad: Node) -> Node:
        return times(grad, call(Within(), node.operands, node.options))

    def push(self, node: Call, i: int, tangent: Node) -> Node:
        return fill(times(tangent, call(Within(), node.operands, node.options)), node.shape)

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        said = (f"{node.option('low'):g}", f"{node.option('high'):g}")
        options = dict(node.options)
        return Applied("clip", tuple(operands), said, lambda a: self.value(a, **options))

    def kinks(self, node: Call) -> Sequence[Node]:
        middle = (node.option("low") + node.option("high")) / 2
        half = (node.option("high") - node.option("low")) / 2
        away = call(ABSOLUTE, (minus(node.operands[0], constant(middle)),))
        return (minus(away, constant(half)),)


@dataclass(frozen=True)
class Within(Primitive):
    """1 where an element is within two bounds, or at them, else 0."""

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        return operands[0].shape

    def value(self, *arrays: Array, **options: Any) -> Array:
        a = np.asarray(arrays[0])
        held = (a >= options["low"]) & (a <= options["high"])
        out: Array = held.astype(a.dtype if a.dtype.kind == "f" else np.float64)
        return out

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        options = dict(node.options)
        low, high = f"{options['low']:g}", f"{options['high']:g}"
        return Applied("within", tuple(operands), (low, high), lambda a: self.value(a, **options))


CLIP = Clip()
