"""The questions that stops ask: of a tensor that was written, and of an expression's value.

Those of values (non-finite, a dead unit) are met where they *become* true; those of an op (the
norm of the gradient it made, the parameter it did not move) at every op of which they are true.
"""

import math
from collections.abc import Callable, Mapping

import numpy as np

from engine.arrays import Array
from engine.expressions.expression import Expression, truth
from engine.run.op import TensorInfo
from engine.run.phases import Phase
from engine.session.changes import Travelled, first_difference, same
from engine.stops.evidence import Evidence, number
from engine.stops.lookup import Lookup, value_of
from engine.stops.stop import StopKind

Predicate = Callable[[TensorInfo, Array | None, Array, float], Evidence | None]
Comparison = Callable[[str, Expression, Lookup, Lookup, float], Evidence | None]
Value = Array | float | None
Bad = Callable[[Array], Array]


def becoming(bad: Bad) -> Predicate:
    """The predicate of a float tensor that has a bad element and had none before."""

    def test(info: TensorInfo, old: Array | None, new: Array, bound: float) -> Evidence | None:
        # Nearly every tensor is finite: then the one before need not be looked at.
        if new.dtype.kind != "f" or np.isfinite(new).all():
            return None
        where = bad(new)
        if not where.any() or (old is not None and bad(old).any()):
            return None
        return evidence(info.name, old, new, int(np.argmax(where)))

    return test


def not_finite(array: Array) -> Array:
    """The elements that are NaN or infinite, as truth values of the same shape."""
    found: Array = ~np.isfinite(array)
    return found


def gradient_above(
    info: TensorInfo, old: Array | None, new: Array, bound: float
) -> Evidence | None:
    """A gradient whose Euclidean norm is above the bound."""
    return gradient_norm(info, old, new, lambda norm: norm > bound)


def gradient_below(
    info: TensorInfo, old: Array | None, new: Array, bound: float
) -> Evidence | None:
    """A gradient whose Euclidean norm is below the bound."""
    return gradient_norm(info, old, new, lambda norm: norm < bound)


def gradient_norm(
    info: TensorInfo, old: Array | None, new: Array, holds: Callable[[float], bool]
) -> Evidence | None:
    """A gradient of whose Euclidean norm something holds; None for any other tensor."""
    if info.role != "gradient":
        return None
    norm = float(np.linalg.norm(new))
    if not holds(norm):
        return None
    before = None if old is None else float(np.linalg.norm(old))
    return Evidence(info.name, (), before, norm, "norm")


def dead_unit(info: TensorInfo, old: Array | None, new: Array, bound: float) -> Evidence | None:
    """A unit of an activation (N, units) that is 0 for the whole batch, and was not before."""
    if info.role != "activation" or new.ndim != 2:
        return None
    dead = ~new.any(axis=0)
    if old is not None:
        dead &= old.any(axis=0)
    if not dead.any():
        return None
    unit = int(np.argmax(dead))
    before = None if old is None else float(np.abs(old[:, unit]).max())
    return Evidence(info.name, (0, unit), before, 0.0, f"unit {unit} is 0 for the whole batch, max")


def unmoved(info: TensorInfo, old: Array | None, new: Array, bound: float) -> Evidence | None:
    """A parameter that its update left as it was, bit by bit."""
    if info.role != "parameter" or not same(old, new):
        return None
    value = float(new.flat[0])
    return Evidence(info.name, (0,) * new.ndim, value, value, "did not move")


ALL = frozenset(Phase)
PREDICATES: Mapping[StopKind, tuple[Predicate, frozenset[Phase]]] = {
    StopKind.NAN: (becoming(np.isnan), ALL),
    StopKind.INF: (becoming(np.isinf), ALL),
    StopKind.NONFINITE: (becoming(not_finite), ALL),
    StopKind.GRADIENT_ABOVE: (gradient_above, frozenset({Phase.BACKWARD})),
    StopKind.GRADIENT_BELOW: (gradient_below, frozenset({Phase.BACKWARD})),
    StopKind.DEAD: (dead_unit, frozenset({Phase.FORWARD})),
    StopKind.UNMOVED: (unmoved, frozenset({Phase.UPDATE})),
}
# What statistics tell as well as elements do: whether the least or the largest is such a number.
BAD: Mapping[StopKind, Callable[[float], bool]] = {
    StopKind.NAN: math.isnan,
    StopKind.INF: math.isinf,
    StopKind.NONFINITE: lambda value: not math.isfinite(value),
}


def by_statistics(
    kind: StopKind, session: Travelled, name: str, old: Array | None
) -> Evidence | None:
    """The same of a tensor whose elements a recording has not kept, by its statistics."""
    bad = BAD.get(kind)
    kept = None if bad is None else session.source.kept(session.event, name)
    if bad is None or kept is None or kept.statistics is None:
        return None
    worst = [x for x in (kept.statistics.minimum, kept.statistics.maximum) if bad(x)]
    if not worst:
        return None
    if old is not None:
        before = [float(x) for x in np.ravel(old[not_finite(old)])[:1]]
    else:
        known = session.source.kept(session.event - 1, name)
        found = None if known is None else known.statistics
        before = [] if found is None else [found.minimum, found.maximum]
    if any(bad(value) for value in before):
        return None
    return Evidence(name, (), None, worst[0], "by its statistics")


# Asked of what an op itself wrote; the others of everything that changed, edits and batches too.
OF_OPS = frozenset({StopKind.GRADIENT_ABOVE, StopKind.GRADIENT_BELOW, StopKind.UNMOVED}) | {
    StopKind.DEAD
}


def changes(name: str, e: Expression, before: Lookup, now: Lookup, bound: float) -> Evidence | None:
    """A value that is not what it was, bit by bit; appearing is a change too."""
    old, new = value_of(e, before), value_of(e, now)
    if new is None or (old is not None and same(np.asarray(old), np.asarray(new))):
        return None
    return evidence(name, old, new, None)


def crosses(name: str, e: Expression, before: Lookup, now: Lookup, bound: float) -> Evidence | None:
    """A value of which an element went from one side of the bound to the other."""
    old, new = value_of(e, before), value_of(e, now)
    if old is None or new is None or np.shape(old) != np.shape(new):
        return None
    a, b = np.asarray(old), np.asarray(new)
    # A NaN is on neither side of the bound.
    crossed = ((a >= bound) != (b >= bound)) & ~np.isnan(a) & ~np.isnan(b)
    return evidence(name, old, new, int(np.argmax(crossed))) if crossed.any() else None


def holds(name: str, e: Expression, before: Lookup, now: Lookup, bound: float) -> Evidence | None:
    """A condition that is met and was not; without a value before it was not met."""
    new = value_of(e, now)
    if new is None or not truth(new):
        return None
    old = value_of(e, before)
    if old is not None and truth(old):
        return None
    was = None if old is None else float(old)
    return Evidence(name, (), was, float(new), "has become true", is_condition=True)


COMPARISONS: Mapping[StopKind, Comparison] = {
    StopKind.CHANGE: changes,
    StopKind.CROSS: crosses,
    StopKind.WHEN: holds,
}


def evidence(name: str, old: Value, new: Value, flat: int | None) -> Evidence:
    """The first element that differs, or the one at ``flat``, before and after."""
    b = np.asarray(new)
    a = None if old is None or np.shape(old) != b.shape else np.asarray(old)
    if flat is None:
        index = first_difference(a, b) if a is not None else (0,) * b.ndim
    else:
        index = tuple(int(i) for i in np.unravel_index(flat, b.shape))
    index = index or ()
    if not b.size:
        return Evidence(name)
    return Evidence(name, index, None if a is None else float(a[index]), float(b[index]))


def number_text(value: Value) -> str:
    """A value in a message: a number, or the shape and range of a tensor."""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int):
        return str(value)
    if not isinstance(value, np.ndarray):
        return number(value)
    if value.size <= 8:
        with np.printoptions(precision=6, suppress=False, linewidth=10_000):
            return str(value).replace("\n", "")
    return f"tensor {value.shape} {number(float(value.min()))}..{number(float(value.max()))}"
