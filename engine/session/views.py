"""What was looked at and said while a run was stepped through, from the events where it changed.

In a recording all of it is lines by event, of which older versions understand the views. These come
last at an event, because the last line of an event is what an older version takes.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

MOST = 1000  # lines by event
MOST_TEXT = 8_000  # characters of a caption
CHAPTER, SAY, MORE, PLACE, HIDDEN = "chapter ", "say ", "more ", "# lesson ", "# hidden "
"""What lines begin with that are no views."""
T = TypeVar("T")


@dataclass(frozen=True)
class Told:
    """A caption of a lesson as it was shown, and the chapter over it."""

    chapter: str
    text: str

    @property
    def line(self) -> str:
        """As a line in a recording."""
        return f"{CHAPTER}{quoted(self.chapter)} {SAY}{quoted(self.text)}"


@dataclass
class ByEvent(Generic[T]):
    """Values from events on: at any event the last one before it counts."""

    values: dict[int, T] = field(default_factory=dict)
    events: list[int] = field(default_factory=list)

    def put(self, event: int, value: T) -> None:
        """Have a value from an event on, instead of one that begins there."""
        if event not in self.values:
            self.events.insert(bisect_right(self.events, event), event)
        self.values[event] = value

    def at(self, event: int) -> T | None:
        """The value at an event; None before the first."""
        place = bisect_right(self.events, event)
        return self.values[self.events[place - 1]] if place else None


class Views:
    """The views, and the captions of a lesson, by event.

    ``place`` is how far the lesson is, ``hidden`` what it hides at present.
    A view is a line of a lesson; what is added to it by ``more`` older versions do not know.
    """

    def __init__(self) -> None:
        self.views: ByEvent[tuple[str, str]] = ByEvent()
        self.captions: ByEvent[Told] = ByEvent()
        self.newest: Told | None = None
        self.place = self.hidden = ""
        self._more: dict[int, str] = {}  # what has come without its view as yet

    def __bool__(self) -> bool:
        return bool(self.views.values)

    @property
    def full(self) -> bool:
        """Whether no more are kept."""
        return len(self.rows()) >= MOST

    def take(self, event: int, text: str, more: str = "") -> None:
        """Keep a view from an event on; where it is full none is kept at another event."""
        if not self.full or event in self.views.values:
            self.views.put(event, (text, more))

    def tell(self, event: int, told: Told) -> None:
        """Keep a caption from an event on, in the same way."""
        told = Told(told.chapter[:MOST_TEXT], told.text[:MOST_TEXT])
        if not self.full or event in self.captions.values:
            self.captions.put(event, told)
            self.newest = told

    def at(self, event: int) -> str:
        """The view at an event: the last before it; empty where there is none."""
        found = self.views.at(event)
        return " ".join(filter(None, found)) if found else ""

    def rows(self) -> list[tuple[int, str]]:
        """All lines, in the order of the events."""
        place = [(0, f"{PLACE}{self.place}")] if self.place else []
        place += [(0, f"{HIDDEN}{self.hidden}")] if self.hidden else []
        events = sorted({*self.views.values, *self.captions.values})
        return [*place, *((event, line) for event in events for line in self.lines(event))][:MOST]

    def lines(self, event: int) -> Iterator[str]:
        """The lines of an event; a caption has the view that goes on with it."""
        caption, view = self.captions.values.get(event), self.views.at(event)
        if caption is not None:
            yield caption.line
        if view is not None and view[1]:
            yield MORE + view[1]
        if view is not None:
            yield view[0]

    def read(self, event: int, line: str) -> None:
        """Take in a line of a recording, in their order; what it is shows how it begins."""
        if line.startswith(PLACE):
            self.place = line.removeprefix(PLACE)
        elif line.startswith(HIDDEN):
            self.hidden = line.removeprefix(HIDDEN)
        elif line.startswith(MORE):
            self._more = {event: line.removeprefix(MORE)}
        elif line.startswith(CHAPTER):
            told = told_of(line)
            if told is not None and self.captions.values.get(event) != told:
                self.tell(event, told)
        else:
            self.take(event, line, self._more.pop(event, ""))


def quoted(text: str) -> str:
    """A text in quotes; quotes and backslashes in it are escaped."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def told_of(line: str) -> Told | None:
    """The caption of a line; None for what is none."""
    chapter, at = unquoted(line, len(CHAPTER))
    if chapter is None or not line.startswith(f" {SAY}", at):
        return None
    text, at = unquoted(line, at + 1 + len(SAY))
    return None if text is None or at != len(line) else Told(chapter, text)


def unquoted(line: str, at: int) -> tuple[str | None, int]:
    """The text in quotes at a place, and the place behind it; None where there is none."""
    if line[at : at + 1] != '"':
        return None, at
    parts, at = list[str](), at + 1
    while at < len(line) and line[at] != '"':
        at += line[at] == "\\"
        parts.append(line[at : at + 1])
        at += 1
    return ("".join(parts), at + 1) if at < len(line) else (None, at)
