"""The watches pane: expressions at the cursor, before the last op, and their past; watchpoints."""

from typing import ClassVar

from textual.binding import BindingType

from tui.keys.bindings import bindings
from tui.keys.messages import WatchpointRemoved, WatchRemoved
from tui.render.text.keyed import keyed
from tui.render.text.line import Line
from tui.render.watches import watch_line, watchpoint_line
from tui.view.snapshot import View
from tui.widgets.lines import LineList

NONE = (
    " nothing is watched: {watch} watches an expression, as norm(x) or loss",
    " {stops} lists what runs stop at; {command}watch loss stops where it changes",
)


class WatchesPane(LineList):
    """The watched expressions, then the watchpoints; only those that can be seen are evaluated."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("watches")

    def count(self, view: View) -> int:
        return len(view.watches) + len(view.watchpoints) or len(NONE)

    def line(self, view: View, y: int, width: int) -> Line:
        selected, texts = y == self.row and self.has_focus, tuple(view.watches)
        if y < len(texts):
            return watch_line(view, texts[y], width, selected)
        if y - len(texts) < len(view.watchpoints):
            return watchpoint_line(view, view.watchpoints[y - len(texts)], width, selected)
        return keyed(view.keys, NONE[y]) if y < len(NONE) else []

    def action_remove(self) -> None:
        """Watch the expression under the cursor no longer, or remove the watchpoint."""
        view = self.view
        if view is None:
            return
        watches, points = tuple(view.watches), view.watchpoints
        if watches and self.row < len(watches):
            self.post_message(WatchRemoved(watches[self.row]))
        elif self.row - len(watches) < len(points):
            self.post_message(WatchpointRemoved(points[self.row - len(watches)].number))
        else:
            self.post_message(WatchRemoved(""))

    def watch_view(self, view: View | None) -> None:
        """Keep the cursor inside the list when a watch is gone."""
        if view is not None and self.row >= self.count(view):
            self.row = self.count(view) - 1
        super().watch_view(view)


if __name__ == "__main__":
    from tui.panes.alone import show

    show(WatchesPane())
