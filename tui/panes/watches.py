"""The watches pane: expressions at the cursor, before the last op, and their past."""

from typing import ClassVar

from textual.binding import BindingType

from tui.keys.bindings import bindings
from tui.keys.messages import WatchRemoved
from tui.render.text.line import Line
from tui.render.watches import watch_line
from tui.view.snapshot import View
from tui.widgets.lines import LineList


class WatchesPane(LineList):
    """The watched expressions; only those that can be seen are evaluated."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("watches")

    def count(self, view: View) -> int:
        return max(1, len(view.watches))

    def line(self, view: View, y: int, width: int) -> Line:
        if not view.watches:
            return [(" nothing is watched: w watches an expression (what runs stop at: B)", "dim")]
        selected = y == self.row and self.has_focus
        texts = tuple(view.watches)
        return watch_line(view, texts[min(y, len(texts) - 1)], width, selected)

    def action_remove(self) -> None:
        """Watch the expression under the cursor no longer."""
        watches = tuple(self.view.watches) if self.view is not None else ()
        self.post_message(WatchRemoved(watches[self.row] if self.row < len(watches) else ""))

    def watch_view(self, view: View | None) -> None:
        """Keep the cursor inside the list when a watch is gone."""
        if view is not None and self.row >= self.count(view):
            self.row = self.count(view) - 1
        super().watch_view(view)


if __name__ == "__main__":
    from tui.panes.alone import show

    show(WatchesPane())
