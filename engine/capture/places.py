"""Where a captured run has its values: the write that holds at an event, and what it wrote."""

from bisect import bisect_left
from collections.abc import Sequence

from engine.arrays import Array
from engine.capture.elements import is_finite
from engine.capture.stored import StoredCapture
from engine.capture.trace import Trace
from engine.recording.reader import Damaged

Place = tuple[int, int, int | None]


class Places:
    """Looks up values by event and name. What is damaged is None, and told in ``trouble``.

    A place is an iteration, a slot of it, and the event that wrote it; the event is None for what
    entered with the iteration.
    """

    def __init__(self, stored: StoredCapture, timeline: Trace) -> None:
        self.stored = stored
        self.timeline = timeline
        self.trouble = ""
        self.given: dict[str, list[int]] = {}  # by name, the iterations that it entered with
        self._slots: dict[tuple[int, ...], dict[str, int]] = {}
        self._writes: dict[int, dict[str, tuple[int, int]]] = {}

    def index(self) -> None:
        """Find out which tensors entered with which iterations."""
        tensors = self.stored.tensors
        sets: dict[tuple[int, ...], list[int]] = {}
        for iteration, row in enumerate(self.stored.index):
            if row.given:
                sets.setdefault(row.given, []).append(iteration)
        found: dict[str, list[int]] = {}
        for numbers, iterations in sets.items():
            for number in numbers:
                found.setdefault(tensors[number].name, []).extend(iterations)
        self.given = {name: sorted(found[name]) for name in found}
        self._writes.clear()

    def state(self, iteration: int) -> dict[str, Array]:
        """Every tensor at the beginning of an iteration, its own batch apart."""
        found: dict[str, Array] = {}
        for name, (there, slot, event) in self.before(iteration).items():
            array = self.value(there, slot, event)
            if array is not None:
                found[name] = array
        return found

    def before(self, iteration: int) -> dict[str, Place]:
        """Where each tensor was written last before an iteration: iteration, slot and event."""
        timeline = self.timeline
        latest = []
        for shape, iterations in timeline.with_shape.items():
            i = bisect_left(iterations, iteration)
            if i:
                latest.append((iterations[i - 1], shape))
        found: dict[str, Place] = {}
        for there, shape in sorted(latest, reverse=True):
            begin = timeline.begin(there)
            for name, (slot, place) in self.last_writes(shape).items():
                if name not in found:
                    found[name] = there, slot, begin + place
        for name, iterations in self.given.items():
            i = bisect_left(iterations, iteration)
            if i and (name not in found or iterations[i - 1] > found[name][0]):
                there = iterations[i - 1]
                found[name] = there, self.slot_given(there, name), None
        return found

    def locate(self, event: int, name: str, before: int | None = None) -> Place | None:
        """Where a tensor was written last before an event: iteration, slot and event.

        ``before`` leaves out what entered with that iteration or later; the event is None for what
        entered.
        """
        timeline = self.timeline
        event = min(event, timeline.end)
        written = timeline.last(event, writes=name)
        iterations = self.given.get(name, ())
        end = timeline.iteration(event) + 1 if before is None else before
        i = bisect_left(iterations, end)
        if i and (written is None or timeline.begin(iterations[i - 1]) > written):
            there = iterations[i - 1]
            return there, self.slot_given(there, name), None
        if written is None:
            return None
        iteration = timeline.iteration(written)
        starts = self.layout_starts(iteration)
        place = written - timeline.begin(iteration)
        writes = timeline.op(written).writes
        last = len(writes) - 1 - writes[::-1].index(name)
        return iteration, starts[place] + last, written

    def at(self, place: Place | None) -> Array | None:
        """The value at a place; None where there is none, or it was not kept."""
        return None if place is None else self.value(*place)

    def value(self, iteration: int, slot: int, event: int | None = None) -> Array | None:
        """The value in a slot of an iteration; None where it was not kept, or is damaged."""
        try:
            told = self.stored.told(iteration, slot, event)
            number = self.stored.block(iteration).numbers[slot]
            name = self.stored.tensors[number].name
            return self.stored.whole(number, told, f"{name} of iteration {iteration + 1}")
        except Damaged as problem:
            self.trouble = str(problem)
            return None

    def layout_starts(self, iteration: int) -> Sequence[int]:
        """The first slot of each op of an iteration."""
        return self.stored.layouts[self.stored.index[iteration].shape].starts

    def given_slots(self, iteration: int) -> range:
        """The slots of what entered with an iteration."""
        row = self.stored.index[iteration]
        first = self.stored.layouts[row.shape].starts[-1]
        return range(first, first + len(row.given))

    def slot_given(self, iteration: int, name: str) -> int:
        """The slot of a tensor that entered with an iteration."""
        numbers = self.stored.index[iteration].given
        slots = self._slots.get(numbers)
        if slots is None:
            names = [self.stored.tensors[number].name for number in numbers]
            slots = self._slots[numbers] = {one: i for i, one in enumerate(names)}
        return self.given_slots(iteration).start + slots[name]

    def last_writes(self, shape: int) -> dict[str, tuple[int, int]]:
        """The slot and the place of the last write of each tensor that a shape writes."""
        found = self._writes.get(shape)
        if found is None:
            layout = self.stored.layouts[shape]
            found = {}
            for place, first in enumerate(layout.starts[:-1]):
                for slot in range(first, layout.starts[place + 1]):
                    found[self.stored.tensors[layout.numbers[slot]].name] = slot, place
            self._writes[shape] = found
        return found

    def nearest(self, name: str, event: int) -> int | None:
        """The event nearest to another one that wrote a tensor whole."""
        numbers = [one.id for one in self.stored.tensors if one.name == name]
        found = [one for number in numbers for one in self.stored.wholes(number, event)]
        return min(found, key=lambda one: abs(one - event), default=None)

    def first_odd(self, start: int, stop: int) -> int | None:
        """The first event from ``start`` up to ``stop`` that wrote something not finite."""
        timeline = self.timeline
        if start >= stop:
            return None
        for iteration in range(timeline.iteration(start), timeline.iteration(stop - 1) + 1):
            odd = self.stored.index[iteration].odd
            if odd is None:
                continue
            begin, end = timeline.begin(iteration), timeline.begin(iteration + 1)
            for event in range(max(start, begin + odd), min(stop, end)):
                if self.is_odd(iteration, event - begin, event):
                    return event
        return None

    def is_odd(self, iteration: int, place: int, event: int) -> bool:
        """Whether an op wrote something that is not finite."""
        starts = self.layout_starts(iteration)
        for slot in range(starts[place], starts[place + 1]):
            found = self.stored.told(iteration, slot, event).statistics
            if found is not None and not is_finite(found):
                return True
        return False
