"""What stands over the numbers of the tensor pane: the op that made them, and what they are."""

from textual.reactive import reactive

from tui.render.op import op_lines
from tui.render.tensor import Differences, tensor_head
from tui.render.text.line import Line
from tui.render.variables import Summaries
from tui.view.display import TensorDisplay
from tui.view.snapshot import View
from tui.widgets.lines import Lines


class OpHead(Lines):
    """The op that made the tensor: its formula, the sizes of its operands, and their numbers."""

    def __init__(self, summaries: Summaries) -> None:
        super().__init__()
        self.summaries = summaries

    def lines(self, view: View, width: int, height: int) -> list[Line]:
        return op_lines(view, width, height, self.summaries)


class TensorHead(Lines):
    """The tensor and the value under the cursor, statistics, what has changed."""

    form: reactive[TensorDisplay] = reactive(TensorDisplay(), repaint=False)
    under: reactive[tuple[str, ...]] = reactive(("",), repaint=False)

    def __init__(
        self, summaries: Summaries, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.summaries = summaries
        self.differences = Differences()

    def lines(self, view: View, width: int, height: int) -> list[Line]:
        form, under = self.form, self.under
        return tensor_head(view, width, self.summaries, form, under, self.differences, height)

    def watch_form(self) -> None:
        """Draw another number format, version or range."""
        self.watch_view()

    def watch_under(self) -> None:
        """Draw another value under the cursor."""
        self.watch_view()
