"""The program pane: the ops of one iteration, the one about to run marked."""

from collections.abc import Sequence
from functools import lru_cache
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.reactive import reactive

from engine.program.program import Program
from tui.keys.bindings import bindings
from tui.keys.messages import GutterClicked, LineUnfolded, OpChosen
from tui.render.code import CodeRow, code_line, code_rows
from tui.render.listing import Row, op_rows, row_line, rows_of
from tui.render.source import SourceRow, is_current, source_line, source_rows
from tui.render.text.line import Line
from tui.view.snapshot import View
from tui.widgets.lines import LineList

STRIP = 3  # lines in which headings would leave no room for ops
GUTTER = 2  # columns at the left that belong to breakpoints
# Made once for a listing or a program, not for every line that is drawn.
listing = lru_cache(maxsize=4)(rows_of)
ops_alone = lru_cache(maxsize=4)(op_rows)
code = lru_cache(maxsize=4)(code_rows)


class ProgramPane(LineList):
    """The listing as ops or as a PyTorch loop; the cursor follows the op about to run.

    ``strip`` is whether there is only room for the op about to run, the one before and the next.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings("program")
    event = -1
    strip = False
    as_code: reactive[bool] = reactive(False)

    def rows(self, view: View) -> Sequence[Row | CodeRow | SourceRow]:
        """The rows of the listing, or the lines of the PyTorch loop, or of a captured script."""
        if self.as_code:
            return code(view.run) if isinstance(view.run, Program) else source_rows(view)
        return ops_alone(view.listing) if self.strip else listing(view.run.order, view.listing)

    def watch_as_code(self) -> None:
        """Draw the other form, with the cursor on the op about to run."""
        self.event = -1
        self.painted.clear()  # the same rows hold other lines now
        self.watch_view(self.view)
        self.refresh()

    def count(self, view: View) -> int:
        return len(self.rows(view))

    def line(self, view: View, y: int, width: int) -> Line:
        selected = y == self.row and self.has_focus
        row = self.rows(view)[y]
        if isinstance(row, CodeRow):
            return code_line(view, row, width, selected)
        if isinstance(row, SourceRow):
            return source_line(view, row, width, selected)
        return row_line(view, row, width, selected)

    def selectable(self, view: View, y: int) -> bool:
        return self.rows(view)[y].op is not None

    def chosen(self, view: View, y: int) -> None:
        op = self.rows(view)[y].op
        if op is not None:
            self.post_message(OpChosen(op.index))

    def action_unfold(self) -> None:
        """Unfold the line of the op in the selected row, or fold it again."""
        if self.view is not None:
            self.chosen(self.view, self.row)
            self.post_message(LineUnfolded())

    def on_click(self, event: events.Click) -> None:
        """Go to the clicked op; in the gutter also set or remove its breakpoint."""
        event.prevent_default()  # else Textual calls the handler of the base class as well
        super().on_click(event)
        place = event.get_content_offset(self)
        if place is not None and place.x < GUTTER and self.view is not None:
            rows, y = self.rows(self.view), place.y + self.scroll_offset.y
            if y < len(rows) and rows[y].op is not None:
                self.post_message(GutterClicked())

    def current(self, view: View) -> int:
        """The row of the op about to run; at the end of the run the last one."""
        rows = self.rows(view)
        places = [y for y, row in enumerate(rows) if row.op is not None]
        for y in places:
            row = rows[y]
            if view.op is not None and isinstance(row, CodeRow) and row.code.phase == view.op.phase:
                return y
            if isinstance(row, SourceRow) and is_current(view, row):
                return y
            if row.op is view.op:
                return y
        return places[-1] if places else 0

    def on_resize(self) -> None:
        """Other rows, with headings or without; the cursor stays on its op, and in sight."""
        view, was = self.view, self.strip
        self.strip = 0 < self.size.height <= STRIP
        if view is None:
            return
        if was != self.strip:
            self.strip = was
            at = self.rows(view)[min(self.row, self.count(view) - 1)].op
            self.strip = not was
            self.painted.clear()
            places = (y for y, row in enumerate(self.rows(view)) if row.op is at)
            self.row = next(places, self.current(view)) if at else self.current(view)
            self.watch_view(view)
            self.refresh()
        self.show_row(self.row)

    def watch_view(self, view: View | None) -> None:
        """Move the cursor to the op about to run when the session has moved."""
        moved = view is not None and view.event != self.event
        if view is not None and moved:
            self.event = view.event
            # Without its watcher: the lines are compared with what is painted in any case.
            self.set_reactive(ProgramPane.row, self.current(view))
        super().watch_view(view)
        if moved:
            self.show_row(self.row)


if __name__ == "__main__":
    from tui.panes.alone import show

    show(ProgramPane())
