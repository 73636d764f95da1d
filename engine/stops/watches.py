"""Watches: expressions evaluated at the cursor, with the value before the last op and their past.

Nothing is computed until it is asked for, and asking moves nothing.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from engine.errors import GradstepError
from engine.run.run import Run
from engine.session.changes import Travelled
from engine.stops.evidence import WatchValue

if TYPE_CHECKING:
    from engine.expressions.expression import Expression

MAX_POINTS = 64  # of a spark


class Watches:
    """The watched expressions by their texts, in the order they were added.

    What evaluates them is loaded with the first one: most sessions begin without any.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.expressions: dict[str, Expression] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self.expressions)

    def __len__(self) -> int:
        return len(self.expressions)

    def add(self, text: str) -> str:
        """Watch an expression; a GradstepError points at the column of what is wrong."""
        from engine.stops.lookup import compiled

        text = text.strip()
        self.expressions[text] = compiled(text, self.run)
        return text

    def remove(self, text: str) -> None:
        """Remove a watch; a GradstepError lists those there are."""
        if text not in self.expressions:
            known = ", ".join(self) or "none"
            raise GradstepError(f"not watched: {text}; watched are: {known}")
        del self.expressions[text]

    def load(self, texts: Iterable[str]) -> list[str]:
        """Take over saved watches; what no longer fits the program is named, not raised."""
        problems = []
        for text in texts:
            try:
                self.add(text)
            except GradstepError as problem:
                problems.append(str(problem))
        return problems

    def value(self, session: Travelled, text: str) -> WatchValue:
        """A watch at the cursor, and as it was before the last op."""
        from engine.stops.watch_values import watch_value

        return watch_value(session, text, self.expressions[text])

    def values(
        self, session: Travelled, first: int = 0, last: int | None = None
    ) -> list[WatchValue]:
        """The watches from ``first`` up to ``last``: those that can be seen."""
        return [self.value(session, text) for text in list(self)[first:last]]

    def spark(self, session: Travelled, text: str, points: int = MAX_POINTS) -> list[float]:
        """The last numbers that a watch had, the oldest first, from the window of recent events.

        Only where something it reads was written; an expression that is no number gives nothing.
        """
        from engine.stops.watch_values import spark

        return spark(session, self.expressions[text], points)
