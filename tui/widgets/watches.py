"""The watches pane: expressions at the cursor, before the last op, and their past."""

from tui.render.line import Line
from tui.render.watches import watch_line
from tui.view import View
from tui.widgets.lines import LineList


class WatchesPane(LineList):
    """The watched expressions; only those that can be seen are evaluated."""

    def count(self, view: View) -> int:
        return max(1, len(view.watches))

    def line(self, view: View, y: int, width: int) -> Line:
        if not view.watches:
            return [(" nothing is watched: w watches an expression", "dim")]
        selected = y == self.row and self.has_focus
        return watch_line(view, view.watches[min(y, len(view.watches) - 1)], width, selected)
