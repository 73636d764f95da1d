"""Watches: expressions evaluated at the cursor, with the value before the last op and their past.

Nothing is computed until it is asked for, and asking moves nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.arrays import Array
from engine.changes import changes_at, last_changes, same
from engine.errors import GradstepError
from engine.expressions import Expression, ExpressionError
from engine.program import Program
from engine.scope import COUNTERS, compiled, look, look_before, looking, own_names, value_of

if TYPE_CHECKING:
    from engine.session import Session

Value = Array | float | None
MAX_POINTS = 64
MAX_LOOKED_AT = 4096  # events that a spark looks back over


@dataclass(frozen=True, eq=False)
class WatchValue:
    """A watch at the cursor. A value is None while something it names is not computed yet."""

    source: str
    value: Value = None
    before: Value = None
    changed: bool = False
    error: str | None = None


class Watches:
    """The watched expressions, in the order they were added."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._expressions: dict[str, Expression] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._expressions)

    def __len__(self) -> int:
        return len(self._expressions)

    def add(self, source: str) -> str:
        """Watch an expression; a GradstepError points at the column of what is wrong."""
        source = source.strip()
        self._expressions[source] = compiled(source, self.program)
        return source

    def remove(self, source: str) -> None:
        """Watch it no longer."""
        if source not in self._expressions:
            known = ", ".join(self) or "none"
            raise GradstepError(f"not watched: {source}; watched are: {known}")
        del self._expressions[source]

    def load(self, sources: Iterable[str]) -> list[str]:
        """Take over saved watches; what no longer fits the program is named, not raised."""
        problems = []
        for source in sources:
            try:
                self.add(source)
            except GradstepError as problem:
                problems.append(str(problem))
        return problems

    def value(self, session: "Session", source: str) -> WatchValue:
        """A watch at the cursor, and as it was before the last op."""
        expression = self._expressions[source]
        changes = last_changes(session)
        try:
            value = value_of(expression, look(session))
            before = value_of(expression, look_before(session, changes)) if session.event else None
        except ExpressionError as problem:
            return WatchValue(source, error=problem.message)
        changed = not alike(before, value)
        return WatchValue(source, value, before, changed)

    def values(
        self, session: "Session", first: int = 0, last: int | None = None
    ) -> list[WatchValue]:
        """The watches from ``first`` up to ``last``: those that can be seen."""
        return [self.value(session, source) for source in list(self)[first:last]]

    def spark(self, session: "Session", source: str, points: int = MAX_POINTS) -> list[float]:
        """The last numbers that a watch had, the oldest first, from the window of recent events.

        Only where something it reads was written; an expression that is no number gives nothing.
        """
        expression = self._expressions[source]
        found: list[float] = []
        for value in past_values(session, expression):
            if value is None or np.size(value) != 1:
                break
            found.append(float(np.asarray(value).item()))
            if len(found) == points:
                break
        return found[::-1]


def past_values(session: "Session", expression: Expression) -> Iterator[Value]:
    """The values of an expression from the cursor backwards, one for each time it was written."""
    history, program = session.history, session.program
    tensors = dict(session.tensors)
    names = own_names(expression, program)
    counting = bool(names.intersection(COUNTERS))
    earliest = max(history.first, session.event - MAX_LOOKED_AT)
    try:
        yield value_of(expression, looking(session, tensors, session.event))
        for event in range(session.event, earliest, -1):
            written = changes_at(session, event, tensors)
            for name, (old, _) in written.items():
                if old is None:
                    tensors.pop(name, None)
                else:
                    tensors[name] = old
            if counting or names.intersection(written):
                yield value_of(expression, looking(session, tensors, event - 1))
    except ExpressionError:
        return


def alike(left: Value, right: Value) -> bool:
    """Whether two values are the same, bit by bit."""
    if left is None or right is None:
        return left is right
    return same(np.asarray(left), np.asarray(right))
