"""The Jacobian pane: sizes and structure over a window of values."""

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.reactive import reactive

from engine.errors import GradstepError
from engine.program.program import Program
from tui.keys.bindings import binding
from tui.keys.pane_commands import TENSOR_COMMANDS
from tui.panes.first_look import FirstLook
from tui.render.grid import GridWindow
from tui.render.jacobian import JacobianMatrix, jacobian_head, matrix_of
from tui.render.text.line import Line
from tui.view.display import TensorDisplay
from tui.view.snapshot import View
from tui.widgets.formatted import FormattedPane
from tui.widgets.grid import MatrixGrid
from tui.widgets.lines import Lines

if TYPE_CHECKING:
    from tui.render.captured import Matrix

FORMATS = ("format", "format-previous", "digits-more", "digits-fewer")


class JacobianHead(Lines):
    """Three lines: sizes, structure and cost, and the rule of the elements."""

    def lines(self, view: View, width: int, height: int) -> list[Line]:
        if isinstance(view.run, Program):
            return jacobian_head(view, width)
        from tui.render.captured import head_lines

        return head_lines(view, width)


def shown_matrix(view: View) -> "JacobianMatrix | Matrix":
    """The matrix of a View; raises GradstepError where there is none."""
    if isinstance(view.run, Program):
        return matrix_of(view)
    from tui.render.captured import matrix_in

    return matrix_in(view)


class JacobianGrid(MatrixGrid):
    """A window of the entries; in numerator layout the rows are the numerator's elements."""

    form: reactive[TensorDisplay] = reactive(TensorDisplay(), repaint=False)

    def subject(self, view: View) -> tuple[object, ...]:
        return view.of, view.wrt, view.derivative.layout, view.derivative.sample is None

    def shape(self, view: View) -> tuple[int, int] | None:
        try:
            return shown_matrix(view).shape
        except GradstepError:
            return None

    def window(self, view: View, rows: range, cols: range) -> GridWindow:
        return shown_matrix(view).window(rows, cols, self.form.fmt, self.form.digits)

    def extra(self) -> tuple[object, ...]:
        """The number format."""
        return (self.form,)

    def watch_form(self) -> None:
        """Fit the columns to numbers in another format."""
        self.start_anew()
        self.watch_view(self.view)


class JacobianPane(FormattedPane):
    """The Jacobian pane: sizes and structure over the window of values."""

    BINDINGS: ClassVar[list[BindingType]] = [
        binding(command) for command in TENSOR_COMMANDS if command.id in FORMATS
    ]
    view: reactive[View | None] = reactive(None)
    ready: reactive[View | None] = reactive(None, repaint=False)  # quickly drawn

    def __init__(self, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.first = FirstLook(self, lambda: self.watch_view(self.view))

    def watch_view(self, view: View | None) -> None:
        """Draw the View, as soon as its derivative is known."""
        self.ready = view if view is None or self.first.has(view) else None

    @property
    def grid(self) -> JacobianGrid:
        """The grid of the values."""
        return self.query_one(JacobianGrid)

    def compose(self) -> ComposeResult:
        yield JacobianHead().data_bind(view=JacobianPane.ready)
        yield JacobianGrid().data_bind(JacobianPane.form, view=JacobianPane.ready)


if __name__ == "__main__":
    from tui.panes.alone import show

    show(JacobianPane())
