"""The console pane: what commands have answered."""

from collections.abc import Iterable

from textual import events

from tui.render.text.clean import clean
from tui.render.text.line import Line
from tui.render.text.wrapping import wrapped
from tui.view.snapshot import View
from tui.widgets.lines import LineList

MAX_LINES = 10_000
MOST_PRINTED = 8  # lines of a captured script
MOST_WIDE = 1000  # characters of one


class ConsolePane(LineList):
    """Commands and their answers, newest at the bottom; long lines go on in the next one.

    ``key`` opens the command line.

    Of a captured script the last lines that it had printed at the cursor stand above them.
    """

    def __init__(self, key: str, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.said = [(f" {key} opens the command line; help lists the commands", "dim")]
        self.folded: list[Line] = [[self.said[0]]]
        self.seen: View | None = None
        self.output: list[Line] = []
        self.answer = self.first = 0  # the text, and the line, at which the newest command begins

    def count(self, view: View) -> int:
        return len(self.printed(view)) + len(self.folded)

    def line(self, view: View, y: int, width: int) -> Line:
        printed = self.printed(view)
        if y < len(printed):
            return printed[y]
        y -= len(printed)
        return self.folded[y] if y < len(self.folded) else []

    def printed(self, view: View) -> list[Line]:
        """The last lines that the script had printed, looked up once for a View."""
        if self.seen is not view:
            lines = view.run.source.printed(view.event, MOST_PRINTED)
            self.seen = view
            self.output = [[("│ ", "dim"), (clean(line)[:MOST_WIDE], "")] for line in lines]
        return self.output

    def begin(self, command: str) -> None:
        """Append a command; what is said from here on is its answer."""
        self.answer, self.first = len(self.said), len(self.folded)
        self.say([f"> {command}"], "key")

    def say(self, texts: Iterable[str], role: str = "") -> None:
        """Append texts in a role, split at line breaks; of MAX_LINES the oldest go."""
        more = [(f" {clean(part)}", role) for text in texts for part in text.split("\n")]
        more = more[-MAX_LINES:]
        gone = len(self.said) + len(more) - MAX_LINES
        if gone > 0:
            lost = len(self.fold(self.said[:gone]))
            del self.said[:gone], self.folded[:lost]
            self.answer, self.first = max(0, self.answer - gone), max(0, self.first - lost)
        self.said += more
        self.folded += self.fold(more)
        self.show_answer()

    def fold(self, said: list[tuple[str, str]]) -> list[Line]:
        """Texts and roles as lines of the present width."""
        return [[(line, role)] for text, role in said for line in wrapped(text, self.room)]

    @property
    def room(self) -> int:
        """The width of a line in cells, beside the scrollbar."""
        return self.scrollable_content_region.width

    def on_resize(self, event: events.Resize) -> None:
        """Fold the texts anew: a hidden pane has had no width."""
        self.folded = self.fold(self.said)
        self.first = len(self.fold(self.said[: self.answer]))
        self.show_answer()

    def show_answer(self) -> None:
        """Scroll to the end of the newest answer, but never past its beginning."""
        self.watch_view(self.view)
        height = self.size.height
        if height > 0:
            above = 0 if self.view is None else len(self.printed(self.view))
            top = max(0, min(above + self.first, above + len(self.folded) - height))
            self.row = max(0, min(above + len(self.folded), above + self.first + height) - 1)
            self.scroll_to(y=top, animate=False, force=True)


if __name__ == "__main__":
    from tui.panes.alone import show

    sample = ConsolePane(":")
    sample.begin("p loss")
    sample.say(["loss = 1.74225"])
    show(sample)
