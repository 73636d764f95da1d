"""The variables pane: every tensor of the run, a line each."""

from functools import lru_cache

from tui.keys.messages import TensorChosen
from tui.render.text.line import Line
from tui.render.variables import Summaries, names_of, variable_line
from tui.view.snapshot import View
from tui.widgets.lines import LineList

names = lru_cache(maxsize=4)(names_of)


class VariablesPane(LineList):
    """The tensors; moving the cursor chooses the tensor that the tensor pane shows."""

    def __init__(
        self, summaries: Summaries, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.summaries = summaries

    def count(self, view: View) -> int:
        return len(names(view.run))

    def line(self, view: View, y: int, width: int) -> Line:
        selected = y == self.row and self.has_focus
        return variable_line(view, names(view.run)[y], width, self.summaries, selected)

    def chosen(self, view: View, y: int) -> None:
        self.post_message(TensorChosen(names(view.run)[y]))


if __name__ == "__main__":
    from tui.panes.alone import show

    show(VariablesPane(Summaries()))
