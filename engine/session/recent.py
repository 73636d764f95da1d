"""The recent events of a session: what each wrote, and what had been there before.

A stretch of events that nothing came between, no edit and no batch, is kept as the results of its
ops one after the other, and the tensors that it began with. What had been there before an op is
found when somebody asks: in a training that runs on, nobody does.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from engine.arrays import Array
from engine.run.timeline import Timeline

# None: the tensor was not there, or a recording has not kept its elements.
Results = tuple[Array | None, ...]
Written = tuple[Results, Results]


@dataclass(slots=True, eq=False)
class Stretch:
    """Events of one iteration from ``first`` on, and the tensors before them but for the batch.

    Only ``results`` grows, by what each event wrote: whoever reads meanwhile finds the same.
    """

    first: int
    tensors: dict[str, Array]
    results: list[Results]

    @property
    def end(self) -> int:
        """The event after the last one."""
        return self.first + len(self.results)


class RecentEvents(Mapping[int, Written]):
    """What each event from ``first`` up to ``end`` wrote, before and after.

    ``entering`` are the tensors of a batch, which come again with it. Other threads may read while
    the thread of the run adds and drops: what is dropped leaves another list of stretches behind.
    """

    def __init__(
        self, timeline: Timeline, entering: tuple[str, ...], stretches: list[Stretch] | None = None
    ) -> None:
        self.timeline = timeline
        self.entering = entering
        self.stretches: list[Stretch] = stretches or []

    @property
    def first(self) -> int:
        """The first event; 0 where there is none."""
        stretches = self.stretches
        return stretches[0].first if stretches else 0

    @property
    def end(self) -> int:
        """The event after the last one; 0 where there is none."""
        stretches = self.stretches
        return stretches[-1].end if stretches else 0

    def __len__(self) -> int:
        return self.end - self.first

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.first, self.end))

    def __contains__(self, event: object) -> bool:
        return isinstance(event, int) and self._stretch(event) is not None

    def __getitem__(self, event: int) -> Written:
        stretch = self._stretch(event)
        if stretch is None:
            raise KeyError(event)
        return self._before(stretch, event), stretch.results[event - stretch.first]

    def results(self, event: int) -> Results:
        """What an event wrote; KeyError for one that is not there."""
        stretch = self._stretch(event)
        if stretch is None:
            raise KeyError(event)
        return stretch.results[event - stretch.first]

    def before(self, event: int) -> Results:
        """What was there before an event under the names that its op writes; KeyError as above."""
        stretch = self._stretch(event)
        if stretch is None:
            raise KeyError(event)
        return self._before(stretch, event)

    def open(self, event: int, tensors: Mapping[str, Array], joins: bool) -> list[Results]:
        """The results that those of ``event`` and of the next ones are to be added to.

        It is the end of what is here; ``joins`` is whether nothing came in between.
        """
        stretches = self.stretches
        last = stretches[-1] if stretches else None
        if joins and last is not None and last.end == event:
            return last.results
        if last is not None and not last.results:  # an op that could not run
            del stretches[-1]
        before = dict(tensors)
        if self.timeline.length is not None:  # else there may be ops to come that write these
            written = self.timeline.listing(self.timeline.iteration(event)).by_written
            for name in self.entering:  # may be large, and can be had again
                if name not in written:
                    before.pop(name, None)
        stretches.append(Stretch(event, before, []))
        return stretches[-1].results

    def drop_before(self, event: int) -> None:
        """Drop the events before another one."""
        stretches = self.stretches
        keep = bisect_right(stretches, event, key=_end)
        kept = stretches[keep:]
        if kept and kept[0].first < event:
            kept[0] = self._later(kept[0], event)
        self.stretches = kept

    def drop_from(self, event: int) -> None:
        """Drop the events from one on."""
        kept = self.stretches[: bisect_left(self.stretches, event, key=_first)]
        if kept and kept[-1].end > event:
            last = kept[-1]
            kept[-1] = Stretch(last.first, last.tensors, last.results[: event - last.first])
        self.stretches = kept

    def copy(self) -> "RecentEvents":
        """The same events, to which nothing is added when these grow."""
        held = RecentEvents(self.timeline, self.entering, self.stretches)
        held.drop_from(self.end)
        if held.stretches:
            last = held.stretches[-1]
            held.stretches[-1] = Stretch(last.first, last.tensors, list(last.results))
        return held

    def _stretch(self, event: int) -> Stretch | None:
        """The stretch that an event lies in."""
        stretches = self.stretches
        place = bisect_right(stretches, event, key=_first) - 1
        if place < 0 or event >= stretches[place].end:
            return None
        return stretches[place]

    def _before(self, stretch: Stretch, event: int) -> Results:
        """What was there before an event of a stretch under the names that its op writes."""
        timeline = self.timeline
        iteration = timeline.iteration(event)
        begin, listing = timeline.begin(iteration), timeline.listing(iteration)
        found = list[Array | None]()
        for name in listing.ops[event - begin].writes:
            places = listing.by_written[name]
            value = stretch.tensors.get(name)
            for k in range(bisect_left(places, event - begin) - 1, -1, -1):
                offset = begin + places[k] - stretch.first
                if offset < 0:
                    break
                results = stretch.results[offset]
                which = listing.ops[places[k]].writes.index(name)
                if which < len(results):  # an op may write less than it names
                    value = results[which]
                    break
            found.append(value)
        return tuple(found)

    def _later(self, stretch: Stretch, event: int) -> Stretch:
        """A stretch from a later event on."""
        count, tensors = event - stretch.first, dict(stretch.tensors)
        ops = self.timeline.stretch(stretch.first, event)
        for op, results in zip(ops, islice(stretch.results, count), strict=True):
            for name, value in zip(op.writes, results, strict=False):
                put(tensors, name, value)
        return Stretch(event, tensors, stretch.results[count:])


def _first(stretch: Stretch) -> int:
    return stretch.first


def _end(stretch: Stretch) -> int:
    return stretch.end


def put(tensors: dict[str, Array], name: str, value: Array | None) -> None:
    """Give a tensor the value it had; None takes it away."""
    if value is None:
        tensors.pop(name, None)
    else:
        tensors[name] = value
