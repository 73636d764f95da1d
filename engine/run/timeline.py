"""Which op is at an event, and where an event lies: the one place that maps events to iterations.

A program repeated is a :class:`Periodic` timeline, which answers by arithmetic. A captured run,
whose iterations have different ops and which grows while it is looked at, is another. Nobody else
divides by a number of ops.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.run.op import Op
from engine.run.phases import Phase
from engine.run.position import Granularity, Position

MOST_QUESTIONS = 512  # answers that a listing keeps

Where = Callable[["Listing"], Sequence[int]]
"""The places of some ops within an iteration, in their order; the same for the same listing."""


class Listing:
    """The ops of one iteration in order. Iterations with the same ops share one listing.

    The op at place i has the index i.
    """

    def __init__(self, ops: Sequence[Op]) -> None:
        self.ops = tuple(ops)
        self._places: dict[Where, tuple[int, ...]] = {}

    def __len__(self) -> int:
        return len(self.ops)

    def places(self, where: Where) -> tuple[int, ...]:
        """The places, from 0, that a question names; each question is answered once."""
        found = self._places.get(where)
        if found is None:
            # A stop that is compiled anew brings a new question: without a bound they pile up.
            if len(self._places) >= MOST_QUESTIONS:
                self._places.clear()
            found = self._places[where] = tuple(where(self))
        return found

    @cached_property
    def by_key(self) -> Mapping[str, Sequence[int]]:
        """The places of the ops of each key."""
        return grouped((op.key, place) for place, op in enumerate(self.ops))

    @cached_property
    def by_written(self) -> Mapping[str, Sequence[int]]:
        """The places of the ops that write each tensor."""
        ops = enumerate(self.ops)
        return grouped((name, place) for place, op in ops for name in dict.fromkeys(op.writes))

    @cached_property
    def phase_starts(self) -> tuple[int, ...]:
        """The place of the first op of each phase that has one."""
        ops = self.ops
        return tuple(i for i in range(len(ops)) if i == 0 or ops[i].phase != ops[i - 1].phase)

    def phases(self) -> list[Phase]:
        """The phases that have ops, in their order."""
        return [self.ops[i].phase for i in self.phase_starts]


@dataclass(frozen=True)
class Which:
    """The places of the ops with this key, that write this tensor, of this phase: all at once."""

    op: str | None = None
    writes: str | None = None
    phase: Phase | None = None

    def __call__(self, listing: Listing) -> list[int]:
        # A thousand lines are a thousand ops, each of which somebody asks for by its key.
        places: Sequence[int] = range(len(listing))
        if self.op is not None:
            places = listing.by_key.get(self.op, ())
        elif self.writes is not None:
            places = listing.by_written.get(self.writes, ())
        ops = listing.ops
        return [
            place
            for place in places
            if self.writes is None or self.writes in ops[place].writes
            if self.phase is None or ops[place].phase == self.phase
        ]


def grouped(pairs: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
    """The places of each name, in their order."""
    found: dict[str, list[int]] = {}
    for name, place in pairs:
        found.setdefault(name, []).append(place)
    return found


class Timeline(Protocol):
    """The ops of a whole run by event. Events and iterations count from 0 here.

    ``op`` in the questions is the key of an op, ``backward:linear2.weight.grad``.
    """

    @property
    def length(self) -> int | None:
        """Events of the whole run; None while it grows."""

    @property
    def end(self) -> int:
        """The event after the last one that there is by now."""

    @property
    def iterations(self) -> int:
        """The iterations that have begun by now, or will be run."""

    @property
    def listings(self) -> Sequence[Listing]:
        """The different listings that iterations have had so far, the commonest first."""

    def op(self, event: int) -> Op:
        """The op at an event; IndexError beyond the end."""

    def stretch(self, start: int, stop: int) -> Sequence[Op]:
        """The ops from ``start`` up to ``stop``, which lie in one iteration."""

    def position(self, event: int) -> Position:
        """The place of an event: its epoch, iteration, batch and op."""

    def iteration(self, event: int) -> int:
        """The iteration that an event is in; the last one at the end of the run."""

    def begin(self, iteration: int) -> int:
        """The event that an iteration begins with; the end for one that has not begun."""

    def listing(self, iteration: int) -> Listing:
        """The ops of an iteration."""

    def boundary(self, event: int, granularity: Granularity, count: int) -> int:
        """The event that ``count`` steps lead to; negative counts lead backwards.

        A step backwards from inside a phase, iteration or epoch leads to its own beginning;
        no steps lead nowhere.
        """

    def last(
        self,
        before: int,
        *,
        op: str | None = None,
        writes: str | None = None,
        phase: Phase | None = None,
    ) -> int | None:
        """The last event before another one of this op, writing this tensor, of this phase."""

    def next(
        self,
        after: int,
        *,
        op: str | None = None,
        writes: str | None = None,
        phase: Phase | None = None,
    ) -> int | None:
        """The first event after another one of this op, writing this tensor, of this phase."""

    def last_place(self, before: int, where: Where) -> int | None:
        """The last event before another one that lies at one of these places."""

    def next_place(self, after: int, where: Where) -> int | None:
        """The first event after another one that lies at one of these places."""

    def count(self, op: str, before: int) -> int:
        """How many events of an op there are before an event."""

    def times(self, op: str, count: int) -> NDArray[np.int64]:
        """The first events of an op, (count,) of int64, or as many as there are."""

    def iterations_of(self, op: str, start: int, stop: int) -> NDArray[np.int64]:
        """The iterations that the events number ``start`` up to ``stop`` of an op lie in.

        (stop − start,) of int64; the first event of this op has the number 0.
        """

    def elapsed(self, event: float) -> float:
        """How many iterations lie before an event, with a fraction inside one."""


class Periodic:
    """The timeline of a program: the same ops in every iteration, which it repeats.

    An epoch has ``batches`` iterations. Everything is arithmetic, at any length of the run.
    """

    def __init__(self, ops: Sequence[Op], epochs: int, batches: int) -> None:
        self.listings = (Listing(ops),)
        self.ops = self.listings[0].ops
        self._per_epoch = batches
        self.iterations = epochs * batches
        self.end = self.iterations * len(self.ops)
        self._period = len(self.ops)
        # Of every size where steps begin, as offsets within a period of events.
        self._grids: dict[Granularity, tuple[tuple[int, ...], int]] = {
            Granularity.OP: ((0,), 1),
            Granularity.PHASE: (self.listings[0].phase_starts, self._period),
            Granularity.ITERATION: ((0,), self._period),
            Granularity.EPOCH: ((0,), self._period * batches),
        }

    @property
    def length(self) -> int:
        """Events of the whole run."""
        return self.end

    def op(self, event: int) -> Op:
        """The op at an event; IndexError beyond the end."""
        if not 0 <= event < self.end:
            raise IndexError(f"no op at event {event}: the run has {self.end}")
        return self.ops[event % self._period]

    def stretch(self, start: int, stop: int) -> Sequence[Op]:
        """The ops from ``start`` up to ``stop``, which lie in one iteration."""
        first = start % self._period
        return self.ops[first : first + stop - start]

    def position(self, event: int) -> Position:
        """The place of an event: its epoch, iteration, batch and op."""
        iteration, op = divmod(min(event, self.end), self._period)
        if iteration == self.iterations:  # the end of the run lies in its last iteration
            iteration, op = iteration - 1, self._period
        epoch, batch = divmod(iteration, self._per_epoch)
        return Position(event, epoch + 1, iteration + 1, batch, op)

    def iteration(self, event: int) -> int:
        """The iteration that an event is in; the last one at the end of the run."""
        iteration = event // self._period
        return iteration if iteration < self.iterations else self.iterations - 1

    def begin(self, iteration: int) -> int:
        """The event that an iteration begins with; the end for one beyond the last."""
        event = iteration * self._period
        return event if event < self.end else self.end

    def listing(self, iteration: int) -> Listing:
        """The ops of an iteration: always the same."""
        return self.listings[0]

    def boundary(self, event: int, granularity: Granularity, count: int) -> int:
        """The event that ``count`` steps lead to; negative counts lead backwards.

        A step backwards from inside a phase, iteration or epoch leads to its own beginning;
        no steps lead nowhere.
        """
        if count == 0:
            return event
        starts, period = self._grids[granularity]
        per = len(starts)
        whole, rest = divmod(event, period)
        inside = bisect_right(starts, rest) - 1
        index = whole * per + inside
        if count < 0 and rest != starts[inside]:  # the first step goes to its own beginning
            index += 1
        whole, inside = divmod(index + count, per)
        return max(0, min(self.end, whole * period + starts[inside]))

    def last(
        self,
        before: int,
        *,
        op: str | None = None,
        writes: str | None = None,
        phase: Phase | None = None,
    ) -> int | None:
        """The last event before another one of this op, writing this tensor, of this phase."""
        return self.last_place(before, Which(op, writes, phase))

    def next(
        self,
        after: int,
        *,
        op: str | None = None,
        writes: str | None = None,
        phase: Phase | None = None,
    ) -> int | None:
        """The first event after another one of this op, writing this tensor, of this phase."""
        return self.next_place(max(-1, after), Which(op, writes, phase))

    def last_place(self, before: int, where: Where) -> int | None:
        """The last event before another one that lies at one of these places."""
        places = self.listings[0].places(where)
        if not places:
            return None
        whole, rest = divmod(min(before, self.end), self._period)
        i = bisect_left(places, rest)
        # None earlier in this iteration: the last one of the iteration before, if there is one.
        found = whole * self._period + (places[i - 1] if i else places[-1] - self._period)
        return found if found >= 0 else None

    def next_place(self, after: int, where: Where) -> int | None:
        """The first event after another one that lies at one of these places."""
        places, period = self.listings[0].places(where), self._period
        if not places:
            return None
        rest = after % period
        i = bisect_right(places, rest)
        found = after - rest + (places[i] if i < len(places) else period + places[0])
        return found if found < self.end else None

    def count(self, op: str, before: int) -> int:
        """How many events of an op there are before an event."""
        places = self.listings[0].places(Which(op))
        whole, rest = divmod(min(before, self.end), self._period)
        return whole * len(places) + bisect_left(places, rest)

    def times(self, op: str, count: int) -> NDArray[np.int64]:
        """The first events of an op, (count,) of int64, or as many as there are."""
        places = np.array(self.listings[0].places(Which(op)), np.int64)
        rows = np.arange(min(self.iterations, count) if len(places) else 0) * self._period
        events: NDArray[np.int64] = (rows[:, None] + places).reshape(-1)[:count]
        return events

    def iterations_of(self, op: str, start: int, stop: int) -> NDArray[np.int64]:
        """The iterations that the events number ``start`` up to ``stop`` of an op lie in.

        (stop − start,) of int64.
        """
        per_iteration = max(1, len(self.listings[0].places(Which(op))))
        return np.arange(start, stop, dtype=np.int64) // per_iteration

    def elapsed(self, event: float) -> float:
        """How many iterations lie before an event, with a fraction inside one."""
        return event / self._period

    def needed(self, events: int) -> int:
        """How many iterations so many events take, the last of them perhaps not to its end."""
        return -(-events // self._period)


def every_op(timeline: Timeline) -> list[Op]:
    """The different ops that iterations have had so far, each once, in their order."""
    return list({op.key: op for listing in timeline.listings for op in listing.ops}.values())


def every_phase(timeline: Timeline) -> list[Phase]:
    """The phases that have had ops so far, in their order."""
    return list(dict.fromkeys(phase for each in timeline.listings for phase in each.phases()))


def completed(timeline: Timeline, event: int) -> int:
    """How many iterations are over at an event: one more than its own at the end of the run.

    At the end of a run that grows the last one counts too, though more of it may come.
    """
    iteration = timeline.iteration(event)
    return iteration + (timeline.begin(iteration + 1) <= event)


def shifted(timeline: Timeline, event: int, iterations: int) -> int:
    """The event at the same place so many iterations later; −1 for one before the first."""
    here = timeline.iteration(event)
    there = here + iterations
    return -1 if there < 0 else timeline.begin(there) + event - timeline.begin(here)


def begun(timeline: Timeline, event: int) -> int:
    """How many iterations have had an event before this one."""
    whole = completed(timeline, event)
    return whole + (timeline.begin(whole) < event)
