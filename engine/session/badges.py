"""The condition of a gradient at an event: none, zeroed, fresh, stale, accumulated ×k.

All of it follows from the timeline, the event and the journal of edits; nothing is executed.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Protocol

from engine.arrays import Array
from engine.errors import GradstepError
from engine.run.op import Op
from engine.run.phases import Phase
from engine.run.run import Run
from engine.run.timeline import Which
from engine.session.journal import Edit, Journal


class BadgeKind(StrEnum):
    """The condition of a gradient.

    Never computed; zeroed; made by one backward pass; older than its tensor; the sum of several.
    """

    NONE = "none"
    ZEROED = "zeroed"
    FRESH = "fresh"
    STALE = "stale"
    ACCUMULATED = "accumulated"


@dataclass(frozen=True, slots=True)
class Badge:
    """The condition of a gradient; ``count`` is how many backward passes are added up in it."""

    kind: BadgeKind
    count: int = 0

    def __str__(self) -> str:
        accumulated = self.kind == BadgeKind.ACCUMULATED
        return f"{self.kind} ×{self.count}" if accumulated else str(self.kind)


class Placed(Protocol):
    """A session, of which the run, the cursor, the journal and the tensors are asked."""

    @property
    def run(self) -> Run: ...
    @property
    def event(self) -> int: ...
    @property
    def journal(self) -> Journal: ...
    @property
    def tensors(self) -> Mapping[str, Array]: ...


def badge(session: Placed, tensor: str) -> Badge:
    """The badge of a tensor's gradient at the cursor; see :func:`badge_at`.

    A gradient that zero_grad has set to None, as PyTorch does, is none again.
    """
    run = session.run
    found = badge_at(run, session.journal, session.event, tensor)
    if found.kind == BadgeKind.ZEROED:
        gradient = run.gradients[tensor if tensor in run.gradients else run.resolve(tensor)]
        if gradient not in session.tensors and run.source.kept(session.event, gradient) is None:
            return Badge(BadgeKind.NONE)
    return found


def badge_at(run: Run, journal: Journal, event: int, tensor: str) -> Badge:
    """The badge of the gradient of ``tensor`` when the cursor stands at ``event``.

    Stale means that the tensor itself was written after its gradient. Raises GradstepError for a
    tensor without a gradient.
    """
    name = tensor if tensor in run.gradients else run.resolve(tensor)
    gradient = run.gradients.get(name)
    if gradient is None:
        raise GradstepError(f"{tensor} has no gradient; parameters and layer outputs have one")
    # Counted in the timeline and not looked up in the history: the events that would tell may have
    # left the window long ago.
    times = Times(run, journal, event)
    adding = Which(phase=Phase.BACKWARD, writes=gradient)
    # A gradient that is set as a whole replaces what was added up before, and counts as one pass.
    set_by_hand = times.edited(gradient, whole=True, zero=False)
    zeroing = Which(phase=Phase.ZERO_GRAD, writes=gradient)
    zeroed = max(times.last(zeroing), times.edited(gradient, whole=True, zero=True))
    count = times.passes(adding, max(zeroed, set_by_hand)) + (set_by_hand > zeroed)
    made = max(times.last(adding), set_by_hand)
    touched = times.edited(gradient)
    if not count and touched > zeroed:  # an element of a gradient of zeros
        count, made = 1, touched
    if not count:
        return Badge(BadgeKind.ZEROED if zeroed >= 0 else BadgeKind.NONE)
    if times.sets(adding):
        count = 1  # the gradient of an activation begins anew in every pass
    written = times.last(Which(writes=name))
    if max(written, times.edited(name), times.entered(name)) > made:
        return Badge(BadgeKind.STALE, count)
    return Badge(BadgeKind.FRESH if count == 1 else BadgeKind.ACCUMULATED, count)


@dataclass(frozen=True)
class Times:
    """When things last happened before a cursor at ``event``; −1 is never.

    The edits at event e have times from e on, in their order, the op at event e the time e + ½.
    """

    run: Run
    journal: Journal
    event: int

    def ops(self, which: Which) -> list[Op]:
        """The ops in question, each once, of whatever iterations have them."""
        found = {
            listing.ops[place].key: listing.ops[place]
            for listing in self.run.timeline.listings
            for place in listing.places(which)
        }
        return list(found.values())

    def together(self, which: Which) -> list[list[Op]]:
        """These ops of each kind of iteration that has some."""
        listings = self.run.timeline.listings
        found = [[one.ops[place] for place in one.places(which)] for one in listings]
        return [ops for ops in found if ops]

    def sets(self, which: Which) -> bool:
        """Whether one of these ops writes anew in every iteration, and adds to nothing."""
        return all(any(not op.adds for op in ops) for ops in self.together(which))

    def last(self, which: Which) -> float:
        """When one of these ops was last executed; −1 where it never was, or was always skipped."""
        return max((self._last(op) for op in self.ops(which)), default=-1)

    def passes(self, which: Which, after: float) -> int:
        """In how many iterations these ops were executed after a time.

        A weight that several lines read has an op for each of them: one pass is all of these.
        """
        first, ops = max(0, math.floor(after + 0.5)), self.ops(which)
        counts = [self._count(op, first, self.event) for op in ops]
        whole = all(len(found) == len(ops) for found in self.together(which))
        return max(counts, default=0) if whole else sum(counts)

    def edited(self, name: str, whole: bool = False, zero: bool | None = None) -> float:
        """When a tensor was last edited; −1 for never.

        ``whole`` leaves edits of parts out; ``zero`` asks for edits to 0, or to anything else.
        """
        entries = self.journal.entries
        spread = 0.5 / (len(entries) + 1)  # the last edit is still before the op, at e + ½
        return max(
            (
                edit.event + i * spread
                for i, edit in enumerate(entries)
                if isinstance(edit, Edit) and edit.event <= self.event
                if self.run.resolve(edit.target) == name
                if not (whole and edit.index)
                if zero is None or zero == (edit.value == 0)
            ),
            default=-1,
        )

    def entered(self, name: str) -> float:
        """When a batch last brought a new value of the tensor; −1 where no batch does."""
        timeline = self.run.timeline
        return timeline.begin(timeline.iteration(self.event)) if name in self.run.entering else -1

    def _spans(self, op: Op) -> Iterator[tuple[int, int]]:
        """The spans before the cursor in which an op is skipped, disjoint, in order."""
        spans = sorted(
            (skip.event, self.event if skip.end is None else min(skip.end, self.event))
            for skip in self.journal.skips
            if skip.concerns(op.phase, op.name) and skip.event < self.event
        )
        reached = 0
        for start, group in groupby(spans, lambda span: span[0]):
            end = max(stop for _, stop in group)
            if end > reached:
                yield max(start, reached), end
                reached = end

    def _count(self, op: Op, start: int, end: int) -> int:
        """Executions of an op at the events from ``start`` up to ``end``."""
        total = self._times(op, start, end)
        for low, high in self._spans(op):
            total -= self._times(op, max(low, start), min(high, end))
        return total

    def _times(self, op: Op, start: int, end: int) -> int:
        """Events of an op from ``start`` up to ``end``, executed or skipped."""
        timeline = self.run.timeline
        return max(0, timeline.count(op.key, end) - timeline.count(op.key, start))

    def _last(self, op: Op) -> float:
        """The time of the last execution of an op."""
        event = self._before(op, self.event)
        for start, end in reversed(list(self._spans(op))):
            if start <= event < end:
                event = self._before(op, start)
        return event + 0.5 if event >= 0 else -1

    def _before(self, op: Op, event: int) -> int:
        """The last event of an op before another event; negative when there is none."""
        found = self.run.timeline.last(event, op=op.key)
        return -1 if found is None else found
