"""A grid whose single row is folded into as many lines as it needs: a vector fills the pane."""

from collections.abc import Sequence
from typing import Any

from rich.cells import cell_len
from textual import events
from textual.geometry import Size

from tui.render.text.line import Line
from tui.view.snapshot import View
from tui.widgets.grid import FAR, MatrixGrid

ROUND = 5  # from twice as many columns on, each line has a multiple of these: 0, 15, 30, …


class FoldingGrid(MatrixGrid):
    """The cursor stays in row 0; ``per_line`` columns stand in a line, 0 where nothing is folded.

    Above stands how far a column is from the first one of its line, whose index is at the left.
    """

    per_line = 0

    def folded_indices(self, view: View) -> range | None:
        """The indices of a single row that may be folded; None for a matrix or a picture."""
        raise NotImplementedError

    # -- what is drawn

    def fit(self, view: View) -> None:
        """Widen the columns where the numbers need it; what was in sight first stays there.

        So does the cursor, if it was in sight.
        """
        indices = self.folded_indices(view)
        if self.room.height <= 0:
            return
        if not indices:
            self.per_line = 0
            super().fit(view)
            return
        self.label = max(self.label, 2 + len(str(max(indices[0], indices[-1]))))
        first = self.scroll_offset.y * self.per_line
        known = self.per_line and self.column in self.columns()
        for _ in range(3):  # with other columns other numbers come into view
            before = self.per_line
            self.widen(view, len(indices))
            self.per_line = self.room_for(len(indices))
            if self.per_line == before:
                break
        lines = -(-len(indices) // self.per_line) if self.per_line else 1
        self.virtual_size = Size(0, lines + 1)
        top = first // max(1, self.per_line) if self.per_line else 0
        if self.scroll_offset != (0, top):
            self.scroll_to(0, top, animate=False, force=True)
        if known and self.per_line:
            self.show_row(self.column // self.per_line)

    def widen(self, view: View, count: int) -> None:
        """Make room for the numbers in sight, and for the indices above a single line."""
        if (window := self.fetched(view)) is not None:
            texts = [cell.text.strip() for row in window.cells for cell in row]
            texts += [] if self.room_for(count) else window.header
            self.cell = max(self.cell, 2 + max(map(cell_len, texts), default=0))

    def room_for(self, count: int) -> int:
        """How many columns a line has; 0 where one line is enough."""
        fitting = max(1, (self.room.width - self.label) // self.cell)
        if count <= fitting:
            return 0
        return fitting if fitting < 2 * ROUND else fitting // ROUND * ROUND

    def columns(self) -> range:
        """The columns of the vector in all lines that can be seen."""
        if not self.per_line:
            return super().columns()
        first = self.scroll_offset.y * self.per_line
        return range(first, first + self.per_line * max(1, self.room.height - 1))

    def seen(self) -> tuple[range, range]:
        """The only row, and the columns of all lines in sight."""
        return (range(1), self.columns()) if self.per_line else super().seen()

    def state(self) -> tuple[object, ...]:
        """What decides the drawing, the columns in a line included."""
        return (*super().state(), self.per_line)

    def drawn(self, view: View) -> Sequence[Any]:
        """How far columns are from the first of their line, and the lines."""
        window = self.fetched(view) if self.per_line else None
        indices = self.folded_indices(view)
        if window is None or indices is None:
            return super().drawn(view)
        head: Line = [(" " * self.label, "")]
        for at in range(self.per_line):
            text = f"{at * indices.step:+d}"
            head.append((text.rjust(self.cell), self.label_role(at == self.column % self.per_line)))
        cols, lines = window.window.cols, [head]
        for start in range(0, len(cols), self.per_line):
            here = cols[start] <= self.column < cols[start] + self.per_line
            label = f"{window.header[start].strip():>{self.label - 1}} "
            line: Line = [(label, self.label_role(here))]
            for at in range(start, min(start + self.per_line, len(cols))):
                cursor = cols[at] == self.column and self.has_focus
                line += self.spans(window.cells[0][at], cursor)
            lines.append(line)
        return lines

    # -- moving

    def move(self, by: int) -> None:
        """Move the cursor by lines, to the first or last element where ``by`` is FAR or more."""
        if not self.per_line or self.view is None:
            super().move(by)
        elif (shape := self.shape(self.view)) is not None:
            last, wide = shape[1] - 1, self.per_line
            line = max(0, min(last // wide, self.column // wide + by))
            end = 0 if by < 0 else last  # of the vector: its first or last element
            goal = end if abs(by) >= FAR else line * wide + self.column % wide
            self.column = min(last, goal)
            self.reveal()

    def reveal(self) -> None:
        """Bring the line of the cursor into view; its numbers may make other lines."""
        if not self.per_line:
            super().reveal()
            return
        for _ in range(2):
            self.show_row(self.column // max(1, self.per_line))

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to the clicked cell."""
        place = event.get_content_offset(self)
        if not self.per_line or place is None or place.y < 1:
            return
        event.prevent_default()  # else Textual calls the handler of the base class as well
        across = (place.x - self.label) // self.cell
        if 0 <= across < self.per_line:
            line = self.scroll_offset.y + place.y - 1
            self.go_to(0, line * self.per_line + across)
