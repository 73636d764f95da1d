"""The loss pane: the loss of every iteration up to the cursor."""

from tui.render.line import Line
from tui.render.loss import loss_lines
from tui.view import View
from tui.widgets.lines import Lines


class LossPane(Lines, can_focus=True):
    """The loss curve."""

    def lines(self, view: View, width: int, height: int) -> list[Line]:
        return loss_lines(view.losses, width, height)
