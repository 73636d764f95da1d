"""The tensor pane: the head, and a grid of which only the visible window is formatted."""

from typing import Any

from numpy.typing import NDArray
from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.geometry import Size
from textual.reactive import reactive
from textual.strip import Strip

from tui.render.grid import Cell, GridWindow, as_matrix, grid_window
from tui.render.line import Line
from tui.render.tensor import tensor_head
from tui.render.variables import Summaries
from tui.view import View
from tui.widgets.lines import LineList, Lines, strip_of

MIN_CELL = 9


class TensorHead(Lines):
    """Which tensor this is."""

    def __init__(
        self, summaries: Summaries, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.summaries = summaries

    def lines(self, view: View, width: int, height: int) -> list[Line]:
        return tensor_head(view, width, self.summaries)


class TensorGrid(LineList):
    """The values: column labels stay on top, row labels at the left."""

    column: reactive[int] = reactive(0)
    cell = MIN_CELL
    shown = ""

    def matrix(self, view: View) -> NDArray[Any] | None:
        """The tensor as a matrix; a vector is a row."""
        return None if view.array is None else as_matrix(view.array)

    def count(self, view: View) -> int:
        matrix = self.matrix(view)
        return 0 if matrix is None else matrix.shape[0] + 1

    def watch_view(self, view: View | None) -> None:
        """Start at the first cell of another tensor; keep the place in the same one."""
        if view is None:
            return
        if view.tensor != self.shown:
            self.shown, self.cell = view.tensor, MIN_CELL
            self.row = self.column = 0
            self.scroll_to(0, 0, animate=False, force=True)
        matrix = self.matrix(view)
        if matrix is not None:
            window = self.window(view, range(0, self.size.height), self.columns())
            texts = [c.text for row in window.cells[:50] for c in row]
            self.cell = max(self.cell, 2 + max(map(cell_len, texts), default=0))
            rows, cols = matrix.shape
            self.virtual_size = Size(self.label_width(rows) + cols * self.cell, rows + 1)
        self.refresh()

    def label_width(self, rows: int) -> int:
        """The width of the row labels."""
        return len(str(max(0, rows - 1))) + 2

    def columns(self) -> range:
        """The columns that can be seen."""
        first = -(-self.scroll_offset.x // self.cell)
        return range(first, first + self.size.width // self.cell + 1)

    def window(self, view: View, rows: range, cols: range) -> GridWindow:
        """The formatted cells of a window."""
        array, before = view.array, view.before
        assert array is not None
        old = None if before is None or view.before_lost else as_matrix(before)
        return grid_window(as_matrix(array), rows, cols, before=old)

    def render_line(self, y: int) -> Strip:
        """The column labels, or one row of values."""
        view, width = self.view, self.size.width
        if view is None or view.array is None:
            return strip_of(self, [], width)
        top, cols = self.scroll_offset.y, self.columns()
        if y == 0:
            self._window = self.window(view, range(top, top + self.size.height), cols)
        window: GridWindow = self._window
        rows = as_matrix(view.array).shape[0]
        label = self.label_width(rows)
        if y == 0:
            names = [(name.strip().rjust(self.cell), "label") for name in window.header]
            return strip_of(self, [(" " * label, ""), *names], width)
        if y > len(window.cells):
            return strip_of(self, [], width)
        line: Line = [(f"{window.labels[y - 1].strip():>{label - 1}} ", "label")]
        at = top + y - 1
        for col, cell in zip(window.window.cols, window.cells[y - 1], strict=True):
            line += self.spans(cell, (at, col) == (self.row, self.column) and self.has_focus)
        return strip_of(self, line, width)

    def spans(self, cell: Cell, cursor: bool) -> Line:
        """One cell: a mark where the bits changed, and the number."""
        role: str = "" if cell.kind == "normal" else cell.kind
        role = "changed" if cell.changed and role in ("", "zero") else role
        text = cell.text.lstrip()
        pad = " " * max(1, self.cell - 1 - cell_len(text))
        mark = "▸" if cell.changed else " "
        return [(pad, ""), (mark, "changed"), (text, "cursor" if cursor else role)]

    def move(self, by: int) -> None:
        """Move the cursor down or up."""
        if self.view is not None and (matrix := self.matrix(self.view)) is not None:
            self.row = max(0, min(matrix.shape[0] - 1, self.row + by))
            self.show_row(self.row)

    def show_row(self, y: int) -> None:
        """Scroll as little as needed; the first line is taken by the labels."""
        top, height = self.scroll_offset.y, self.size.height - 1
        if y < top:
            self.scroll_to(y=y, animate=False, force=True)
        elif y >= top + height:
            self.scroll_to(y=y - height + 1, animate=False, force=True)

    def sideways(self, by: int) -> None:
        """Move the cursor to the right or the left."""
        if self.view is None or (matrix := self.matrix(self.view)) is None:
            return
        self.column = max(0, min(matrix.shape[1] - 1, self.column + by))
        seen = max(1, (self.size.width - self.label_width(matrix.shape[0])) // self.cell)
        first = self.columns().start
        if self.column < first:
            self.scroll_to(x=self.column * self.cell, animate=False, force=True)
        elif self.column >= first + seen:
            self.scroll_to(x=(self.column - seen + 1) * self.cell, animate=False, force=True)
        self.refresh()

    def key_left(self) -> None:
        """Cursor left."""
        self.sideways(-1)

    def key_right(self) -> None:
        """Cursor right."""
        self.sideways(1)


class TensorPane(Vertical):
    """The head over the grid."""

    view: reactive[View | None] = reactive(None)

    def __init__(
        self, summaries: Summaries, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.summaries = summaries

    def compose(self) -> ComposeResult:
        yield TensorHead(self.summaries).data_bind(TensorPane.view)
        yield TensorGrid().data_bind(TensorPane.view)
