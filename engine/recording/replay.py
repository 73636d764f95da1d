"""A recording as a session: every step both ways, and what-ifs that leave the file as it is.

The session runs the program compiled from the recording, and asks the playback here for what an
event wrote. Where the tensors are stored they are the recorded ones; elsewhere the op is executed
and its result checked against the recorded digest. Beyond what is recorded, and on new branches,
the session is live.
"""

import weakref
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

from engine.arrays import Array
from engine.debugger import Debugger
from engine.errors import GradstepError
from engine.recording.digests import event_digest
from engine.recording.reader import Damaged, Reader
from engine.recording.recorded import Block, Recording
from engine.recording.runs import RecordedBranch
from engine.run.op import Op
from engine.run.run import loss_key
from engine.run.source import LIVE, Ability, Keyframe
from engine.run.timeline import completed
from engine.session.bookmarks import Bookmark
from engine.session.branches import MAIN, Branch
from engine.session.history import DEFAULT_BUDGET, History
from engine.session.session import Session

RECORDED, RECOMPUTED, DIFFERS = "recorded", "recomputed", "differs"
UNCHECKED = "unchecked"  # its digests are damaged
CACHED_BLOCKS = 16
MOST_STATUSES = 200_000


class Playback:
    """The source of a session that replays a recording.

    Everything may be done with it: what is edited becomes a branch that is executed. Damage does
    not end the replay: ``trouble`` names it, and the events concerned are executed.
    """

    can = frozenset(Ability)
    why_not = ""
    recorded = True
    scripts: Mapping[str, str] = MappingProxyType({})

    def __init__(self, recording: Recording, debugger: Debugger) -> None:
        self.recording = recording
        self.account = recording.account
        self.debugger = debugger
        self.session = session = debugger.session
        self.timeline = session.timeline
        self.initial = session.source.initial
        self.enters = self.leaves = session.source.enters
        self.known: dict[Branch, RecordedBranch] = {}
        self.statuses: dict[tuple[str, int], str] = {}
        self.trouble = ""
        self.latest = MAIN  # the branch that has grown last
        self.marked: dict[str, Bookmark] = {}  # the bookmarks that the file had
        self._blocks: OrderedDict[tuple[int, int], Block | None] = OrderedDict()
        self._starts = [0]
        for op in session.program.ops:
            self._starts.append(self._starts[-1] + len(op.writes))

    def produce(
        self, branch: Branch, event: int, op: Op, tensors: Mapping[str, Array]
    ) -> tuple[Array, ...]:
        """What an op wrote when it was recorded, or writes now; raises what the op raises."""
        origin = self.origin(branch, event)
        if origin is None:
            return self.noted(origin, event, LIVE, op.run(tensors))
        block = self.block(origin, self.timeline.iteration(event) + 1)
        if block is None or self._starts[op.index + 1] > len(block.digests):
            self.account.note(self.account.recomputed, origin.name, event)
            return self.noted(origin, event, UNCHECKED, op.run(tensors))
        # A digest of zeros: the op did not write that tensor.
        slots = [s for s in self.slots(op) if any(block.digests[s])]
        try:
            stored = self.stored(block, slots)
        except Damaged as problem:
            self.meet(problem)
            self.account.note(self.account.recomputed, origin.name, event)
            stored = None
        if stored is not None:
            return self.noted(origin, event, RECORDED, stored)
        results = op.run(tensors)
        found = [event_digest(array, self.recording.run.width) for array in results]
        same = found == [block.digests[slot] for slot in slots]
        if not same:
            self.account.note(self.account.differing, origin.name, event)
        return self.noted(origin, event, RECOMPUTED if same else DIFFERS, results)

    def kept(self, event: int, name: str) -> None:
        """None: what is not stored is recomputed, so that every tensor is whole."""

    def printed(self, event: int, most: int) -> tuple[str, ...]:
        """Nothing: an experiment prints nothing."""
        return ()

    def suspect(self, event: int) -> int:
        """``event``: what is executed shows it."""
        return event

    def meet(self, problem: Damaged) -> None:
        """Note damage that does not end the replay."""
        self.trouble = str(problem)
        self.account.problem(self.trouble)

    def slots(self, op: Op) -> range:
        """The slots of an op: the places of its digests in a block."""
        return range(self._starts[op.index], self._starts[op.index + 1])

    def stored(self, block: Block, slots: list[int]) -> tuple[Array, ...] | None:
        """The stored tensors of these slots; None unless all are there. Raises Damaged."""
        if not slots:
            return None
        arrays = [self.recording.written(block, slot) for slot in slots]
        found = [array for array in arrays if array is not None]
        return tuple(found) if len(found) == len(slots) else None

    def noted(
        self, origin: RecordedBranch | None, event: int, status: str, results: tuple[Array, ...]
    ) -> tuple[Array, ...]:
        """The results as they are, and the status of their event noted."""
        if status != LIVE:
            if len(self.statuses) >= MOST_STATUSES:
                self.statuses.clear()
            self.statuses[origin.name if origin else "", event] = status
        return results

    def status(self, branch: Branch, event: int) -> str:
        """Where the values written at an event come from: live, recorded, recomputed, …"""
        origin = self.origin(branch, event)
        return LIVE if origin is None else self.statuses.get((origin.name, event), RECORDED)

    def origin(self, branch: Branch, event: int) -> RecordedBranch | None:
        """The recorded branch that has an event of a branch; None where it is live."""
        while True:
            recorded = self.known.get(branch)
            if recorded is not None:
                return recorded if event < recorded.events else None
            if branch.parent is None or event >= branch.fork:
                return None
            branch = self.session.branches.find(branch.parent)

    def block(self, branch: RecordedBranch, iteration: int) -> Block | None:
        """The digests of an iteration; None where they are damaged."""
        key = branch.id, iteration
        if key not in self._blocks:
            try:
                self._blocks[key] = self.recording.block(branch, iteration)
            except Damaged as problem:
                self.meet(problem)
                self._blocks[key] = None
            if len(self._blocks) > CACHED_BLOCKS:
                self._blocks.popitem(last=False)
        return self._blocks[key]

    def keyframe(self, branch: Branch, event: int, after: int) -> Keyframe | None:
        """The last recorded keyframe that restores an event, if beyond iteration ``after``."""
        # What stands at an event is what the event before it has written.
        recorded = self.origin(branch, max(0, event - 1))
        if recorded is None:
            recorded, event = self.last_recorded(branch)
        if recorded is None:
            return None
        number = completed(self.timeline, event) + 1
        try:
            while found := self.recording.keyframe_before(recorded, number):
                number, whole = found
                if number - 1 <= after:
                    return None
                if whole or self.restores(branch, number - 1, event):
                    tensors = self.recording.keyframe(recorded, number)
                    return Keyframe(number - 1, tensors, whole)
                number -= 1
        except Damaged as problem:
            self.meet(problem)
        return None

    def restores(self, branch: Branch, iteration: int, event: int) -> bool:
        """Whether an event comes after an iteration that writes all that its keyframe lacks."""
        start, end = self.timeline.begin(iteration), self.timeline.begin(iteration + 1)
        return end <= event and not branch.journal.touches(start, end)

    def last_recorded(self, branch: Branch) -> tuple[RecordedBranch | None, int]:
        """The recorded branch that a live branch comes from, and where it ends or was left."""
        event = branch.known
        while branch not in self.known and branch.parent is not None:
            event = min(event, branch.fork)
            branch = self.session.branches.find(branch.parent)
        recorded = self.known.get(branch)
        return recorded, min(event, recorded.events) if recorded else event

    def take(self, recorded: RecordedBranch) -> None:
        """Give a branch of the session the journal, losses and events that are recorded of it."""
        branch, session = self.branch(recorded), self.session
        if branch in self.known and branch.known > self.known[branch].events:
            return  # somebody has stepped on live
        losses = self.recording.losses(recorded)  # first: it may raise
        at, edits = session.event, recorded.journal.edits
        # What was edited where the cursor waits at the end belongs to where it stands.
        edited = branch is session.branch and branch.journal.edits.get(at) != edits.get(at)
        self.known[branch] = recorded
        self.latest = recorded.name
        branch.journal = recorded.journal
        branch.known = recorded.events
        branch.losses = losses[: self.count(recorded.events)]
        for key in [key for key in self._blocks if key[0] == recorded.id]:
            del self._blocks[key]  # its last iteration may have grown
        if edited:
            session.reenter(at)

    def refresh(self) -> bool:
        """Take in what has been recorded since; whether there was anything.

        Raises Damaged where the file is gone, another one or damaged; what was read before stays.
        """
        before = {branch.name: branch for branch in self.known.values()}
        for branch in self.recording.reread().values():
            if branch != before.get(branch.name):
                self.take(branch)
        grown = before != {branch.name: branch for branch in self.known.values()}
        return self.refresh_marks() or grown

    def refresh_marks(self) -> bool:
        """Take in bookmarks and views that are new or differ; whether there were any."""
        marks, debugger = self.recording.reread_marks(), self.debugger
        there = {mark.name for mark in marks.bookmarks}
        gone = self.marked.keys() - there
        for name in gone:  # of who records; one's own, and those that were moved, stay
            if debugger.bookmarks.get(name) == self.marked[name]:
                debugger.bookmarks.unmark(name)
        self.marked = {mark.name: mark for mark in marks.bookmarks}
        new = bool(gone)
        for mark in marks.bookmarks:
            if debugger.bookmarks.get(mark.name) != mark:
                with suppress(GradstepError):  # told when the file was opened
                    debugger.bookmarks.mark(mark.name, mark.event, mark.text)
                    new = True
        before = debugger.views.rows()
        debugger.views.hidden = ""  # its line is there for as long as something is hidden
        for event, text in marks.views:
            debugger.views.read(event, text)
        return new or debugger.views.rows() != before

    def count(self, event: int) -> int:
        """How many losses have been computed before an event."""
        return self.timeline.count(loss_key(self.session.run), event)

    def branch(self, recorded: RecordedBranch) -> Branch:
        """The branch of the session that stands for a recorded one."""
        session = self.session
        if recorded.name in session.branches:
            return session.branches.find(recorded.name)
        history = History(session.program, session.history.budget)
        branch = Branch(recorded.name, history, recorded.parent, recorded.fork)
        session.branches.add(branch)
        return branch

    def load_marks(self) -> None:
        """Give the debugger the recorded bookmarks, stops and watches.

        What does not fit the program is told in ``trouble``.
        """
        debugger, marks = self.debugger, self.recording.marks
        problems = list(marks.problems)
        for mark in marks.bookmarks:
            try:
                debugger.bookmarks.mark(mark.name, mark.event, mark.text)
            except GradstepError as problem:
                problems.append(str(problem))
        self.marked = {mark.name: mark for mark in marks.bookmarks}
        for event, text in marks.views:
            debugger.views.read(event, text)
        problems += debugger.stops.load(marks.stops)
        problems += debugger.watches.load(marks.watches)
        self.trouble = problems[0] if problems else self.trouble


def open_debugger(recording: Recording, budget: int = DEFAULT_BUDGET) -> tuple[Debugger, Playback]:
    """A debugger on a recording, at its first event, and its source.

    Raises Damaged where there is no branch main, or what the branches need is not sound.
    """
    branches = recording.branches
    if MAIN not in branches:
        raise recording.damaged(f"there is no branch {MAIN!r}")
    session = Session(recording.program, budget)
    debugger = Debugger(session)
    playback = Playback(recording, debugger)
    session.source = playback
    for branch in branches.values():
        playback.take(branch)
    # The session was made before it had its journal: edits at the very beginning are still to come.
    if 0 in session.journal.edits:
        session.reenter(0)
    playback.load_marks()
    return debugger, playback


def open_recording(
    path: str | Path, run: int | None = None, budget: int = DEFAULT_BUDGET
) -> Debugger:
    """A debugger on the last run of a recording, or on that of a number, at its first event.

    ``budget`` is the bytes of its history; the file is let go of with the debugger. Raises
    GradstepError for a file that is no recording and for a run that it has not, and Damaged for one
    that is not as it was written.
    """
    reader = Reader(Path(path))
    try:
        debugger, _ = open_debugger(Recording(reader, run), budget)
    except BaseException:
        reader.close()
        raise
    weakref.finalize(debugger, reader.close)
    return debugger
