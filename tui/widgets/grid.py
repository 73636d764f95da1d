"""A grid of numbers of any size: only the visible window is fetched and formatted."""

from rich.cells import cell_len
from textual import events
from textual.geometry import Size
from textual.reactive import reactive
from textual.strip import Strip

from engine.errors import GradstepError
from tui.render.grid import Cell, GridWindow
from tui.render.line import Line
from tui.view import View
from tui.widgets.lines import LineList, strip_of

MIN_CELL = 9
MEASURED_ROWS = 50  # rows that decide how wide the columns are


class MatrixGrid(LineList):
    """Column labels stay on top and row labels at the left; the cursor is a cell."""

    column: reactive[int] = reactive(0)
    cell = MIN_CELL
    shown = ""
    message = ""
    _window: GridWindow | None = None

    def subject(self, view: View) -> str:
        """What is shown; the place is kept as long as it stays the same."""
        raise NotImplementedError

    def shape(self, view: View) -> tuple[int, int] | None:
        """Rows and columns; None where there is nothing to show."""
        raise NotImplementedError

    def window(self, view: View, rows: range, cols: range) -> GridWindow:
        """The formatted cells of a window; a GradstepError where they cannot be known yet."""
        raise NotImplementedError

    def count(self, view: View) -> int:
        shape = self.shape(view)
        return 0 if shape is None else shape[0] + 1

    def watch_view(self, view: View | None) -> None:
        """Start at the first cell of another matrix; keep the place in the same one."""
        if view is None:
            return
        if self.subject(view) != self.shown:
            self.shown, self.cell = self.subject(view), MIN_CELL
            self.row = self.column = 0
            self.scroll_to(0, 0, animate=False, force=True)
        shape = self.shape(view)
        if shape is not None and self.size.height > 0:
            self.measure(view)
            rows, cols = shape
            self.virtual_size = Size(self.label_width() + cols * self.cell, rows + 1)
        self.refresh()

    def watch_row(self, old: int, new: int) -> None:
        """Draw the cursor in its new place; the first line is taken by the labels."""
        self.refresh()

    def on_resize(self) -> None:
        """More or fewer cells are visible."""
        self.watch_view(self.view)

    def measure(self, view: View) -> None:
        """Widen the columns where the visible numbers need it; they never shrink meanwhile."""
        window = self.fetched(view)
        if window is not None:
            texts = [c.text.strip() for row in window.cells[:MEASURED_ROWS] for c in row]
            names = [name.strip() for name in window.header]
            self.cell = max(self.cell, 2 + max(map(cell_len, [*texts, *names]), default=0))

    def fetched(self, view: View) -> GridWindow | None:
        """The visible window; None, with a message, where it cannot be known yet."""
        top = self.scroll_offset.y
        try:
            self._window = self.window(view, range(top, top + self.size.height), self.columns())
            self.message = ""
        except GradstepError as error:
            self._window, self.message = None, str(error)
        return self._window

    def label_width(self) -> int:
        """The width of the row labels."""
        labels = self._window.labels if self._window is not None else []
        return max(map(cell_len, labels), default=1) + 2

    def columns(self) -> range:
        """The columns that can be seen."""
        first = -(-self.scroll_offset.x // self.cell)
        return range(first, first + self.size.width // self.cell + 1)

    def render_line(self, y: int) -> Strip:
        """The column labels, or one row of values."""
        view, width = self.view, self.size.width
        if view is None or self.shape(view) is None:
            return strip_of(self, [], width)
        window = self.fetched(view) if y == 0 else self._window
        if window is None:
            words = f" {self.message}"
            part = words[y * (width - 1) : (y + 1) * (width - 1)]
            return strip_of(self, [(part, "warn")], width)
        label = self.label_width()
        if y == 0:
            names = [(name.strip().rjust(self.cell), "label") for name in window.header]
            return strip_of(self, [(" " * label, ""), *names], width)
        if y > len(window.cells):
            return strip_of(self, [], width)
        line: Line = [(f"{window.labels[y - 1].strip():>{label - 1}} ", "label")]
        at = window.window.rows[y - 1]
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
        if self.view is not None and (shape := self.shape(self.view)) is not None:
            self.row = max(0, min(shape[0] - 1, self.row + by))
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
        if self.view is None or (shape := self.shape(self.view)) is None:
            return
        self.column = max(0, min(shape[1] - 1, self.column + by))
        seen = max(1, (self.size.width - self.label_width()) // self.cell)
        first = self.columns().start
        if self.column < first:
            self.scroll_to(x=self.column * self.cell, animate=False, force=True)
        elif self.column >= first + seen:
            self.scroll_to(x=(self.column - seen + 1) * self.cell, animate=False, force=True)
        self.refresh()

    def go_to(self, row: int, column: int) -> bool:
        """Move the cursor to a cell, if there is such a cell."""
        shape = None if self.view is None else self.shape(self.view)
        if shape is None or row >= shape[0] or column >= shape[1]:
            return False
        self.move(row - self.row)
        self.sideways(column - self.column)
        return True

    def key_left(self) -> None:
        """Cursor left."""
        self.sideways(-1)

    def key_right(self) -> None:
        """Cursor right."""
        self.sideways(1)

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to the clicked cell."""
        x, y = event.x, event.y
        if self._window is None or not 1 <= y <= len(self._window.cells):
            return
        place = (x - self.label_width()) // self.cell
        self.row = self._window.window.rows[y - 1]
        if 0 <= place < len(self._window.window.cols):
            self.column = self._window.window.cols[place]
        self.refresh()
