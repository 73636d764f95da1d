"""What the user changed in a run: the journal of edits that makes every branch reproducible.

An edit belongs to a cursor position: it is applied whenever the cursor comes to its event, after
the op before it and before the op there. A skip makes the ops of a span do nothing; their events
stay, so that every event keeps its number.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from engine.errors import GradstepError

Index = tuple[int | str, ...]
Entered = float | str | Sequence[Any]


@dataclass(frozen=True)
class Edit:
    """A tensor, or the part of it at ``index``, set to a number, a nested list or an expression.

    An index has whole numbers and slices written as text, ``(0, ":")``; empty is the whole tensor.
    An expression is kept as it was written, and evaluated wherever the edit is carried out.
    """

    event: int
    target: str
    value: Entered
    index: Index = ()

    def __str__(self) -> str:
        place = f"[{', '.join(map(str, self.index))}]" if self.index else ""
        return f"set {self.target}{place} = {self.value}"


@dataclass(frozen=True)
class Skip:
    """The ops of ``target`` do nothing from ``event`` on, up to ``end`` or the end of the run.

    A target is a phase, or one op as ``phase:name``.
    """

    event: int
    target: str
    end: int | None = None

    def __str__(self) -> str:
        return f"skip {self.target}{'' if self.end is not None else ' always'}"

    def covers(self, phase: str, name: str, event: int) -> bool:
        """Whether this op does nothing at an event."""
        inside = self.event <= event and (self.end is None or event < self.end)
        return inside and self.concerns(phase, name)

    def concerns(self, phase: str, name: str) -> bool:
        """Whether an op is the target, or part of it."""
        return self.target in (phase, f"{phase}:{name}")


Entry = Edit | Skip


@dataclass(frozen=True)
class Journal:
    """Every edit of one branch, in the order they were made."""

    entries: tuple[Entry, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    @cached_property
    def edits(self) -> dict[int, tuple[Edit, ...]]:
        """The edits of tensors by the event they are applied at."""
        found: dict[int, list[Edit]] = {}
        for entry in self.entries:
            if isinstance(entry, Edit):
                found.setdefault(entry.event, []).append(entry)
        return {event: tuple(edits) for event, edits in found.items()}

    @cached_property
    def skips(self) -> tuple[Skip, ...]:
        """The skips, in the order they were made; their spans may overlap."""
        return tuple(entry for entry in self.entries if isinstance(entry, Skip))

    def skipped(self, phase: str, name: str, event: int) -> bool:
        """Whether the op at an event does nothing."""
        return any(skip.covers(phase, name, event) for skip in self.skips)

    def edited(self, start: int, end: int) -> Iterator[Edit]:
        """The edits of tensors at the events from ``start`` up to ``end``."""
        if self.edits:
            for event, edits in self.edits.items():
                if start <= event < end:
                    yield from edits

    def touches(self, start: int, end: int) -> bool:
        """Whether anything was edited or skipped at the events from ``start`` up to ``end``."""
        if any(self.edited(start, end)):
            return True
        return any(s.event < end and (s.end is None or start < s.end) for s in self.skips)

    def add(self, entry: Entry) -> "Journal":
        """The journal with one more entry."""
        return Journal((*self.entries, entry))

    def until(self, event: int) -> "Journal":
        """What of it happened up to and at an event; a skip that goes on from there stays."""
        return Journal(tuple(entry for entry in self.entries if entry.event <= event))

    def without(self, number: int) -> "Journal":
        """The journal without the entry of this number, counted from 0."""
        return Journal(self.entries[:number] + self.entries[number + 1 :])


def to_dict(entry: Entry) -> dict[str, Any]:
    """An entry as plain data, as it stands in a recording; :func:`from_dict` reads it back."""
    if isinstance(entry, Skip):
        return {"event": entry.event, "skip": entry.target, "end": entry.end}
    return {
        "event": entry.event,
        "set": entry.target,
        "index": list(entry.index),
        "value": entry.value,
    }


def from_dict(data: Mapping[str, Any]) -> Entry:
    """An entry from plain data; a GradstepError names what is wrong with it."""
    try:
        event = whole("event", data["event"])
        if "skip" in data:
            end = data.get("end")
            return Skip(event, str(data["skip"]), None if end is None else whole("end", end))
        index = tuple(data.get("index", ()))
        if not all(type(part) in (int, str) for part in index):
            raise GradstepError(f"journal: index is {index!r:.60}; numbers and slices are needed")
        if not is_entered(value := data["value"]):
            raise GradstepError(f"journal: value is {value!r:.60}; numbers or a text are needed")
        return Edit(event, str(data["set"]), value, index)
    except (KeyError, TypeError) as problem:
        raise GradstepError(f"journal: an entry needs event, and set or skip: {problem}") from None


def whole(name: str, value: object) -> int:
    """A whole number from 0 on; a GradstepError for anything else, True and False too."""
    if type(value) is not int or value < 0:
        raise GradstepError(f"journal: {name} is {value!r:.60}; a whole number from 0 is needed")
    return value


def is_entered(value: object) -> bool:
    """Whether something is a number, a text, or a nested list of numbers."""
    waiting = [value]  # a list and no recursion: a file may nest as deep as it likes
    while waiting:
        each = waiting.pop()
        if isinstance(each, list | tuple):
            waiting += each
        elif not isinstance(each, int | float) and not (each is value and isinstance(each, str)):
            return False
    return True
