"""Events to return to: bookmarks with a text, and the list of jumps."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from engine.errors import GradstepError

MAX_VISITED = 1000


@dataclass(frozen=True, slots=True)
class Bookmark:
    """A named event with a text."""

    name: str
    event: int
    text: str = ""


class Bookmarks(dict[str, Bookmark]):
    """The bookmarks by name, in the order they were made."""

    def mark(self, name: str, event: int, text: str = "") -> Bookmark:
        """Set or move a bookmark; an empty name becomes ``m1``, ``m2``, …

        Raises GradstepError for a name of other characters than letters, digits and ``_ . -``.
        """
        name = name or next(new for new in numbered() if new not in self)
        if not re.fullmatch(r"[\w.-]+", name):
            raise GradstepError(f"bookmark {name!r}: a name has letters, digits and _ . - only")
        self[name] = Bookmark(name, event, text)
        return self[name]

    def unmark(self, name: str) -> Bookmark:
        """Remove a bookmark; a GradstepError lists those there are."""
        if name not in self:
            raise GradstepError(f"no bookmark {name!r}; there are: {', '.join(self) or 'none'}")
        return self.pop(name)


def numbered() -> Iterator[str]:
    """m1, m2, m3, …"""
    number = 1
    while True:
        yield f"m{number}"
        number += 1


@dataclass
class JumpList:
    """The events that the cursor jumped away from, the oldest first.

    After ``back`` the cursor stands at ``events[place]``; otherwise ``place`` is their number.
    """

    events: list[int] = field(default_factory=list)
    place: int = 0

    def leave(self, event: int) -> None:
        """Remember the place the cursor jumps away from; what was ahead is forgotten."""
        del self.events[self.place :]
        if not self.events or self.events[-1] != event:
            self.events.append(event)
        del self.events[:-MAX_VISITED]
        self.place = len(self.events)

    def behind(self, event: int) -> int | None:
        """Where ``back`` leads from ``event``; None at the first. Changes nothing."""
        at = self.place
        if at == len(self.events):
            while at and self.events[at - 1] == event:
                at -= 1
        return self.events[at - 1] if at else None

    @property
    def ahead(self) -> int | None:
        """Where ``forward`` leads; None at the last. Changes nothing."""
        return self.events[self.place + 1] if self.place + 1 < len(self.events) else None

    def back(self, event: int) -> int | None:
        """The place before, while the cursor stands at ``event``; None at the first."""
        # The first step back notes where the cursor stands, so that ``forward`` leads there again.
        # Jumps from that very event are dropped: they would lead nowhere.
        if self.place == len(self.events):
            while self.events and self.events[-1] == event:
                self.events.pop()
            self.place = len(self.events)
            self.events.append(event)
        if self.place == 0:
            return None
        self.place -= 1
        return self.events[self.place]

    def forward(self) -> int | None:
        """The place after it, once ``back`` was used; None at the last."""
        if self.place + 1 >= len(self.events):
            return None
        self.place += 1
        return self.events[self.place]
