"""The captions of a replay: texts of bookmarks, and what a lesson said when it was recorded."""

from collections.abc import Callable
from typing import Protocol

from engine.debugger import Debugger
from engine.session.views import Told
from tui.control.display import Acts, Display
from tui.render.caption import Caption
from tui.render.text.line import Span

NONE = "no caption has been shown here"


class Strip(Protocol):
    """Where a caption stands."""

    @property
    def pages(self) -> int:
        """In how many parts the caption is read."""

    def show(self, caption: Caption, lines: bool = True) -> None:
        """Show a caption; without ``lines`` it takes no room."""


class Telling:
    """Shows the caption that belongs to where the cursor stands, and reads it again.

    ``strip`` gives the one in use, ``changed`` is called where it comes or goes. ``free`` means
    that something else writes captions; ``newest`` whether the last one counts, wherever it was.
    """

    def __init__(
        self,
        debugger: Debugger,
        display: Display,
        strip: Callable[[], Strip],
        changed: Callable[[bool], None],
        key: str,
    ) -> None:
        self.debugger = debugger
        self.display = display
        self.strip = strip
        self.changed = changed
        self.key = key
        self.free = False
        self.newest = False
        self.told: Told | None = None
        self.again: tuple[int, Told] | None = None  # read again, while the cursor stays
        self.page = 0

    @property
    def acts(self) -> Acts:
        """What keys do here."""
        return {"caption": self.turn}

    def at(self, event: int) -> Told | None:
        """The caption at an event: the text of a bookmark there, else the last one of a lesson."""
        debugger = self.debugger
        if not debugger.session.source.recorded:
            return None
        here = [one for one in debugger.bookmarks.values() if one.event == event and one.text]
        if here:
            return Told(here[-1].name, here[-1].text)
        views = debugger.views
        last = self.newest and event >= debugger.session.known
        return views.newest if last and views.newest else views.captions.at(event)

    def look(self, event: int) -> None:
        """Show the caption at an event, where it is another than before."""
        if self.free:
            return
        if self.again is not None and self.again[0] != event:
            self.again = None
        told = self.at(event) if self.again is None else self.again[1]
        if told != self.told:
            came = (told is None) != (self.told is None)
            self.told, self.page = told, 0
            self.show()
            if came:
                self.changed(told is not None)

    def show(self) -> None:
        """Show the caption as it is now."""
        told = self.told
        text: tuple[Span, ...] = () if told is None else ((told.text, ""),)
        chapter = "" if told is None else told.chapter
        self.strip().show(Caption(chapter, text, "", self.page, self.key), told is not None)

    def turn(self) -> None:
        """The next page of the caption; behind the last the first; without one the last again."""
        if self.free:
            return
        if self.told is None:
            before = self.last(self.debugger.event)
            if before is None:
                self.display.show_now(NONE)
            else:
                self.again = self.debugger.event, before
                self.look(self.debugger.event)
            return
        self.page = (self.page + 1) % self.strip().pages
        self.show()

    def last(self, event: int) -> Told | None:
        """The last caption before an event; None where there is none."""
        if not self.debugger.session.source.recorded:
            return None
        marks = [m for m in self.debugger.bookmarks.values() if m.event <= event and m.text]
        latest = max(marks, key=lambda one: one.event, default=None)
        return None if latest is None else Told(latest.name, latest.text)
