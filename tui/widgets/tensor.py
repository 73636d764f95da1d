"""The tensor pane: the head over the grid of values."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.reactive import reactive

from tui.render.grid import GridWindow, as_matrix, grid_window
from tui.render.line import Line
from tui.render.tensor import tensor_head
from tui.render.variables import Summaries
from tui.view import View
from tui.widgets.grid import MatrixGrid
from tui.widgets.lines import Lines


class TensorHead(Lines):
    """Which tensor this is."""

    def __init__(
        self, summaries: Summaries, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.summaries = summaries

    def lines(self, view: View, width: int, height: int) -> list[Line]:
        return tensor_head(view, width, self.summaries)


class TensorGrid(MatrixGrid):
    """The values of the selected tensor; a vector is a row."""

    def subject(self, view: View) -> str:
        return view.tensor

    def shape(self, view: View) -> tuple[int, int] | None:
        if view.array is None:
            return None
        rows, cols = as_matrix(view.array).shape
        return rows, cols

    def window(self, view: View, rows: range, cols: range) -> GridWindow:
        array, before = view.array, view.before
        assert array is not None
        old = None if before is None or view.before_lost else as_matrix(before)
        return grid_window(as_matrix(array), rows, cols, before=old)


class TensorPane(Vertical):
    """The head over the grid."""

    view: reactive[View | None] = reactive(None, repaint=False)

    def __init__(
        self, summaries: Summaries, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.summaries = summaries

    def compose(self) -> ComposeResult:
        yield TensorHead(self.summaries).data_bind(TensorPane.view)
        yield TensorGrid().data_bind(TensorPane.view)
