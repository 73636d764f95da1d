"""One idea alone on the screen, for people who sit at the back."""

from textual.reactive import reactive

from tui.render.poster import poster_lines
from tui.render.text.line import Line
from tui.render.variables import Summaries
from tui.view.snapshot import View
from tui.widgets.lines import Lines


class Poster(Lines):
    """The idea of a pane, drawn in the middle of the screen; ``pane`` is which."""

    pane = reactive("program", repaint=False)

    def __init__(self, summaries: Summaries, id: str | None = None) -> None:
        super().__init__(id=id)
        self.summaries = summaries

    def lines(self, view: View, width: int, height: int) -> list[Line]:
        return poster_lines(view, self.pane, width, height, self.summaries)

    def watch_pane(self) -> None:
        """Draw the idea of another pane."""
        self.watch_view()
