"""The variables pane: every tensor of the run, a line each, in groups that fold."""

from typing import ClassVar

from textual.binding import BindingType

from tui.keys.bindings import bindings
from tui.keys.bound import pane_title
from tui.keys.messages import NumberChosen, TensorChosen
from tui.render.tensor_tree import TreeRow, is_open, labelled, shown_rows
from tui.render.text.line import Line
from tui.render.variables import Summaries, group_line, heading, variable_line
from tui.view.snapshot import View
from tui.widgets.lines import LineList


class VariablesPane(LineList):
    """The tensors; moving the cursor chooses the tensor that the tensor pane shows.

    ``switched`` are the keys of the groups that were folded or unfolded, ``at`` is the key of the
    row under the cursor: rows above it may come and go. The tensor that is shown has its row
    whether its group is folded or not.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings("variables")

    def __init__(
        self, summaries: Summaries, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.summaries = summaries
        self.switched: frozenset[str] = frozenset()
        self.at = ""

    def rows(self, view: View) -> tuple[TreeRow, ...]:
        """The rows that are not folded away."""
        return shown_rows(view.run, self.switched, view.info.gradient_of or view.tensor)

    def count(self, view: View) -> int:
        return len(self.rows(view))

    def line(self, view: View, y: int, width: int) -> Line:
        row, selected = self.rows(view)[y], y == self.row and self.has_focus
        label = labelled(view.run, row, self.switched)
        if row.tensor is None:
            return group_line(view, row, label, width, self.summaries, selected)
        return variable_line(view, row.tensor, width, self.summaries, selected, label)

    def chosen(self, view: View, y: int) -> None:
        row = self.rows(view)[y]
        self.at = row.key
        if row.tensor is not None:
            self.post_message(TensorChosen(row.tensor))

    def on_resize(self) -> None:
        """The heads of the columns stand in the frame, over the columns of this width."""
        if self.view is not None:
            start = 2 if self.styles.border_left[0] else 1  # where a title begins in the frame
            title = pane_title(self.view.keys, "variables")
            self.border_title = heading(self.view.run, self.seen_width, title, start)

    def watch_view(self, view: View | None) -> None:
        """Keep the cursor on its row, wherever that stands now."""
        if view is not None:
            keys = [row.key for row in self.rows(view)]
            at = keys.index(self.at) if self.at in keys else min(self.row, len(keys) - 1)
            if at != self.row:
                # Without its watcher: the lines are compared with what is painted in any case.
                self.set_reactive(VariablesPane.row, at)
                self.show_row(at)
        super().watch_view(view)

    # -- groups

    def action_fold(self) -> None:
        """Fold or unfold the group of the cursor; from inside it is folded.

        A tensor in no group has its number explained.
        """
        self.fold(None)

    def key_left(self) -> None:
        """Fold the group under the cursor, or go to the heading of the one around it."""
        self.fold(False)

    def key_right(self) -> None:
        """Unfold the group under the cursor."""
        self.fold(True)

    def fold(self, unfold: bool | None) -> None:
        """Unfold or fold a group, whatever it is not where that is None."""
        view = self.view
        if view is None:
            return
        row = self.rows(view)[self.row]
        seen = bool(row.members) and is_open(view.run, row, self.switched)
        if row.members and (unfold is None or unfold != seen):
            self.switch(view, row.key, row.key)
        elif row.within and not unfold:
            # From a row inside, Enter folds the group around it, and the arrow only goes there.
            self.switch(view, row.within[-1] if unfold is None else "", row.within[-1])
        elif unfold is None and row.tensor is not None:
            self.post_message(NumberChosen())

    def switch(self, view: View, group: str, at: str) -> None:
        """Turn a group, if one is named, and put the cursor on a row."""
        self.switched ^= {group} if group else set()
        self.at = at
        self.painted.clear()  # the same rows hold other lines now
        self.watch_view(view)
        self.show_row(self.row)
        self.refresh()


if __name__ == "__main__":
    from tui.panes.alone import show

    show(VariablesPane(Summaries()))
