"""What is done at the screen, as it happens: the lines that keys and people run, and the views."""

import re
from collections import deque
from pathlib import Path
from typing import Protocol

from engine.jacobian.operator import Layout
from engine.lesson.steps import FACES
from engine.session.views import Views
from tui.control.layout import Layout as Panes
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
        self.view: tuple[str, str] | None = None
        self.drawn = False  # whether values were drawn in another way than usual
        self.seen = 0  # lines of the command language that are noted

    def look(
        self, commands: Ran | None, panes: Panes, selection: Selection, event: int | None
    ) -> None:
        """Note the lines that were run since, and the view where it is another.

        It is kept with the ``event``; None for a recording, which has its own.
        """
        if commands is not None and commands.count > self.seen:
            new, self.seen = commands.count - self.seen, commands.count
            self.steps.extend(list(commands.ran)[-new:])
        view = view_line(panes.pane, panes.zoomed, selection), more(panes, selection)
        if view != self.view:
            if self.view is not None:  # the first is what everybody sees at the beginning
                self.note_view(*view)
                if event is not None:
                    self.views.take(event, *view)
            self.view = view

    def note_view(self, line: str, added: str) -> None:
        """Note a view as a step; sizes are of this terminal alone, and numbers what is usual."""
        face = next((one for one in added.split() if one in FACES[1:]), "")
        words = re.findall(r"factor \d+", added)
        if self.drawn and not face and line.startswith("view tensor"):
            words.append(FACES[0])
        self.drawn = bool(face) or (self.drawn and not line.startswith("view tensor"))
        self.steps.append(" ".join([line, *([face] if face else []), *words]))

    def save(self, path: str) -> str:
        """Write the lesson into a new file; a sentence about it. Raises GradstepError."""
        from engine.lesson.noted import save_noted  # most sessions make none

        return save_noted(Path(path).expanduser(), self.thing, self.steps)


def view_line(pane: str, zoomed: bool, selection: Selection) -> str:
    """The line of a lesson that shows a pane with what is chosen in it, as far as every version
    understands it.
    """
    derivative, of = selection.derivative, selection.tensor or ""
    if pane in DERIVED and derivative.of and derivative.wrt:
        of = f"d{derivative.of}/d{derivative.wrt}"
    words = [f"view {pane}", of if PLAIN.fullmatch(of) else "", "zoom" if zoomed else ""]
    if pane in DERIVED:
        sample = "batch" if derivative.sample is None else f"sample {derivative.sample}"
        words += [sample, "numerator" if derivative.layout == Layout.NUMERATOR else "gradient"]
    return " ".join(word for word in words if word)


def more(panes: Panes, selection: Selection) -> str:
    """What belongs to a view besides: how values are drawn, the factor, and chosen sizes."""
    factor, sizes = selection.derivative.factor, panes.sizes
    words = [panes.face] if panes.pane == "tensor" and panes.face != FACES[0] else []
    words += [f"factor {factor}"] if panes.pane in DERIVED and factor else []
    words += [f"width {sizes['program']}"] if "program" in sizes else []
    words += [f"height {sizes['timeline']}"] if "timeline" in sizes else []
    return " ".join(words)
