"""What was looked at while a run was stepped through: views, from the events where they changed."""

from bisect import bisect_right

MOST = 1000  # events with a view of their own


class Views:
    """The views by event, as lines of a lesson; the last that was taken at an event counts."""

    def __init__(self) -> None:
        self.texts: dict[int, str] = {}
        self.events: list[int] = []

    def __bool__(self) -> bool:
        return bool(self.texts)

    def take(self, event: int, text: str) -> None:
        """Keep a view from an event on; beyond MOST events none is kept."""
        if event not in self.texts:
            if len(self.texts) >= MOST:
                return
            self.events.insert(bisect_right(self.events, event), event)
        self.texts[event] = text

    def at(self, event: int) -> str:
        """The view at an event: the last before it; empty where there is none."""
        place = bisect_right(self.events, event)
        return self.texts[self.events[place - 1]] if place else ""

    def rows(self) -> list[tuple[int, str]]:
        """All of them, in the order of the events."""
        return [(event, self.texts[event]) for event in self.events]
