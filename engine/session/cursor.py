"""The cursor: where a session stands in its run, and how it gets anywhere else.

It stands before the op about to run. Forwards it executes, or puts in place again what is known;
backwards it puts back what was there, or executes again from a keyframe. Wherever it is left, it
is at a whole event.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from engine.arrays import Array, frozen
from engine.errors import GradstepError
from engine.run.op import Op
from engine.run.run import Run, loss_key
from engine.run.source import Executed, Keyframe, Source
from engine.run.timeline import Listing, Which
from engine.session.branches import MAIN, Branch
from engine.session.history import History, Window
from engine.session.journal import Edit, Journal
from engine.session.recent import put

CHUNK_BYTES = 2**24  # work between two chances to cancel, measured by what the ops write
CHUNK_EVENTS = 256  # and by their number, where the ops are small


@dataclass(frozen=True, eq=False)
class Held:
    """A place with the past that is known there, to come back to whatever has happened since."""

    event: int
    tensors: dict[str, Array]
    waiting: bool
    window: Window


class Cursor:
    """A place in a run that moves both ways; ``budget`` bounds the memory of its past, in bytes.

    ``branch`` is the one it moves on: its journal is applied, its history kept, its losses noted.
    Whatever moves it raises GradstepError where an op cannot run, and leaves it there.
    """

    def __init__(self, run: Run, budget: int) -> None:
        self.run = run
        self.timeline = run.timeline
        self.source: Source[Branch] = run.source
        self.branch = Branch(MAIN, History(run, budget))
        self._tensors = self.source.initial()
        self._first = dict(self._tensors)  # not drawn again: the first keyframe has most of it
        self._event = 0
        self.history.keyframe(0, self._tensors)
        self._chunk = max(1, min(CHUNK_EVENTS, CHUNK_BYTES // self.history.mean_cost))
        self.loss_key = loss_key(run)
        self._loss = Which(self.loss_key)
        self._waiting = False  # at the end of a run that may grow: no batch has entered there
        self._listing: Listing | None = None
        self._locate(0)

    @property
    def event(self) -> int:
        """The event about to happen: how many ops have run."""
        return self._event

    @property
    def chunk(self) -> int:
        """How many events are executed between two chances to cancel."""
        return self._chunk

    @property
    def history(self) -> History:
        """The past of the current branch: its window of events and its keyframes."""
        return self.branch.history

    @property
    def journal(self) -> Journal:
        """The edits of the current branch."""
        return self.branch.journal

    @property
    def known(self) -> int:
        """The furthest event reached so far."""
        return self.branch.known

    def travel(self, event: int) -> Iterator[int]:
        """Move to an event piece by piece: yields where the cursor is, may be left at any yield."""
        target = max(0, min(event, self.timeline.end))
        if target < self._event:
            if target >= self.history.first:  # inside the window: some microseconds an op
                self._undo(target)
                return
            self._rewind(target)
        # Over known ground there may be a keyframe nearer to the target than the cursor is.
        elif target <= self.known and target - self._event > self._chunk:
            self._leap(target)
        while self._event < target:
            self._run(min(target, self._event + self._chunk), target)
            yield self._event

    def forward(self, event: int) -> int:
        """Execute up to an event at one go, for steps no longer than ``chunk``; the new event."""
        if event > self._event:
            self._run(min(event, self.timeline.end))
        return self._event

    def keyframe(self, event: int, after: int = -1) -> Keyframe | None:
        """The last keyframe that restores every tensor at ``event``: our own, or a recorded one.

        None, and nothing is loaded or drawn, where there is none beyond iteration ``after``.
        """
        own = self.history.nearest(event, self.journal)
        recorded = self.source.keyframe(self.branch, event, max(own, after))
        if recorded is not None:
            return recorded
        if own <= after:
            return None
        if own == 0:
            return Keyframe(0, self._first, whole=True)
        return Keyframe(own, self.history.keyframes[own], own in self.history.whole)

    def hold(self) -> Held:
        """The place where the cursor stands, to be taken by :meth:`put_back`."""
        return Held(self._event, dict(self._tensors), self._waiting, self.history.window())

    def put_back(self, held: Held) -> None:
        """Stand where ``held`` was taken on this branch, bit by bit; nothing is executed.

        What has become known of the run meanwhile stays known.
        """
        history = self.history
        if history.first <= held.event <= self._event:
            self._undo(held.event)  # and what lies ahead is still in the window
        else:
            history.put_back(held.window)
        self._tensors.clear()
        self._tensors.update(held.tensors)
        self._event, self._waiting = held.event, held.waiting
        self._locate(self.timeline.iteration(held.event))

    def reenter(self, event: int) -> None:
        """Come to an event of a branch that has just become current."""
        self._rewind(event)
        self._run(event)

    def refresh(self) -> None:
        """Take notice of what a run that grows has got since the cursor came to its end."""
        event, timeline = self._event, self.timeline
        if self._waiting and event < timeline.end:
            self._waiting = False
            iteration = timeline.iteration(event)
            self._locate(iteration)
            if self._begin == event:
                self._enter()

    def _apply(self, edits: tuple[Edit, ...]) -> None:
        """Carry out edits at the cursor, and remember what was there."""
        from engine.session.edits import edited_tensor

        # One entry an edit, also of the same tensor: going back takes them off in reverse order.
        done: list[tuple[str, Array | None, Array]] = []
        for edit in edits:
            name, value = edited_tensor(edit, self.run, self._tensors)
            done.append((name, self._tensors.get(name), value))
            self._tensors[name] = value
        edited = self.history.edited
        edited[self._event] = (*edited.get(self._event, ()), *done)

    def _arrive(self) -> None:
        """Apply the edits that belong to the cursor, for the first time or again."""
        known = self.history.edited.get(self._event)
        if known is None:
            self._apply(self.journal.edits[self._event])
        else:  # the arrays of the first time: no expression is evaluated again
            for name, _, value in known:
                self._tensors[name] = value

    def _undo(self, target: int) -> None:
        """Go back inside the window by putting back what was there before."""
        timeline, tensors, history = self.timeline, self._tensors, self.history
        self._waiting = False
        while (event := self._event) > target:
            if not self._begin < event <= self._end:
                self._locate(timeline.iteration(event - 1))
            first = max(target, self._begin)
            next_began = event < timeline.end and timeline.begin(self._iteration + 1) == event
            for op in reversed(timeline.stretch(first, event)):
                # The way there was op, batch, edits; the way back is edits, batch, op.
                for name, old, _ in reversed(history.edited.get(event, ())):
                    put(tensors, name, old)
                if next_began:
                    self._take_in(history.inputs.get(event) or self.source.leaves(self._iteration))
                    next_began = False
                event -= 1
                for name, old in zip(op.writes, history.events.before(event), strict=False):
                    put(tensors, name, old)
                self._event = event

    def _rewind(self, target: int) -> None:
        """Go to the last keyframe from which re-execution restores ``target``."""
        start = self.keyframe(target)
        assert start is not None  # the beginning of the run is one
        self._restart(start)

    def _restart(self, start: Keyframe) -> None:
        """Go to a keyframe; where it lacks what its own iteration writes, execute that too."""
        history, timeline = self.history, self.timeline
        self._tensors.clear()  # in place: views of the tensors move with the cursor
        self._tensors.update(start.tensors)
        self._event, self._waiting = timeline.begin(start.iteration), False
        history.restart(self._event)
        self._take_in(self.source.enters(start.iteration))
        if not start.whole:
            self._run(timeline.begin(start.iteration + 1))
            history.restart(self._event)
        elif self._event in self.journal.edits:
            self._arrive()

    def _leap(self, target: int) -> None:
        """Go forwards over known ground by the nearest keyframe, when that saves work."""
        # So far the cursor comes without executing anything; a keyframe must lie further on.
        there = self.timeline.iteration(max(self._event, self.history.end))
        start = self.keyframe(target, after=there)
        if start is not None:
            self._restart(start)

    def _locate(self, iteration: int) -> None:
        """Know the bounds of an iteration that the cursor is in, and what it costs to remember."""
        timeline = self.timeline
        self._iteration = iteration
        self._begin, self._end = timeline.begin(iteration), timeline.begin(iteration + 1)
        listing = timeline.listing(iteration)
        if listing is not self._listing:
            self._listing = listing
            self._costs = self.history.costs(listing)
            self._losses = listing.places(self._loss)

    def _run(self, target: int, goal: int = 0) -> None:
        """Execute up to an event, or put in place again what the window already knows.

        ``goal`` is the event that the journey leads to, where this is a piece of one.
        """
        edits, timeline = self.journal.edits, self.timeline
        if self._waiting:
            self.refresh()
        with np.errstate(all="ignore"):
            while self._event < target:
                if not self._begin <= self._event < self._end:
                    self._locate(timeline.iteration(self._event))
                stop = min(target, self._end)
                if edits:  # one is carried out with the cursor at its event: stop there
                    stop = min([stop, *(at for at in edits if at > self._event)])
                if self._event in self.history.events:
                    self._put_again(min(stop, self.history.end))
                else:
                    self._execute(min(stop, self._room(max(stop, min(goal, self._end)))))
                if self._event == self._end:
                    if self._event >= timeline.end:
                        self._waiting = True
                    else:
                        self._locate(timeline.iteration(self._event))
                        if self._begin == self._event:  # else the iteration has grown meanwhile
                            self._enter()
                if edits and self._event in edits:
                    self._arrive()

    def _room(self, stop: int) -> int:
        """Up to which event the window has room; the oldest events give way."""
        history, begin, costs = self.history, self._begin, self._costs
        needed = costs[stop - begin] - costs[self._event - begin]
        if history.window_bytes + needed <= history.window_budget:  # as a rule, with small tensors
            return stop
        return history.make_room(self._event, stop, begin, costs)

    def _put_again(self, stop: int) -> None:
        """Put in place what the window knows up to an event of the same iteration."""
        tensors, events = self._tensors, self.history.events
        for event, op in enumerate(self.timeline.stretch(self._event, stop), self._event):
            for name, new in zip(op.writes, events.results(event), strict=False):
                put(tensors, name, new)
        self._event = stop

    def _execute(self, stop: int) -> None:
        """Execute up to an event of the same iteration, and remember what was written.

        This is the innermost loop, where every call and every look at an attribute counts.
        """
        branch, tensors, event = self.branch, self._tensors, self._event
        history = branch.history
        joins = event > self._begin and event not in history.edited
        results = history.events.open(event, tensors, joins)
        note, known = results.append, len(results)
        # Asked once a stretch and not at every op; of the very class, whose ``produce`` is known.
        plain = type(self.source) is Executed and not branch.journal.skips
        ops = self.timeline.stretch(event, stop)
        op = ops[0]
        try:
            for op in ops:
                if not plain:
                    names, found = self._outcome(op, event + len(results) - known)
                    for new in found:
                        if new is not None:
                            frozen(new)
                    note(found)
                    for name, new in zip(names, found, strict=False):
                        put(tensors, name, new)
                    continue
                names, after = op.writes, op.run(tensors)
                if len(after) == 1 == len(names):
                    result = after[0]
                    result.setflags(False)  # type: ignore[call-arg]  # see ``frozen``
                    note(after)
                    tensors[names[0]] = result
                else:
                    for result in after:
                        frozen(result)
                    note(after)
                    tensors.update(zip(names, after, strict=False))
        # Skips and edits can leave an op without its inputs, or with ones that do not fit.
        except (ArithmeticError, LookupError, ValueError) as problem:
            event += len(results) - known
            raise GradstepError(f"#{event} {op.phase} {op.name} cannot run: {problem}") from problem
        finally:  # whatever an op raises, those before it have happened
            self._executed(self._event + len(results) - known)

    def _executed(self, event: int) -> None:
        """Account for the events executed from the cursor up to an event of the same iteration."""
        branch, start, begin = self.branch, self._event, self._begin
        self._event = event
        branch.history.window_bytes += self._costs[event - begin] - self._costs[start - begin]
        known = branch.known
        if event <= known:  # executed again after a rewind: its loss is known already
            return
        branch.known = event
        for place in self._losses:
            if known <= begin + place < event:
                after = branch.history.events.results(begin + place)
                loss = after[0] if after else None
                branch.losses.append(np.nan if loss is None else float(loss))

    def _outcome(self, op: Op, event: int) -> tuple[tuple[str, ...], tuple[Array | None, ...]]:
        """What an op writes when some ops are skipped or a source knows the results: the names too.

        A skipped op writes nothing.
        """
        if self.journal.skipped(op.phase, op.name, event):
            return (), ()
        return op.writes, self.source.produce(self.branch, event, op, self._tensors)

    def _enter(self) -> None:
        """Enter the iteration that begins at the cursor: its batch, and a keyframe."""
        event, iteration, journal = self._event, self._iteration, self.journal
        if journal.edits:
            names, before = self.run.entering, self.timeline.begin(iteration - 1)
            # An edited batch is no function of the position: going back needs it kept.
            if any(edit.target in names for edit in journal.edited(before, event)):
                self.history.inputs[event] = {name: self._tensors[name] for name in names}
        batch = self.source.enters(iteration)
        if type(self.source) is Executed:  # all of it is there
            self._tensors.update(batch)  # type: ignore[arg-type]
        else:
            self._take_in(batch)
        self.history.keyframe(iteration, self._tensors, whole=bool(journal))

    def _take_in(self, batch: Mapping[str, Array | None]) -> None:
        """Put the batch of an iteration in place."""
        for name, array in batch.items():
            put(self._tensors, name, array)
