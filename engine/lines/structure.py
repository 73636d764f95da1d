"""Functions of lines that move elements: indices, joins, repetition, padding, one-hot rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.arrays import Array, Shape
from engine.formulas.tree import Formula
from engine.lines.algebra import coefficient, fill, number_times, reshaped
from engine.lines.node import Call, Kind, Misfit, Node, Primitive, call, described
from engine.lines.reductions import TOTAL
from engine.lines.writing import Applied, Indexed

Entry = tuple[Any, ...]  # ("slice", start, stop, step) ("at", i) ("new",) ("rest",) ("by", operand)


def key_of(entries: Sequence[Entry], indices: Sequence[Any]) -> tuple[Any, ...]:
    """NumPy's index for these entries; ``indices`` are the arrays that some of them name."""
    out: list[Any] = []
    for entry in entries:
        match entry[0]:
            case "slice":
                out.append(slice(*entry[1:]))
            case "at":
                out.append(entry[1])
            case "new":
                out.append(None)
            case "rest":
                out.append(...)
            case _:
                out.append(np.asarray(indices[entry[1]]))
    return tuple(out)


def index_text(entries: Sequence[Entry], indices: Sequence[str]) -> str:
    """An index as it is written."""
    return ", ".join(entry_text(entry, indices) for entry in entries)


def entry_text(entry: Entry, indices: Sequence[str]) -> str:
    """One part of an index as it is written."""
    match entry:
        case ("slice", start, stop, step):
            ends = ["" if end is None else str(end) for end in (start, stop)]
            return ":".join([*ends, str(step)] if step is not None else ends)
        case ("at", i):
            return str(i)
        case ("new",):
            return "None"
        case ("rest",):
            return "..."
        case _:
            return indices[entry[1]]


class Index(Primitive):
    """inner[…]: integers, slices, tensors of whole numbers; repeated ones add their gradients."""

    name = "index"

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        inner, *indices = operands
        for one in indices:
            if one.kind != "whole":
                raise Misfit(f"{described(one)}: an index is made of whole numbers")
        # A view without memory has the shape: NumPy itself says what its rules give.
        like: Any = np.broadcast_to(np.zeros(()), inner.shape)
        given = [np.zeros(one.shape, np.int64) for one in indices]
        try:
            if any(size == 0 for size in inner.shape) and given:
                raise IndexError("an axis is empty")
            return tuple(like[key_of(options["entries"], given)].shape)
        except IndexError as error:
            raise Misfit(f"{described(inner)}: {error}") from None

    def kind(self, operands: Sequence[Node]) -> Kind:
        return operands[0].kind

    def value(self, *arrays: Array, **options: Any) -> Array:
        inner, *indices = arrays
        entries = options["entries"]
        if len(entries) == 1 and entries[0][0] == "by":
            out: Array = np.take(inner, checked(indices[0], inner.shape[0]), axis=0)
            return out
        out = np.asarray(inner)[key_of(entries, indices)]
        return out

    def pull(self, node: Call, i: int, grad: Node) -> Node | None:
        if i:
            return None
        inner, *indices = node.operands
        number, rest = coefficient(fill(grad, node.shape))
        assert rest is not None
        options = (*node.options, ("shape", inner.shape))
        return number_times(number, call(SCATTER, (rest, *indices), options))

    def push(self, node: Call, i: int, tangent: Node) -> Node:
        return call(self, (tangent, *node.operands[1:]), node.options)

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        entries = node.option("entries")
        text = index_text(entries, [one.text() for one in operands[1:]])
        return Indexed(operands[0], text, lambda a: a)


def checked(index: Array, size: int) -> Any:
    """Indices as whole numbers; an IndexError names one that is beyond the size."""
    found: Any = np.asarray(index)
    if found.size and (found.min() < -size or found.max() >= size):
        worst = found.min() if found.min() < -size else found.max()
        raise IndexError(f"index {worst} is out of bounds for size {size}")
    return found


class Scatter(Primitive):
    """Zeros with a gradient added where its elements were taken from."""

    linear = True

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        return tuple(options["shape"])

    def value(self, *arrays: Array, **options: Any) -> Array:
        grad, *indices = arrays
        out = np.zeros(options["shape"], grad.dtype)
        key = key_of(options["entries"], indices)
        if indices:
            np.add.at(out, key, grad)
        else:
            out[key] = grad  # slices and numbers take each element once
        return out

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        text = index_text(node.option("entries"), [one.text() for one in operands[1:]])
        return Applied("scatter", (operands[0],), (f"[{text}]",), lambda a: a)


class Concat(Primitive):
    """Tensors one after the other along an axis."""

    name = "concat"

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        first, axis = operands[0], options["axis"]
        if not -first.rank <= axis < first.rank:
            raise Misfit(f"{described(first)}: it has no axis {axis} to join along")
        k = axis % first.rank
        for other in operands[1:]:
            same = other.rank == first.rank
            if not same or first.shape[:k] + first.shape[k + 1 :] != (
                other.shape[:k] + other.shape[k + 1 :]
            ):
                said = f"all axes but axis {axis} must agree"
                raise Misfit(f"{described(first)} and {described(other)}: {said}")
        joined = sum(one.shape[k] for one in operands)
        return (*first.shape[:k], joined, *first.shape[k + 1 :])

    def value(self, *arrays: Array, **options: Any) -> Array:
        return np.concatenate(arrays, axis=options["axis"])

    def pull(self, node: Call, i: int, grad: Node) -> Node:
        k = node.option("axis") % node.rank
        start = sum(one.shape[k] for one in node.operands[:i])
        return part(fill(grad, node.shape), k, start, start + node.operands[i].shape[k])

    def push(self, node: Call, i: int, tangent: Node) -> Node:
        zero = [fill(ZERO_NODE, one.shape) for one in node.operands]
        zero[i] = tangent
        return call(self, zero, node.options)

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        axis = node.option("axis")
        said = (f"axis={axis}",)
        return Applied("concat", tuple(operands), said, lambda *a: np.concatenate(a, axis))


def part(a: Node, axis: int, start: int, stop: int) -> Node:
    """The elements from ``start`` up to ``stop`` along an axis."""
    entries = (*[("slice", None, None, None)] * axis, ("slice", start, stop, None))
    return call(INDEX, (a,), (("entries", entries),))


class Stack(Primitive):
    """Tensors of one shape beside each other along a new axis."""

    name = "stack"

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        first, axis = operands[0], options["axis"]
        for other in operands[1:]:
            if other.shape != first.shape:
                raise Misfit(f"{described(first)} and {described(other)}: stack takes equal shapes")
        if not -first.rank - 1 <= axis <= first.rank:
            raise Misfit(f"{described(first)}: there is no place {axis} for a new axis")
        k = axis % (first.rank + 1)
        return (*first.shape[:k], len(operands), *first.shape[k:])

    def value(self, *arrays: Array, **options: Any) -> Array:
        return np.stack([np.asarray(one) for one in arrays], axis=options["axis"])

    def pull(self, node: Call, i: int, grad: Node) -> Node:
        k = node.option("axis") % node.rank
        entries = (*[("slice", None, None, None)] * k, ("at", i))
        return call(INDEX, (fill(grad, node.shape),), (("entries", entries),))

    def push(self, node: Call, i: int, tangent: Node) -> Node:
        zero = [fill(ZERO_NODE, one.shape) for one in node.operands]
        zero[i] = tangent
        return call(self, zero, node.options)

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        axis = node.option("axis")
        said = (f"axis={axis}",)
        return Applied("stack", tuple(operands), said, lambda *a: np.stack(a, axis))


class Pad(Primitive):
    """Zeros before and after, for each axis a pair (before, after)."""

    name = "pad"
    linear = True

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        (a,), widths = operands, options["widths"]
        if len(widths) != a.rank or any(before < 0 or after < 0 for before, after in widths):
            raise Misfit(f"{described(a)}: pad takes (before, after) for each axis, from 0 up")
        return tuple(
            size + before + after for size, (before, after) in zip(a.shape, widths, strict=True)
        )

    def value(self, *arrays: Array, **options: Any) -> Array:
        return np.pad(arrays[0], options["widths"])

    def pull(self, node: Call, i: int, grad: Node) -> Node:
        widths, shape = node.option("widths"), node.operands[0].shape
        entries = tuple(
            ("slice", before, before + size, None)
            for size, (before, _) in zip(shape, widths, strict=True)
        )
        return call(INDEX, (fill(grad, node.shape),), (("entries", entries),))

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        widths = node.option("widths")
        return Applied("pad", tuple(operands), tuple(map(str, widths)), lambda a: np.pad(a, widths))


class Repeat(Primitive):
    """Each slice along an axis ``times`` times, one after the other."""

    name = "repeat"
    linear = True

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        (a,), times, axis = operands, options["times"], options["axis"]
        if not -a.rank <= axis < a.rank:
            raise Misfit(f"{described(a)}: it has no axis {axis} to repeat along")
        if times < 1:
            raise Misfit(f"{described(a)}: it is repeated 1 time or more, not {times}")
        k = axis % a.rank
        return (*a.shape[:k], a.shape[k] * times, *a.shape[k + 1 :])

    def kind(self, operands: Sequence[Node]) -> Kind:
        return operands[0].kind

    def value(self, *arrays: Array, **options: Any) -> Array:
        return np.repeat(arrays[0], options["times"], axis=options["axis"])

    def pull(self, node: Call, i: int, grad: Node) -> Node:
        shape, k = node.operands[0].shape, node.option("axis") % node.rank
        split = (*shape[: k + 1], node.option("times"), *shape[k + 1 :])
        apart = reshaped(fill(grad, node.shape), split)
        return call(TOTAL, (apart,), (("axis", k + 1), ("keepdims", False)))

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        times, axis = node.option("times"), node.option("axis")
        said = (str(times), f"axis={axis}")
        return Applied("repeat", tuple(operands), said, lambda a: np.repeat(a, times, axis))


class OneHot(Primitive):
    """one_hot(y, K): for each whole number a row with a single 1."""

    name = "one_hot"
    makes = True

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        (a,) = operands
        if a.kind != "whole":
            raise Misfit(f"{described(a)}: one_hot takes whole numbers, class indices")
        return (*a.shape, options["classes"])

    def value(self, *arrays: Array, **options: Any) -> Array:
        index, classes = np.asarray(arrays[0]), options["classes"]
        hot: Array = (index[..., None] == np.arange(classes)).astype(options["dtype"])
        return hot

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        options = dict(node.options)
        said = (str(options["classes"]),)
        return Applied(
            "one_hot", tuple(operands), said, lambda a: self.value(a, dtype=float, **options)
        )


@dataclass(frozen=True)
class Filled(Primitive):
    """zeros(…) and ones(…)."""

    makes = True
    word: str
    number: float

    @property
    def name(self) -> str:  # type: ignore[override]
        return self.word

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        return tuple(options["shape"])

    def value(self, *arrays: Array, **options: Any) -> Array:
        return np.full(options["shape"], self.number, options["dtype"])

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        shape, number = node.shape, self.number
        return Applied(self.word, (), tuple(map(str, shape)), lambda: np.full(shape, number))


class Real(Primitive):
    """Whole numbers or truth as real ones."""

    name = "real"
    linear = True
    makes = True

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        return operands[0].shape

    def value(self, *arrays: Array, **options: Any) -> Array:
        out: Array = np.asarray(arrays[0]).astype(options["dtype"])
        return out

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        return operands[0]


@dataclass(frozen=True)
class Range(Primitive):
    """0, 1, … up to ``size``, which is left out."""

    name = "range"

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        return (options["size"],)

    def kind(self, operands: Sequence[Node]) -> Kind:
        return "whole"

    def value(self, *arrays: Array, **options: Any) -> Array:
        places: Any = np.arange(options["size"])
        found: Array = places
        return found

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        size = node.option("size")
        return Applied("range", (), (str(size),), lambda: np.arange(size))


INDEX, SCATTER, CONCAT, STACK = Index(), Scatter(), Concat(), Stack()
PAD, REPEAT, ONE_HOT, REAL = Pad(), Repeat(), OneHot(), Real()
RANGE = Range()
ZEROS, ONES = Filled("zeros", 0.0), Filled("ones", 1.0)
ZERO_NODE = call(ZEROS, (), (("shape", ()),))
