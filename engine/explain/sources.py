"""Where an element comes from: functions that move elements, and those that choose one."""

from typing import Any

import numpy as np

from engine.arrays import Array, Shape
from engine.explain.values import Place, Values
from engine.lines.algebra import FILL, PERMUTE, RESHAPE, ZERO
from engine.lines.elementwise import CLIP, WHERE, Extreme
from engine.lines.node import Call, Node, constant
from engine.lines.reductions import Extremum, axes_of
from engine.lines.spatial import LARGEST
from engine.lines.structure import (
    CONCAT,
    INDEX,
    ONE_HOT,
    PAD,
    RANGE,
    REAL,
    REPEAT,
    STACK,
    Filled,
    key_of,
)

Element = tuple[Node, Place]


def through(node: Node, place: Place, values: Values) -> Element:
    """The element that stands at a place, followed back through what only moves or chooses it."""
    while isinstance(node, Call):
        found = source(node, place, values)
        if found is None:
            break
        node, place = found
    return node, place


def source(node: Call, place: Place, values: Values) -> Element | None:
    """The element of an operand, or the number, that stands at a place; None where one is made."""
    function, operands = node.function, node.operands
    if function is CONCAT or function is STACK:
        return joined(node, place)
    if function is WHERE:
        chosen = operands[1] if values(operands[0])[fit(place, operands[0].shape)] else operands[2]
        return chosen, fit(place, chosen.shape)
    if isinstance(function, Extreme):
        first = values.at(operands[0], fit(place, operands[0].shape))
        same = first == values.at(node, place) or np.isnan(first)
        winner = operands[0] if same else operands[1]
        return winner, fit(place, winner.shape)
    if function is CLIP:
        same = values.at(operands[0], place) == values.at(node, place)
        return (operands[0], place) if same else (constant(values.at(node, place)), ())
    if isinstance(function, Extremum):
        return extreme(node, place, values)
    if function in (ONE_HOT, RANGE) or isinstance(function, Filled):
        return constant(values.at(node, place)), ()
    return moved(node, place, values)


def fit(place: Place, shape: Shape) -> Place:
    """The place in an operand that was broadcast."""
    last = place[len(place) - len(shape) :]
    return tuple(0 if size == 1 else i for i, size in zip(last, shape, strict=True))


def moved(node: Call, place: Place, values: Values) -> Element | None:
    """The element of the only operand that has elements, which others may index."""
    function, a = node.function, node.operands[0] if node.operands else ZERO
    if function is PERMUTE:
        axes = node.option("axes")
        back = dict(zip(axes, place, strict=True))
        return a, tuple(back[k] for k in range(a.rank))
    if function is RESHAPE:
        return a, unravelled(ravelled(place, node.shape), a.shape)
    if function is FILL:
        return a, fit(place, a.shape)
    if function is REAL:
        return a, place
    if function is REPEAT:
        k = node.option("axis") % a.rank
        return a, (*place[:k], place[k] // node.option("times"), *place[k + 1 :])
    if function is PAD:
        at = tuple(i - w[0] for i, w in zip(place, node.option("widths"), strict=True))
        inside = all(0 <= i < size for i, size in zip(at, a.shape, strict=True))
        return (a, at) if inside else (ZERO, ())
    if function is INDEX:
        return a, unravelled(int(indexed(node, values)[place]), a.shape)
    if function is LARGEST:
        axes = len(node.option("kernel"))
        where = int(values(node.operands[1])[place])
        return a, (*place[:-axes], *unravelled(where, a.shape[-axes:]))
    return None


def ravelled(place: Place, shape: Shape) -> int:
    """The number of an element in row-major order."""
    return int(np.ravel_multi_index(place, shape)) if shape else 0


def unravelled(number: int, shape: Shape) -> Place:
    """The place of an element by its number."""
    return tuple(int(i) for i in np.unravel_index(number, shape))


def indexed(node: Call, values: Values) -> Array:
    """The number of the element of the operand that each element of an index comes from."""
    if node not in values.maps:
        numbers: Any = numbered(node.operands[0].shape)
        values.maps[node] = numbers[
            key_of(node.option("entries"), [values(one) for one in node.operands[1:]])
        ]
    found: Array = values.maps[node]
    return found


def numbered(shape: Shape) -> Any:
    """The elements of a shape, each by its number in row-major order."""
    return np.arange(int(np.prod(shape, dtype=np.int64))).reshape(shape)


def joined(node: Call, place: Place) -> Element:
    """The element of the operand of a concat or a stack that stands at a place."""
    k, operands = node.option("axis") % node.rank, node.operands
    if node.function is STACK:
        return operands[place[k]], (*place[:k], *place[k + 1 :])
    i = place[k]
    for one in operands:
        if i < one.shape[k]:
            return one, (*place[:k], i, *place[k + 1 :])
        i -= one.shape[k]
    raise IndexError(place)


def extreme(node: Call, place: Place, values: Values) -> Element:
    """The first of the largest, or smallest, elements that are folded."""
    (a,) = node.operands
    axes = axes_of(a.shape, dict(node.options))
    places = folded(a.shape, axes, place, bool(node.option("keepdims")))
    block = values(a)[places]
    least = isinstance(node.function, Extremum) and node.function.least
    first = int((np.argmin if least else np.argmax)(block))
    return a, unfolded(places, first, a.shape)


def folded(shape: Shape, axes: tuple[int, ...], place: Place, kept: bool) -> tuple[Any, ...]:
    """The key of the elements that are folded into the one at a place."""
    rest = iter(i for k, i in enumerate(place) if not (kept and k in axes))
    return tuple(slice(None) if k in axes else next(rest) for k in range(len(shape)))


def unfolded(key: tuple[Any, ...], number: int, shape: Shape) -> Place:
    """The place of the element of this number among those of a key."""
    sizes = tuple(size for one, size in zip(key, shape, strict=True) if isinstance(one, slice))
    within = iter(unravelled(number, sizes))
    return tuple(next(within) if isinstance(one, slice) else int(one) for one in key)
