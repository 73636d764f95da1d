"""What is known at a place of a run: its tensors and the events before, wherever it goes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.arrays import Array
from engine.run.event import Event
from engine.run.run import Run
from engine.run.source import Source
from engine.run.timeline import Timeline
from engine.session.history import History
from engine.session.journal import Journal
from engine.session.recent import Written


@dataclass(frozen=True, eq=False)
class Past:
    """The tensors before ``event``, and the events that led there on a branch.

    It can be asked like a session that stands there, and no cursor moves it. A history only ever
    forgets what lies before a place: an event that is gone is None here, and none is another one.
    """

    run: Run
    event: int
    tensors: Mapping[str, Array]
    journal: Journal
    history: History

    @property
    def source(self) -> Source[Any]:
        """Where the results come from."""
        return self.run.source

    def event_at(self, event: int) -> Event | None:
        """An event before the place; None for one that is no longer known."""
        written = self.history.events.get(event) if event < self.event else None
        if written is None:
            return None
        return happened(self.run.timeline, event, written)


def happened(timeline: Timeline, event: int, written: Written) -> Event:
    """An event of a history; ``after`` ends before the first value that was not kept."""
    before, results = written
    after = list[Array]()
    for array in results:
        if array is None:
            break
        after.append(array)
    return Event(timeline.position(event), timeline.op(event), before, tuple(after))
