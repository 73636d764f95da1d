"""A captured run as a Timeline: iterations that share listings, found by prefix sums and bisection.

It may grow while it is looked at; what was is never changed, but for the iteration under way.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.run.op import Op
from engine.run.phases import Phase
from engine.run.position import Granularity, Position
from engine.run.timeline import Listing, Where, Which

Count = Callable[[Listing], int]


class Trace:
    """The iterations of a run by the number of their shape; ``over`` says that no more come.

    Nobody tells when an epoch of the script ends: the whole run is one.
    """

    def __init__(self) -> None:
        self.over = False
        self.shapes: list[Listing] = []
        self.shape_of: list[int] = []
        self.starts: list[int] = [0]  # of each iteration, and the end of the last
        self.with_shape: dict[int, list[int]] = {}  # the iterations of a shape
        self._sums: dict[Any, list[int]] = {}

    def extend(self, first: int, listings: Sequence[Listing], shape_of: Sequence[int]) -> None:
        """From iteration ``first`` on there are these now, with these listings of shapes."""
        for shape in self.shape_of[first:]:
            self.with_shape[shape].pop()
        del self.shape_of[first:], self.starts[first + 1 :]
        self._sums.clear()
        self.shapes = list(listings)
        for iteration, shape in enumerate(shape_of, first):
            self.with_shape.setdefault(shape, []).append(iteration)
        self.shape_of += shape_of
        lengths = [len(listing) for listing in self.shapes]
        self.starts = [
            *self.starts[:-1],
            *accumulate((lengths[shape] for shape in shape_of), initial=self.starts[-1]),
        ]

    # -- the run

    @property
    def length(self) -> int | None:
        """Events of the whole run; None while it grows."""
        return self.end if self.over else None

    @property
    def end(self) -> int:
        """The event after the last one."""
        return self.starts[-1]

    @property
    def iterations(self) -> int:
        """The iterations that have begun."""
        return len(self.shape_of)

    @property
    def listings(self) -> Sequence[Listing]:
        """The different listings that iterations have, the commonest first."""
        common = sorted(self.with_shape.items(), key=lambda item: -len(item[1]))
        return [self.shapes[shape] for shape, iterations in common if iterations] or [EMPTY]

    # -- where an event lies

    def iteration(self, event: int) -> int:
        """The iteration that an event is in; the last one at the end of the run."""
        return max(0, min(bisect_right(self.starts, event), len(self.shape_of)) - 1)

    def begin(self, iteration: int) -> int:
        """The event that an iteration begins with; the end for one that has not begun."""
        return self.starts[iteration] if iteration < len(self.starts) else self.starts[-1]

    def listing(self, iteration: int) -> Listing:
        """The ops of an iteration."""
        return self.shapes[self.shape_of[iteration]] if self.shape_of else EMPTY

    def op(self, event: int) -> Op:
        """The op at an event; IndexError beyond the end."""
        if not 0 <= event < self.end:
            raise IndexError(f"no op at event {event}: the run has {self.end}")
        iteration = self.iteration(event)
        return self.listing(iteration).ops[event - self.starts[iteration]]

    def stretch(self, start: int, stop: int) -> Sequence[Op]:
        """The ops from ``start`` up to ``stop``, which lie in one iteration."""
        iteration = self.iteration(start)
        begin = self.starts[iteration]
        return self.listing(iteration).ops[start - begin : stop - begin]

    def position(self, event: int) -> Position:
        """The place of an event; all iterations are in epoch 1."""
        iteration = self.iteration(event)
        place = min(event, self.end) - self.begin(iteration)
        return Position(event, 1, iteration + 1, iteration, place)

    def boundary(self, event: int, granularity: Granularity, count: int) -> int:
        """The event that ``count`` steps lead to; negative counts lead backwards."""
        if count == 0:
            return event
        match granularity:
            case Granularity.OP:
                found = event + count
            case Granularity.PHASE:
                found = self.phase_boundary(event, count)
            case Granularity.ITERATION:
                starts = self.starts[:-1]
                at = bisect_right(starts, event) - 1 if count > 0 else bisect_left(starts, event)
                at += count
                found = starts[at] if 0 <= at < len(starts) else self.end if count > 0 else 0
            case Granularity.EPOCH:
                found = self.end if count > 0 else 0
        return max(0, min(self.end, found))

    def phase_boundary(self, event: int, count: int) -> int:
        """The event that ``count`` steps of a phase lead to, perhaps beyond the run."""
        sums = self.sums("phases", lambda listing: len(listing.phase_starts))
        iteration = self.iteration(event)
        inside = self.listing(iteration).phase_starts
        place = event - self.begin(iteration)
        if count > 0:
            at = sums[iteration] + bisect_right(inside, place) - 1
        else:
            at = sums[iteration] + bisect_left(inside, place)
        at += count
        if not 0 <= at < sums[-1]:
            return self.end if count > 0 else 0
        there = bisect_right(sums, at) - 1
        return self.begin(there) + self.listing(there).phase_starts[at - sums[there]]

    def sums(self, key: Any, count: Count) -> list[int]:
        """How many of something there are before each iteration, and in all of them."""
        found = self._sums.get(key)
        if found is None:
            counts = [count(listing) for listing in self.shapes]
            found = list(accumulate((counts[shape] for shape in self.shape_of), initial=0))
            self._sums[key] = found
        return found

    # -- the next and the last of a kind

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
        if not self.shape_of or before <= 0:
            return None
        before = min(before, self.end)
        iteration = self.iteration(before)
        places = self.listing(iteration).places(where)
        i = bisect_left(places, before - self.starts[iteration])
        if i:
            return self.starts[iteration] + places[i - 1]
        found = -1
        for shape, iterations in self.with_shape.items():
            i = bisect_left(iterations, iteration)
            if i and iterations[i - 1] > found and self.shapes[shape].places(where):
                found = iterations[i - 1]
        return None if found < 0 else self.starts[found] + self.listing(found).places(where)[-1]

    def next_place(self, after: int, where: Where) -> int | None:
        """The first event after another one that lies at one of these places."""
        if not self.shape_of or after >= self.end - 1:
            return None
        after = max(-1, after)
        iteration = self.iteration(max(0, after))
        places = self.listing(iteration).places(where)
        i = bisect_right(places, after - self.starts[iteration])
        if i < len(places):
            return self.starts[iteration] + places[i]
        found = len(self.shape_of)
        for shape, iterations in self.with_shape.items():
            i = bisect_right(iterations, iteration)
            if i < len(iterations) and iterations[i] < found and self.shapes[shape].places(where):
                found = iterations[i]
        if found == len(self.shape_of):
            return None
        return self.starts[found] + self.listing(found).places(where)[0]

    # -- counting

    def count(self, op: str, before: int) -> int:
        """How many events of an op there are before an event."""
        if not self.shape_of:
            return 0
        where = Which(op)
        iteration = self.iteration(min(before, self.end))
        sums = self.sums(where, lambda listing: len(listing.places(where)))
        places = self.listing(iteration).places(where)
        return sums[iteration] + bisect_left(places, before - self.starts[iteration])

    def times(self, op: str, count: int) -> NDArray[np.int64]:
        """The first events of an op, (count,) of int64, or as many as there are."""
        where = Which(op)
        found: list[int] = []
        for iteration, shape in enumerate(self.shape_of):
            if len(found) >= count:
                break
            begin = self.starts[iteration]
            found += [begin + place for place in self.shapes[shape].places(where)]
        return np.array(found[:count], np.int64)

    def iterations_of(self, op: str, start: int, stop: int) -> NDArray[np.int64]:
        """The iterations that the events number ``start`` up to ``stop`` of an op lie in."""
        where = Which(op)
        sums = np.array(self.sums(where, lambda listing: len(listing.places(where))), np.int64)
        wanted = np.arange(start, min(stop, int(sums[-1])))
        return np.asarray(np.searchsorted(sums, wanted, "right") - 1, np.int64)

    def elapsed(self, event: float) -> float:
        """How many iterations lie before an event, with a fraction inside one."""
        iteration = self.iteration(int(event))
        first, last = self.begin(iteration), self.begin(iteration + 1)
        return iteration + (event - first) / max(1, last - first)


EMPTY = Listing(())
