"""The console pane: what commands have answered."""

from tui.render.clean import clean
from tui.render.line import Line, Span
from tui.view import View
from tui.widgets.lines import LineList

MAX_LINES = 10_000


class ConsolePane(LineList):
    """Commands and their answers, newest at the bottom."""

    def __init__(self, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.said: list[Line] = [[(" : opens the command line; help lists the commands", "dim")]]

    def count(self, view: View) -> int:
        return len(self.said)

    def line(self, view: View, y: int, width: int) -> Line:
        return self.said[y]

    def say(self, text: str, role: str = "") -> None:
        """Add a text, a line each."""
        for part in text.split("\n"):
            span: Span = (f" {clean(part)}", role)
            self.said.append([span])
        del self.said[:-MAX_LINES]
        self.row = len(self.said) - 1
        self.watch_view(self.view)
        self.show_row(self.row)
