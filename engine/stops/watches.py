"""Watches: expressions evaluated at the cursor, with the value before the last op and their past.

Nothing is computed until it is asked for, and asking moves nothing.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from engine.errors import GradstepError
from engine.run.run import Run
from engine.session.session import Session
from engine.stops.evidence import WatchValue

if TYPE_CHECKING:
    from engine.expressions.expression import Expression

MAX_POINTS = 64


class Watches:
    """The watched expressions, in the order they were added.

    What evaluates them is loaded with the first one: most sessions begin without any.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self._expressions: dict[str, Expression] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._expressions)

    def __len__(self) -> int:
        return len(self._expressions)

    def add(self, source: str) -> str:
        """Watch an expression; a GradstepError points at the column of what is wrong."""
        from engine.stops.lookup import compiled

        source = source.strip()
        self._expressions[source] = compiled(source, self.run)
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

    def value(self, session: Session, source: str) -> WatchValue:
        """A watch at the cursor, and as it was before the last op."""
        from engine.stops.watch_values import watch_value

        return watch_value(session, source, self._expressions[source])

    def values(self, session: Session, first: int = 0, last: int | None = None) -> list[WatchValue]:
        """The watches from ``first`` up to ``last``: those that can be seen."""
        return [self.value(session, source) for source in list(self)[first:last]]

    def spark(self, session: Session, source: str, points: int = MAX_POINTS) -> list[float]:
        """The last numbers that a watch had, the oldest first, from the window of recent events.

        Only where something it reads was written; an expression that is no number gives nothing.
        """
        from engine.stops.watch_values import spark

        return spark(session, self._expressions[source], points)
