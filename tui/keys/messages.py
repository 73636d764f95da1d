"""Messages that panes post to the main screen: what has been chosen in them."""

from dataclasses import dataclass

from textual.message import Message


class Opened(Message):
    """All panes and the prompt are mounted."""


class Chosen(Message):
    """What has been chosen in a pane: one of the messages below."""


@dataclass
class TensorChosen(Chosen):
    """A tensor to show, by name."""

    name: str


@dataclass
class OpChosen(Chosen):
    """An op to select, by its index in the iteration."""

    index: int


@dataclass
class PaneChosen(Chosen):
    """A pane to give the focus, by its key in PANES."""

    pane: str


@dataclass
class FactorChosen(Chosen):
    """A factor of the chain to select, by its line in the table, from 0."""

    index: int


@dataclass
class IterationChosen(Chosen):
    """An iteration to jump to, counted from 0; outside the run means its nearest end."""

    iteration: int


class GutterClicked(Chosen):
    """Set a breakpoint on the op just chosen, or remove it."""


class LineUnfolded(Chosen):
    """Let the line of the op just chosen give way to its functions, or fold it again."""


@dataclass
class WatchRemoved(Chosen):
    """An expression to watch no longer; empty where nothing is watched."""

    text: str


@dataclass
class WatchpointRemoved(Chosen):
    """A watchpoint to remove, by the number of its stop."""

    number: int


@dataclass
class EventChosen(Chosen):
    """An event to jump to."""

    event: int


class NumberChosen(Chosen):
    """Explain the number of the selected tensor that is under the cursor of its pane."""


Choice = (
    TensorChosen
    | OpChosen
    | PaneChosen
    | FactorChosen
    | IterationChosen
    | GutterClicked
    | LineUnfolded
    | WatchRemoved
    | WatchpointRemoved
    | EventChosen
    | NumberChosen
)
