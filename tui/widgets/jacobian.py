"""The Jacobian pane: sizes and structure over a window of values."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.reactive import reactive

from engine.errors import GradstepError
from tui.render.grid import GridWindow
from tui.render.jacobian import jacobian_head, matrix_of
from tui.render.line import Line
from tui.view import View
from tui.widgets.grid import MatrixGrid
from tui.widgets.lines import Lines


class JacobianHead(Lines):
    """Sizes, structure, cost and rule."""

    def lines(self, view: View, width: int, height: int) -> list[Line]:
        return jacobian_head(view, width)


class JacobianGrid(MatrixGrid):
    """The entries; rows are the numerator's elements in numerator layout."""

    def subject(self, view: View) -> str:
        return f"{view.of} {view.wrt} {view.lens.layout} {view.moment.sample is None}"

    def shape(self, view: View) -> tuple[int, int] | None:
        try:
            return matrix_of(view).shape
        except GradstepError:
            return None

    def window(self, view: View, rows: range, cols: range) -> GridWindow:
        return matrix_of(view).window(rows, cols)


class JacobianPane(Vertical):
    """The head over the grid."""

    view: reactive[View | None] = reactive(None)

    def compose(self) -> ComposeResult:
        yield JacobianHead().data_bind(JacobianPane.view)
        yield JacobianGrid().data_bind(JacobianPane.view)
