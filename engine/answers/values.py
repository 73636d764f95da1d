"""What an answer is worth in a scene: its value as a matrix, in one layout of the derivatives."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from engine.answers.expr import Expr
from engine.answers.reading import Reading
from engine.answers.scene import Scene
from engine.arrays import Array, Shape
from engine.errors import GradstepError
from engine.functions.function import Activation, Elementwise

Indices = Mapping[str, int]
EMPTY: Indices = {}
MOST = 4096  # elements that a rule with indices is tried at
FLOPS = 4096  # multiplications that cost as much as evaluating a node
CALLS: dict[str, Any] = {
    "exp": np.exp, "log": np.log, "sqrt": np.sqrt, "abs": np.abs, "sign": np.sign,
}  # fmt: skip
REDUCED: dict[str, Any] = {"total": np.sum, "mean": np.mean, "max": np.max, "min": np.min}
BETWEEN: dict[str, Any] = {"max": np.maximum, "min": np.minimum}
COMPARED: dict[str, Any] = {
    "=": np.equal, "≠": np.not_equal, "<": np.less, ">": np.greater,
    "≤": np.less_equal, "≥": np.greater_equal,
}  # fmt: skip


class Mismatch(Exception):
    """An expression whose dimensions do not conform; ``dims`` are those of the factors."""

    def __init__(self, message: str, dims: list[tuple[int, ...]] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.dims = dims or []


class Unit:
    """The identity, of whatever size fits, times a number."""

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale


Value = Array | Unit


def size_text(value: Value) -> str:
    """The dimensions of a value: 3×2, or scalar."""
    if isinstance(value, Unit):
        return "I"
    return "×".join(map(str, value.shape)) if value.ndim else "scalar"


class Spent(Exception):
    """The work that an answer may cost is used up."""


@dataclass
class Meter:
    """How much work is left, in nodes evaluated; large products cost more. ``outer`` pays too."""

    left: int
    outer: "Meter | None" = None

    def spend(self, work: int) -> None:
        """Use some of it up; raises Spent where there is none left."""
        self.left -= work
        if self.left < 0:
            raise Spent
        if self.outer is not None:
            self.outer.spend(work)


@dataclass(frozen=True, eq=False)
class Evaluator:
    """Evaluates expressions in a scene, derivatives in one layout."""

    scene: Scene
    layout: Reading
    meter: Meter

    def value(self, one: Expr, at: Indices = EMPTY) -> Value:
        """The value; scalars have shape (). Raises Mismatch where dimensions do not conform."""
        with np.errstate(all="ignore"):
            return self.made(one, at)

    def made(self, one: Expr, at: Indices) -> Value:
        """As :meth:`value`, without looking after warnings; raises Spent too."""
        self.meter.spend(1)
        found: Value
        match one.op:
            case "number":
                found = np.asarray(float(one.data))
            case "size":
                found = np.asarray(float(self.scene.letters[one.data]))
            case "letter":
                found = np.asarray(float(self.bound(one.data, at)))
            case "kronecker":
                i, j = (self.bound(name, at) for name in one.data)
                found = np.asarray(float(i == j))
            case "eye":
                found = Unit()
            case "tensor":
                found = self.scene.value(one.data)
            case "partial":
                found = self.partial(*one.data)
            case "negative":
                found = self.scaled(self.made(one.args[0], at), -1.0)
            case "transpose":
                inner = self.made(one.args[0], at)
                found = inner if isinstance(inner, Unit) else inner.T
            case "sum":
                found = self.sum(one, at)
            case "product":
                found = self.product(one, at)
            case _:
                found = self.rest(one, at)
        return found

    def rest(self, one: Expr, at: Indices) -> Value:
        """The less frequent kinds of node."""
        if one.op == "over":
            return self.over(one, at)
        if one.op in ("compare", "logic"):
            return self.truth(one, at)
        if one.op == "cases":
            return self.cases(one, at)
        args = [self.array(arg, at) for arg in one.args]
        match one.op:
            case "elementwise":
                a, b = args
                self.alike(a, b, "⊙")
                return np.asarray(a * b)
            case "between":
                a, b = args
                self.alike(a, b, ",")
                return np.asarray(BETWEEN[one.data](a, b))
            case "quotient":
                a, b = args
                if b.size > 1:
                    self.alike(a, b, "/")
                return np.asarray(a / (b if b.size > 1 else b.reshape(())))
            case "power":
                return np.asarray(args[0] ** int(one.data))
            case "matrix":
                return self.matrix(args, *one.data)
            case "element":
                return self.element(args[0], one.data, at)
        return self.applied(one, args[0])

    def applied(self, one: Expr, inner: Array) -> Value:
        """A function of a value, its slope, or a norm."""
        match one.op:
            case "norm":
                return np.asarray(np.sqrt(np.sum(inner**2)))
            case "call":
                return self.call(one.data, inner)
            case "slope":
                return self.slope(one.data, inner)
        raise Mismatch(f"cannot evaluate {one.op}")

    def matrix(self, cells: list[Array], rows: int, cols: int) -> Array:
        """Numbers, or matrices that fit beside and below each other, as one matrix."""
        blocks = [cell if cell.ndim else cell.reshape(1, 1) for cell in cells]
        try:
            made: Array = np.block([blocks[i * cols : (i + 1) * cols] for i in range(rows)])
            return made
        except ValueError:
            said = ", ".join(dict.fromkeys(map(size_text, cells)))
            raise Mismatch(f"the cells of a matrix do not fit: {said}") from None

    def array(self, one: Expr, at: Indices) -> Array:
        """The value of an argument that is no identity of an unknown size."""
        found = self.made(one, at)
        if isinstance(found, Unit):
            raise Mismatch("the size of I is not known here")
        return found

    def bound(self, name: str, at: Indices) -> int:
        """The number that an index stands for, from 0; a number in a formula counts from 1."""
        if name.isdecimal():
            return int(name) - 1
        if name not in at:
            raise Mismatch(f"the index {name} has no meaning here")
        return at[name]

    def partial(self, of: str, wrt: str, own: bool) -> Array:
        """∂of/∂wrt in the layout; of the loss by a matrix it is a matrix.

        ``own`` is the gradient in the shape of what it is by, whatever the layout.
        """
        try:
            found = self.scene.jacobian(of, wrt)
            if len(found) == 1 and (own or self.scene.matrix(wrt)):
                matrix = self.scene.gradient(of, wrt)
                return matrix if own or self.layout == "gradient" else matrix.T
        except GradstepError as error:
            raise Mismatch(str(error)) from None
        return found.T if self.layout == "gradient" else found

    def scaled(self, value: Value, by: float) -> Value:
        """A value times a number."""
        return Unit(value.scale * by) if isinstance(value, Unit) else np.asarray(value * by)

    def alike(self, a: Array, b: Array, sign: str) -> None:
        """Refuse two values of different dimensions, neither of which is a scalar.

        In a batch a row goes with every row, as b does.
        """
        if a.shape == b.shape or 1 in (a.size, b.size):
            return
        by_row = a.ndim == b.ndim == 2 and a.shape[1] == b.shape[1] and 1 in (len(a), len(b))
        if self.scene.sample is not None or not by_row:
            raise Mismatch(
                f"({size_text(a)}) {sign} ({size_text(b)}) do not conform", [a.shape, b.shape]
            )

    def sum(self, one: Expr, at: Indices) -> Value:
        """Terms of one shape; I takes that of the others."""
        terms = [self.made(arg, at) for arg in one.args]
        arrays = [term for term in terms if not isinstance(term, Unit)]
        if not arrays:
            return Unit(sum(term.scale for term in terms if isinstance(term, Unit)))
        shape = max((a.shape for a in arrays), key=math.prod)
        found = np.zeros(shape)
        for term in terms:
            if isinstance(term, Unit):
                if len(shape) != 2 or shape[0] != shape[1]:
                    raise Mismatch("I is square, and what it is added to is not")
                found = found + term.scale * np.eye(shape[0])
            else:
                self.alike(found, term, "+")
                found = found + (term if term.size > 1 or not shape else term.reshape(()))
        return found

    def product(self, one: Expr, at: Indices) -> Value:
        """The product of matrices from the left; numbers go where they fit."""
        factors = [self.made(arg, at) for arg in one.args]
        return multiplied(factors, self.meter)

    def over(self, one: Expr, at: Indices) -> Value:
        """Σ over an index, or over all elements where it has none."""
        name, body = one.data, one.args[0]
        size = self.range_of(body, name, at) if name else None
        if size is None:
            return np.asarray(np.sum(self.array(body, at)))
        total = np.asarray(0.0)
        for i in range(min(size, MOST)):
            total = np.asarray(total + self.array(body, {**at, name: i}))
        return total

    def range_of(self, body: Expr, name: str, at: Indices) -> int | None:
        """How far an index runs, by what it is an index of."""
        for _, node in body.walk():
            if node.op == "element" and name in node.data:
                free = {**dict.fromkeys("ijkm", 0), **at}
                shape = self.array(node.args[0], free).shape
                vector = len(node.data) == 1
                return max(shape) if vector else int(shape[node.data.index(name)])
        return None

    def element(self, inner: Array, names: tuple[str, ...], at: Indices) -> Value:
        """An element of a vector or a matrix."""
        place = place_in(inner.shape, names, [self.bound(name, at) for name in names])
        if place is not None:
            return np.asarray(inner[place])
        raise Mismatch(f"({size_text(inner)}) has no element with the indices {', '.join(names)}")

    def call(self, function: str | Activation, inner: Array) -> Value:
        """A function of each element, or of a column; diag, sums, norms."""
        if isinstance(function, Activation):
            return in_rows(function.value, inner)
        if function in CALLS:
            return np.asarray(CALLS[function](inner))
        if function == "diag":
            if inner.ndim != 2 or 1 not in inner.shape:
                raise Mismatch(f"diag takes a vector, not ({size_text(inner)})")
            return np.diag(inner.reshape(-1))
        if function == "norm":
            return np.asarray(np.sqrt(np.sum(inner**2)))
        if function == "truth":
            return inner
        return np.asarray(REDUCED[str(function)](inner))

    def slope(self, function: str | Activation, inner: Array) -> Value:
        """f′ of each element."""
        if not isinstance(function, Elementwise):
            raise Mismatch("′ is the slope of a function of each element")
        z = inner.reshape(1, -1).astype(np.float64)
        at = z if function.pulls == ("input",) else function.value(z)
        return np.asarray(function.slopes(at)).reshape(inner.shape)

    def truth(self, one: Expr, at: Indices) -> Array:
        """A condition, 1 where it holds and 0 where it does not."""
        args = [self.array(arg, at) for arg in one.args]
        if one.op == "logic":
            holds = np.logical_and if one.data == "and" else np.logical_or
            found = args[0]
            for arg in args[1:]:
                self.alike(found, arg, one.data)
                found = holds(found, arg)
            return np.asarray(found, dtype=np.float64)
        found = np.asarray(1.0)
        for (a, b), sign in zip(pairwise(args), one.data, strict=True):
            self.alike(a, b, sign)
            found = np.logical_and(found, COMPARED[sign](a, b))
        return np.asarray(found, dtype=np.float64)

    def cases(self, one: Expr, at: Indices) -> Array:
        """What the first condition that holds says; the last value otherwise, or 0."""
        args = one.args
        found = self.array(args[-1], at) if len(args) % 2 else np.asarray(0.0)
        for k in range(2 * (len(args) // 2) - 2, -2, -2):
            holds = self.truth(args[k + 1], at)
            # With indices a branch may be about an element that is not there.
            if holds.size == 1:
                found = self.array(args[k], at) if holds.reshape(()) else found
                continue
            value = self.array(args[k], at)
            self.alike(value, holds, "if")
            self.alike(found, holds, "else")
            found = np.where(holds > 0, value, found)
        return found


def place_in(shape: Shape, names: Sequence[str], places: Sequence[int]) -> tuple[int, int] | None:
    """Where an element is; None where there is none. Two digits may be a row and a column."""
    if len(shape) != 2 or min(places) < 0:
        return None
    if len(places) == 1 and 1 in shape and places[0] < math.prod(shape):
        return (places[0], 0) if shape[1] == 1 else (0, places[0])
    name = names[0]
    if len(places) == 1 and name.isdecimal() and len(name) == 2 and "0" not in name:
        places = int(name[0]) - 1, int(name[1]) - 1
    if len(places) == 2 and places[0] < shape[0] and places[1] < shape[1]:
        return places[0], places[1]
    return None


def of_one_size(one: Expr) -> bool:
    """Whether an expression counts elements, so that it says something of one size alone."""
    return any(
        node.op == "matrix" or (node.op == "element" and any(map(str.isdecimal, node.data)))
        for _, node in one.walk()
    )


def in_rows(function: Any, inner: Array) -> Array:
    """A function of rows, of a column or a matrix of rows."""
    if inner.ndim < 2:
        return np.asarray(function(inner.reshape(1, 1))).reshape(inner.shape)
    if inner.shape[1] == 1:
        return np.asarray(function(inner.T)).T
    return np.asarray(function(inner))


def multiplied(factors: list[Value], meter: Meter) -> Value:
    """The product of factors from the left. Raises Mismatch with the dimensions of all."""
    scale, arrays = 1.0, []
    for factor in factors:
        if isinstance(factor, Unit):
            scale *= factor.scale
        elif factor.ndim == 0:
            scale = scale * float(factor)
        else:
            arrays.append(factor)
    if not arrays:
        unit = any(isinstance(factor, Unit) for factor in factors)
        return Unit(scale) if unit else np.asarray(scale)
    found = arrays[0]
    for factor in arrays[1:]:
        if found.shape[1] != factor.shape[0] and 1 not in (found.size, factor.size):
            dims = [a.shape for a in arrays]
            said = "".join(f"({rows}×{cols})" for rows, cols in dims)
            raise Mismatch(f"{said} do not conform", dims)
        meter.spend(found.size * factor.shape[1] // FLOPS)
        plain = found.shape[1] == factor.shape[0]
        found = found @ factor if plain else found * factor
    return np.asarray(found * scale)


def free_indices(one: Expr, bound: tuple[str, ...] = ()) -> Iterator[str]:
    """The indices that an expression leaves open, in the order in which they stand."""
    match one.op:
        case "letter" if one.data not in bound:
            yield one.data
        case "element" | "kronecker":
            yield from (n for n in one.data if n not in bound and not n.isdecimal())
    inner = (*bound, one.data) if one.op == "over" and one.data else bound
    for arg in one.args:
        yield from free_indices(arg, inner)
