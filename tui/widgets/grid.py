"""A grid of numbers of any size: only the visible window is fetched and formatted."""

from collections.abc import Sequence
from itertools import zip_longest
from textwrap import wrap
from typing import Any

from rich.cells import cell_len
from textual import events
from textual.geometry import Region, Size
from textual.reactive import reactive
from textual.strip import Strip

from engine.errors import GradstepError
from tui.render.grid import Cell, GridWindow
from tui.render.text.line import Line
from tui.view.snapshot import View
from tui.widgets.composing import repaint
from tui.widgets.lines import LineList

MIN_CELL = 9
FAR = 2**31  # the lines that Home and End move by, whatever the pace of the arrows


class MatrixGrid(LineList):
    """A matrix whose column and row labels do not scroll away; the cursor is a cell.

    ``cell`` is the width of a column in cells of the terminal, ``label`` that of the row labels.
    """

    column: reactive[int] = reactive(0, repaint=False)
    cell = MIN_CELL
    label = 3
    shown: tuple[object, ...] = ()
    message = ""
    _window: GridWindow | None = None
    _lines: Sequence[Any] = ()
    _drawn: tuple[object, ...] = ()
    _asked: tuple[object, ...] = ()

    def subject(self, view: View) -> tuple[object, ...]:
        """Which matrix it is; while it stays the same, cursor and scroll position are kept."""
        raise NotImplementedError

    def shape(self, view: View) -> tuple[int, int] | None:
        """Rows and columns; None where there is nothing to show."""
        raise NotImplementedError

    def window(self, view: View, rows: range, cols: range) -> GridWindow:
        """The formatted cells of a window; raises GradstepError where they cannot be known yet."""
        raise NotImplementedError

    def extra(self) -> tuple[object, ...]:
        """What decides how cells are shown besides the View and the place."""
        return ()

    def pace(self) -> tuple[int, int]:
        """By how many rows and columns an arrow key moves the cursor."""
        return 1, 1

    def count(self, view: View) -> int:
        shape = self.shape(view)
        return 0 if shape is None else shape[0] + 1

    # -- what is drawn

    @property
    def room(self) -> Size:
        """The size in cells of what is seen, without the scrollbars."""
        return self.scrollable_content_region.size

    def watch_view(self, view: View | None) -> None:
        """Start at the first cell of another matrix; keep the place in the same one."""
        if view is None:
            return
        if self.subject(view) != self.shown:
            self.shown = self.subject(view)
            self.start_anew()
            self.row = self.column = 0
            self.scroll_to(0, 0, animate=False, force=True)
        self.keep_inside(view)
        self.fit(view)
        self.repaint()

    def start_anew(self) -> None:
        """Forget the widths of the columns: those of other numbers may be narrower."""
        self.cell, self.label = MIN_CELL, 3

    def keep_inside(self, view: View) -> None:
        """Clip the cursor to the matrix, which may be smaller: the last batch of an epoch is."""
        shape = self.shape(view)
        if shape is not None:
            self.row = max(0, min(self.row, shape[0] - 1))
            self.column = max(0, min(self.column, shape[1] - 1))

    def fit(self, view: View) -> None:
        """Widen the columns where the visible numbers need it; they never shrink meanwhile."""
        shape = self.shape(view)
        if shape is None or self.room.height <= 0:
            return
        first, before = self.columns().start, self.cell
        if (window := self.fetched(view)) is not None:
            texts = [cell.text.strip() for row in window.cells for cell in row]
            names = [name.strip() for name in window.header]
            self.cell = max(self.cell, 2 + max(map(cell_len, [*texts, *names]), default=0))
            self.label = max(self.label, 2 + max(map(cell_len, window.labels), default=0))
        rows, cols = shape
        self.virtual_size = Size(self.label + cols * self.cell, rows + 1)
        if self.cell != before and first > 0:
            self.scroll_to(x=first * self.cell, animate=False, force=True)

    def fetched(self, view: View) -> GridWindow | None:
        """The visible window; None, with a message, where it cannot be known yet."""
        # Asked for at least twice a View, to fit the columns and to draw: made once.
        rows, cols = self.seen()
        asked = (view, rows, cols, *self.extra())
        if asked == self._asked:
            return self._window
        self._asked = asked
        try:
            self._window = self.window(view, rows, cols)
            self.message = ""
        except GradstepError as error:
            self._window, self.message = None, str(error)
        return self._window

    def seen(self) -> tuple[range, range]:
        """The rows and columns that there is room for."""
        top = self.scroll_offset.y
        return range(top, top + max(1, self.room.height - 1)), self.columns()

    def columns(self) -> range:
        """The columns that can be seen whole, one at least."""
        first = -(-self.scroll_offset.x // self.cell)
        return range(first, first + max(1, (self.room.width - self.label) // self.cell))

    def state(self) -> tuple[object, ...]:
        """All that decides what is drawn; the View is the same only if it is the same object."""
        place = (self.row, self.column, self.has_focus, self.cell, self.label)
        return (self.view, self.scroll_offset, self.room, *place, *self.extra())

    def lines(self) -> Sequence[Any]:
        """The lines that fill the widget, made anew only when something has changed."""
        state = self.state()
        if state != self._drawn:
            self._drawn = state
            self._lines = [] if self.view is None else self.drawn(self.view)
        return self._lines

    def drawn(self, view: View) -> Sequence[Any]:
        """The column labels and the visible rows, or why there are none."""
        if self.shape(view) is None:
            return []
        window = self.fetched(view)
        if window is None:
            width = max(1, self.room.width - 2)
            return [[(f" {part}", "warn")] for part in wrap(self.message, width)]
        head: Line = [(" " * self.label, "")]
        for col, name in zip(window.window.cols, window.header, strict=True):
            head.append((name.strip().rjust(self.cell), self.label_role(col == self.column)))
        return [head, *(self.row_line(window, at) for at in range(len(window.cells)))]

    def row_line(self, window: GridWindow, at: int) -> Line:
        """The label and the cells of a row of the window."""
        row = window.window.rows[at]
        label = f"{window.labels[at].strip():>{self.label - 1}} "
        line: Line = [(label, self.label_role(row == self.row))]
        for col, cell in zip(window.window.cols, window.cells[at], strict=True):
            line += self.spans(cell, (row, col) == (self.row, self.column) and self.has_focus)
        return line

    def label_role(self, here: bool) -> str:
        """The labels of the cursor's row and column stand out."""
        return "key" if here and self.has_focus else "label"

    def spans(self, cell: Cell, cursor: bool) -> Line:
        """One cell: • where it lies in the range, ▸ where its bits changed, the number."""
        role: str = "" if cell.kind == "normal" else cell.kind
        role = "range" if cell.ranged and role in ("", "zero") else role
        role = "changed" if cell.changed and role in ("", "zero") else role
        text = cell.text.lstrip()
        pad = " " * max(0, self.cell - 2 - cell_len(text))
        dot, mark = "•" if cell.ranged else " ", "▸" if cell.changed else " "
        lead = [(pad, ""), (dot, "range" if cell.ranged else "")]
        return [*lead, (mark, "changed"), (text, "cursor" if cursor else role)]

    def repaint(self) -> None:
        """Refresh the lines that differ from what is painted."""
        old, width = self._lines, self.room.width
        pairs = enumerate(zip_longest(old, self.lines()))
        differ = [Region(0, y, width, 1) for y, (was, line) in pairs if was != line]
        if differ:
            repaint(self, differ)

    def strip(self, line: Any) -> Strip:
        """A line of spans as a strip in the styles of the screen."""
        return self.strip_of(line, self.room.width)

    def render_line(self, y: int) -> Strip:
        """The column labels, or one row of values."""
        lines = self.lines()
        return self.strip(lines[y] if y < len(lines) else [])

    # -- where it is looked

    def on_resize(self) -> None:
        """More or fewer cells are visible; the cursor stays in view."""
        self.watch_view(self.view)
        if self.has_focus:
            self.reveal()

    def on_focus(self) -> None:
        """Draw the cursor."""
        self.repaint()

    def on_blur(self) -> None:
        """Draw without the cursor."""
        self.repaint()

    def watch_row(self, old: int, new: int) -> None:
        """Draw the cursor in its new place."""
        self.repaint()

    def watch_column(self, old: int, new: int) -> None:
        """Draw the cursor in its new place."""
        self.repaint()

    def watch_scroll_x(self, old_value: float, new_value: float) -> None:
        """Other columns may be wider."""
        # Unlike handlers, watchers of base classes are not called by Textual: super() is needed.
        super().watch_scroll_x(old_value, new_value)
        self.scrolled()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Other rows may be wider."""
        super().watch_scroll_y(old_value, new_value)
        self.scrolled()

    def scrolled(self) -> None:
        """Make room for numbers that come into view."""
        if self.view is not None:
            self.fit(self.view)

    # -- moving

    def move(self, by: int) -> None:
        """Move the cursor down or up."""
        if self.view is not None and (shape := self.shape(self.view)) is not None:
            by *= self.pace()[0] if abs(by) < FAR else 1
            self.row = max(0, min(shape[0] - 1, self.row + by))
            self.show_row(self.row)

    def sideways(self, by: int) -> None:
        """Move the cursor to the right or the left."""
        if self.view is not None and (shape := self.shape(self.view)) is not None:
            self.column = max(0, min(shape[1] - 1, self.column + by * self.pace()[1]))
            self.reveal()

    def show_row(self, y: int) -> None:
        """Scroll as little as needed; the first line is taken by the labels."""
        top, height = self.scroll_offset.y, self.room.height - 1
        if y < top:
            self.scroll_to(y=y, animate=False, force=True)
        elif y >= top + height:
            self.scroll_to(y=y - height + 1, animate=False, force=True)

    def show_column(self, x: int) -> None:
        """Scroll as little as needed for a column to be seen whole."""
        seen = self.columns()
        if x < seen.start:
            self.scroll_to(x=x * self.cell, animate=False, force=True)
        elif x >= seen.stop:
            self.scroll_to(x=(x - len(seen) + 1) * self.cell, animate=False, force=True)

    def go_to(self, row: int, column: int) -> bool:
        """Move the cursor to a cell, if there is such a cell."""
        shape = None if self.view is None else self.shape(self.view)
        if shape is None or not 0 <= row < shape[0] or not 0 <= column < shape[1]:
            return False
        self.row, self.column = row, column
        self.reveal()
        return True

    def reveal(self) -> None:
        """Bring the cursor into view; what comes with it may need wider columns, so look twice."""
        self.show_row(self.row)
        for _ in range(2):
            self.show_column(self.column)

    def go_to_index(self, index: Sequence[int]) -> bool:
        """Move the cursor to the cell that its last two numbers name, if there is such a cell."""
        row, column = [0, 0, *index][-2:]
        return self.go_to(row, column)

    def page_sideways(self, by: int) -> None:
        """Move the cursor by as many columns as can be seen."""
        self.sideways(by * max(1, len(self.columns()) - 1))

    def key_left(self) -> None:
        """Cursor left."""
        self.sideways(-1)

    def key_right(self) -> None:
        """Cursor right."""
        self.sideways(1)

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to the clicked cell."""
        event.prevent_default()  # else Textual calls the handler of the base class as well
        place = event.get_content_offset(self)
        window = self._window
        if place is None or window is None or not 1 <= place.y <= len(window.cells):
            return
        across = (place.x - self.label) // self.cell
        self.row = window.window.rows[place.y - 1]
        if 0 <= across < len(window.window.cols):
            self.column = window.window.cols[across]
