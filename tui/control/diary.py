"""What is done at the screen, as it happens: the lines that keys and people run, and the views."""

import re
from collections import deque
from pathlib import Path
from typing import Protocol

from engine.session.views import Views
from tui.control.layout import Layout
from tui.view.snapshot import Selection

KEPT = 5_000  # steps
PLAIN = re.compile(r"\S+")
DERIVED = ("jacobian", "chain")


class Ran(Protocol):
    """The command language, which keeps the lines that were run."""

    ran: deque[str]
    count: int


class Diary:
    """Notes lines and views in their order, the last KEPT; ``thing`` is what was opened, and
    ``views`` has the views by event.
    """

    def __init__(self, views: Views) -> None:
        self.thing = ""
        self.views = views
        self.steps: deque[str] = deque(maxlen=KEPT)
        self.view = ""
        self.seen = 0  # lines of the command language that are noted

    def look(
        self, commands: Ran | None, panes: Layout, selection: Selection, event: int | None
    ) -> None:
        """Note the lines that were run since, and the view where it is another.

        It is kept with the ``event``; None for a recording, which has its own.
        """
        if commands is not None and commands.count > self.seen:
            new, self.seen = commands.count - self.seen, commands.count
            self.steps.extend(list(commands.ran)[-new:])
        view = view_line(panes.pane, panes.zoomed, selection)
        if view != self.view:
            if self.view:  # the first is what everybody sees at the beginning
                self.steps.append(view)
                if event is not None:
                    self.views.take(event, view)
            self.view = view

    def save(self, path: str) -> str:
        """Write the lesson into a new file; a sentence about it. Raises GradstepError."""
        from engine.lesson.noted import save_noted  # most sessions make none

        return save_noted(Path(path).expanduser(), self.thing, self.steps)


def view_line(pane: str, zoomed: bool, selection: Selection) -> str:
    """The line of a lesson that shows a pane with what is chosen in it."""
    derivative, of = selection.derivative, selection.tensor or ""
    if pane in DERIVED and derivative.of and derivative.wrt:
        of = f"d{derivative.of}/d{derivative.wrt}"
    words = [f"view {pane}", of if PLAIN.fullmatch(of) else "", "zoom" if zoomed else ""]
    return " ".join(word for word in words if word)
