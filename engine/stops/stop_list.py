"""The stops of a session: breakpoints before ops, watchpoints on values, and predicates.

A breakpoint stops with the cursor before its op. A watchpoint or predicate stops with the cursor
right after the event that made it true.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from engine.errors import GradstepError
from engine.run.run import Run
from engine.run.timeline import Listing
from engine.stops.stop import Stop, StopKind, stop_from_dict, stop_to_dict

if TYPE_CHECKING:
    from engine.stops.tests import Check


class StopList:
    """All stops, ``numbered``; each is compiled when it enters, so that what is here can be run.

    Raises GradstepError for a number that no stop has.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self._checks: dict[int, Check] = {}
        self.numbered: dict[int, Stop] = {}
        self._next = 1

    def __iter__(self) -> Iterator[Stop]:
        return iter(self.numbered.values())

    def __len__(self) -> int:
        return len(self.numbered)

    def __contains__(self, number: int) -> bool:
        return number in self.numbered

    def add(self, kind: StopKind, target: str = "", **options: Any) -> Stop:
        """A new stop; a GradstepError when it waits for something that does not exist."""
        stop = Stop(self._next, kind, target, **options)
        self._enter(stop)
        return stop

    def find(self, number: int) -> Stop:
        """The stop of a number; a GradstepError lists those there are."""
        if number not in self.numbered:
            known = ", ".join(map(str, self.numbered)) or "none"
            raise GradstepError(f"no stop {number}; there are: {known}")
        return self.numbered[number]

    def edit(self, number: int, **changes: Any) -> Stop:
        """Change some fields of a stop; a GradstepError, and no change, where they do not fit."""
        stop = replace(self.find(number), **changes)
        self._enter(stop)
        return stop

    def enable(self, number: int, enabled: bool = True) -> Stop:
        """Switch a stop on or off."""
        return self.edit(number, enabled=enabled)

    def delete(self, number: int) -> Stop:
        """Remove a stop."""
        stop = self.find(number)
        del self.numbered[number], self._checks[number]
        return stop

    def clear(self) -> None:
        """Remove all of them."""
        self.numbered.clear()
        self._checks.clear()

    def checks(self) -> "list[Check]":
        """The enabled stops, compiled."""
        return [self._checks[stop.number] for stop in self if stop.enabled]

    def at_op(self, listing: Listing, index: int) -> list[Stop]:
        """The breakpoints before an op of an iteration: for its gutter."""
        return [stop for stop in self if self._checks[stop.number].stands_before(listing, index)]

    def event_of(self, number: int) -> int | None:
        """The one event that a stop at a position is about; None for others."""
        return self._checks[number].event

    def count(self, number: int, hits: int = 0, ignored: int = 0) -> None:
        """Note that a stop was hit, and how many of its hits were passed by."""
        stop = self.find(number)
        changed = replace(stop, hits=stop.hits + hits, ignore=stop.ignore - ignored)
        self.numbered[number] = changed

    def kept(self) -> "dict[int, tuple[Stop, Check]]":
        """All stops as they are now, with their counts, to be taken by :meth:`put_back`."""
        return {number: (stop, self._checks[number]) for number, stop in self.numbered.items()}

    def put_back(self, kept: "Mapping[int, tuple[Stop, Check]]") -> None:
        """The stops as they were once."""
        self.numbered = {number: stop for number, (stop, _) in kept.items()}
        self._checks = {number: check for number, (_, check) in kept.items()}

    def to_list(self) -> list[dict[str, Any]]:
        """The stops as plain data, to be saved with an experiment."""
        return [stop_to_dict(stop) for stop in self]

    def load(self, data: Iterable[Mapping[str, Any]]) -> list[str]:
        """Take over saved stops; what no longer fits the program is named, not raised."""
        problems = []
        for entry in data:
            try:
                self._enter(stop_from_dict(entry))
            except GradstepError as problem:
                problems.append(str(problem))
        return problems

    def _enter(self, stop: Stop) -> None:
        from engine.stops.tests import compile_check  # most sessions begin without a stop

        self._checks[stop.number] = compile_check(stop, self.run)  # first: it may refuse
        self.numbered[stop.number] = stop
        self._next = max(self._next, stop.number + 1)
