"""What the panes tell the main screen."""

from dataclasses import dataclass

from textual.message import Message


@dataclass
class TensorChosen(Message):
    """A person wants to look at a tensor."""

    name: str


@dataclass
class OpChosen(Message):
    """A person has moved to an op of the listing."""

    index: int


@dataclass
class PaneChosen(Message):
    """A person wants to go to a pane."""

    pane: str


@dataclass
class FactorChosen(Message):
    """A person has moved to a factor of the chain."""

    index: int


@dataclass
class IterationChosen(Message):
    """A person wants to go to an iteration, counted from 0."""

    iteration: int


class GutterClicked(Message):
    """A person wants a breakpoint on the op just chosen, or none."""


@dataclass
class WatchRemoved(Message):
    """A person wants an expression watched no longer; empty where nothing is watched."""

    text: str


class Opened(Message):
    """The debugger is there with all its panes."""


@dataclass
class EventChosen(Message):
    """A person wants to go to an event."""

    event: int
