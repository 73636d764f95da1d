"""The program pane: the ops of one iteration, the one about to run marked."""

from functools import lru_cache

from textual import events

from engine.program import Program
from tui.messages import GutterClicked, OpChosen
from tui.render.line import Line
from tui.render.listing import Row, row_line, rows_of
from tui.view import View
from tui.widgets.lines import LineList

GUTTER = 2  # columns at the left that belong to breakpoints
listing = lru_cache(maxsize=4)(rows_of)


class ProgramPane(LineList):
    """The listing; the cursor follows the op about to run until a person moves it."""

    event = -1

    def rows(self, program: Program) -> list[Row]:
        """The rows of the listing."""
        return listing(program)

    def count(self, view: View) -> int:
        return len(self.rows(view.program))

    def line(self, view: View, y: int, width: int) -> Line:
        selected = y == self.row and self.has_focus
        return row_line(view, self.rows(view.program)[y], width, selected)

    def selectable(self, view: View, y: int) -> bool:
        return self.rows(view.program)[y].op is not None

    def chosen(self, view: View, y: int) -> None:
        op = self.rows(view.program)[y].op
        if op is not None:
            self.post_message(OpChosen(op.index))

    def on_click(self, event: events.Click) -> None:
        """Go to the clicked op; in the gutter also set or remove its breakpoint."""
        super().on_click(event)
        place = event.get_content_offset(self)
        if place is not None and place.x < GUTTER and self.view is not None:
            rows, y = self.rows(self.view.program), place.y + self.scroll_offset.y
            if y < len(rows) and rows[y].op is not None:
                self.post_message(GutterClicked())

    def watch_view(self, view: View | None) -> None:
        """Follow the op about to run when the session has moved."""
        super().watch_view(view)
        if view is None or view.event == self.event:
            return
        self.event = view.event
        for y, row in enumerate(self.rows(view.program)):
            if row.op is not None and (view.op is None or row.op.index == view.op.index):
                self.row = y
        self.show_row(self.row)
