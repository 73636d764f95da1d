"""Recording a session: what it has done since the last update goes to the writer."""

from collections.abc import Iterator

from engine.debugger import Debugger
from engine.recording.canonical import canonical
from engine.recording.lane import Lane
from engine.recording.rerun import Rerun
from engine.recording.writer import Writer
from engine.run.timeline import begun
from engine.session.branches import Branch
from engine.session.session import Session

PIECE = 256  # events between two yields


class Recorder:
    """Records a session, branch by branch.

    Events that are still in the session's window are taken as they are; others are executed again,
    so that it does not matter when the recording began or how far the session has run since.
    """

    def __init__(self, writer: Writer, debugger: Debugger) -> None:
        self.writer = writer
        self.debugger = debugger
        self.session = debugger.session
        self.lanes: dict[Branch, tuple[Lane, Rerun]] = {}
        self._marks: dict[str, list[tuple[object, ...]]] = {}

    def update(self) -> None:
        """Record everything that is new, and commit."""
        for _ in self.catch_up():
            pass

    def catch_up(self) -> Iterator[int]:
        """Record everything that is new, piece by piece; yields the events recorded so far."""
        for branch in list(self.session.branches):
            yield from self.follow(branch)
        self.marks()
        self.writer.commit()

    def follow(self, branch: Branch) -> Iterator[int]:
        """Record the new events of a branch."""
        if branch not in self.lanes:
            self.lanes[branch] = self.begin(branch)
        lane, rerun = self.lanes[branch]
        self.writer.journal(branch.name, branch.journal)
        rerun.journal = branch.journal
        timeline = self.session.timeline
        begins = timeline.begin(begun(timeline, lane.events))
        while lane.events < branch.known and not self.writer.failed:
            if lane.events == begins:
                begins = timeline.begin(timeline.iteration(begins) + 1)
                # Before its edits: the rerun applies them together with the op.
                lane.keyframe(rerun.tensors, whole=bool(branch.journal))
            known = branch.history.events.get(lane.events)
            # Only a captured run has values that are not there, and that is not recorded again.
            written = (
                rerun.result()
                if known is None
                else tuple(array for array in known[1] if array is not None)
            )
            lane.take([written])
            rerun.take(written)
            if lane.events % PIECE == 0:
                yield lane.events

    def begin(self, branch: Branch) -> tuple[Lane, Rerun]:
        """The Lane of a branch that is new here, and a Rerun that stands where it begins."""
        self.writer.commit()  # the chain of the parent
        lane = self.writer.branch(branch.name, branch.parent, branch.fork)
        return lane, resumed(self.session, branch, lane.events)

    def marks(self) -> None:
        """Write the bookmarks, stops, watches and views that have changed."""
        debugger = self.debugger
        found: dict[str, list[tuple[object, ...]]] = {
            "bookmark": [(m.name, m.event, m.text) for m in debugger.bookmarks.values()],
            "stop": [(canonical(stop),) for stop in debugger.stops.to_list()],
            "watch": [(text,) for text in debugger.watches],
            "view": list(debugger.views.rows()),
        }
        for table, rows in found.items():
            if rows != self._marks.get(table, []):
                self.writer.marks(table, rows)
                self._marks[table] = rows


def resumed(session: Session, branch: Branch, event: int) -> Rerun:
    """A branch executed up to the beginning of an iteration, from its nearest keyframe."""
    rerun = Rerun(session.program, branch.journal)
    iteration = branch.history.nearest(event, branch.journal)
    if iteration:
        start = session.timeline.begin(iteration)
        rerun.restart(start, branch.history.keyframes[iteration])
    while rerun.event < event:
        rerun.step()
    return rerun
