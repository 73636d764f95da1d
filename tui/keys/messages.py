"""Messages that panes post to the main screen: what has been chosen in them."""

from dataclasses import dataclass

from textual.message import Message


@dataclass
class TensorChosen(Message):
    """A tensor to show, by name."""

    name: str


@dataclass
class OpChosen(Message):
    """An op to select, by its index in the iteration."""

    index: int


@dataclass
class PaneChosen(Message):
    """A pane to give the focus, by its key in PANES."""

    pane: str


@dataclass
class FactorChosen(Message):
    """A factor of the chain to select, by its line in the table, from 0."""

    index: int


@dataclass
class IterationChosen(Message):
    """An iteration to jump to, counted from 0; outside the run means its nearest end."""

    iteration: int


class GutterClicked(Message):
    """Set a breakpoint on the op just chosen, or remove it."""


@dataclass
class WatchRemoved(Message):
    """An expression to watch no longer; empty where nothing is watched."""

    text: str


class Opened(Message):
    """All panes and the prompt are mounted."""


@dataclass
class EventChosen(Message):
    """An event to jump to."""

    event: int
