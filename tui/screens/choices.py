"""What is shown or done when something has been chosen in a pane."""

from typing import assert_never

from tui.keys import messages
from tui.render.text.clean import clean
from tui.screens.parts import Parts

PINNED = (
    "{name} is pinned: Tensor, Jacobian and Chain stay with it · {follow} follows the last op again"
)


def chosen(parts: Parts, message: messages.Choice) -> None:
    """Show or do what has been chosen in a pane."""
    match message:
        case messages.TensorChosen(name):
            parts.follow.tensor(name, PINNED.format_map({**parts.stage.keys, "name": clean(name)}))
        case messages.OpChosen(index):
            parts.follow.op(index)
        case messages.FactorChosen(index):
            parts.follow.derivative(factor=index)
        case messages.IterationChosen(iteration):
            parts.movement.scrub(iteration)
        case messages.EventChosen(event):
            parts.movement.go_to(event)
        case messages.GutterClicked():
            parts.stopping.toggle()
        case messages.LineUnfolded():
            parts.stopping.refold()
        case messages.WatchRemoved(text):
            parts.stopping.unwatch(text)
        case messages.WatchpointRemoved(number):
            parts.stopping.unwatch_point(number)
        case messages.NumberChosen():
            parts.opening.open_explanation()
        case messages.PaneChosen(pane):
            parts.panes.choose(pane)
        case _:
            assert_never(message)
