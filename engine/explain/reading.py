"""The op that wrote a tensor last: what it read, and what it wrote."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from engine.arrays import Array
from engine.program.program import Program
from engine.run.op import Op
from engine.session.session import Session

AFTER = "′"  # ends the name of a tensor as the op itself has just written it


@dataclass(frozen=True, eq=False)
class Reading:
    """An op that has run at ``event``, the tensors ``before`` it and what it wrote, ``after``."""

    program: Program
    op: Op
    event: int
    before: Mapping[str, Array]
    after: Mapping[str, Array]

    @property
    def rows(self) -> int:
        """The number of samples of the batch."""
        return len(self.before["x"])

    def value(self, name: str) -> Array:
        """A tensor that the op read, or with AFTER behind its name one that it wrote."""
        if name.endswith(AFTER):
            return self.after[name.removesuffix(AFTER)]
        return self.before[name]


def last_reading(session: Session, name: str) -> Reading | None:
    """The op before the cursor that wrote a tensor last; None where it is there from the start.

    The cursor goes there and comes back.
    """
    for event in writers(session, name):
        with at(session, event):
            before = dict(session.tensors)
            session.goto(event + 1)
            written = session.event_at(event)
        if written is None:  # it has left the window: an op gives the same bits again
            op = session.timeline.op(event)
            after = op.run(before)
        else:
            op, after = written.op, written.after
        found = dict(zip(op.writes, after, strict=False))
        if name in found:  # without a gradient clipping writes nothing
            return Reading(session.program, op, event, before, found)
    return None


def writers(session: Session, name: str) -> Iterator[int]:
    """The events before the cursor whose op writes a tensor, the last first, without skipped."""
    timeline, here = session.timeline, session.event
    places = [op for op in reversed(session.program.ops) if name in op.writes]
    if not places or here == 0:
        return
    for iteration in range(timeline.iteration(here - 1), -1, -1):
        begin = timeline.begin(iteration)
        for op in places:
            event = begin + op.index
            if event < here and not session.journal.skipped(op.phase, op.name, event):
                yield event


@contextmanager
def at(session: Session, event: int) -> Iterator[None]:
    """The cursor at an event for a while."""
    here = session.event
    session.goto(event)
    try:
        yield
    finally:
        session.goto(here)
