"""Values of a watched expression: at the cursor, before the last op, and in the past."""

from collections.abc import Iterator

import numpy as np

from engine.expressions.expression import Expression, ExpressionError
from engine.expressions.values import clock
from engine.session.changes import Travelled, changes_at, last_changes, same
from engine.stops.evidence import Value, WatchValue
from engine.stops.lookup import (
    COUNTERS,
    lookup,
    lookup_before,
    lookup_in,
    not_kept,
    own_names,
    value_of,
)

MAX_LOOKED_AT = 4096  # events that a spark looks back over


def watch_value(
    session: Travelled, text: str, expression: Expression, seconds: float | None = None
) -> WatchValue:
    """A watch at the cursor, and as it was before the last op; each within so many ``seconds``."""
    changes = last_changes(session)
    try:
        value = value_of(expression, lookup(session), seconds)
        old = lookup_before(session, changes)
        before = value_of(expression, old, seconds) if session.event else None
    except ExpressionError as problem:
        return WatchValue(text, error=problem.message)
    if value is None:
        missing = (not_kept(session, name) for name in sorted(expression.names))
        if said := next(filter(None, missing), ""):
            return WatchValue(text, error=said)
    changed = not alike(before, value)
    return WatchValue(text, value, before, changed)


def spark(
    session: Travelled, expression: Expression, points: int, seconds: float | None = None
) -> list[float]:
    """The last numbers that an expression had, at most ``points``, the oldest first.

    It ends where the window of recent events does, at a value that is not one number, or after so
    many ``seconds``.
    """
    found: list[float] = []
    end = None if seconds is None else clock() + seconds
    for value in past_values(session, expression):
        if value is None or np.size(value) != 1 or (end is not None and clock() > end):
            break
        found.append(float(np.asarray(value).item()))
        if len(found) == points:
            break
    return found[::-1]


def past_values(session: Travelled, expression: Expression) -> Iterator[Value]:
    """The values of an expression from the cursor backwards, one for each time it was written."""
    history = session.history
    tensors = dict(session.tensors)  # taken back event by event, while the cursor stays
    names = own_names(expression, session.run)
    counting = bool(names.intersection(COUNTERS))
    earliest = max(history.first, session.event - MAX_LOOKED_AT)
    try:
        yield value_of(expression, lookup_in(session, tensors, session.event))
        for event in range(session.event, earliest, -1):
            if event - 1 not in history.events:  # forgotten: a thread may move the session on
                return
            written = changes_at(session, event, tensors)
            for name, (old, _) in written.items():
                if old is None:
                    tensors.pop(name, None)
                else:
                    tensors[name] = old
            if counting or names.intersection(written):
                yield value_of(expression, lookup_in(session, tensors, event - 1))
    except ExpressionError:
        return


def alike(left: Value, right: Value) -> bool:
    """Whether two values are the same, bit by bit."""
    if left is None or right is None:
        return left is right
    return same(np.asarray(left), np.asarray(right))
