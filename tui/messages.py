"""What the panes tell the main screen."""

from collections.abc import Callable
from dataclasses import dataclass

from textual.message import Message

from tui.journeys import LongRun, Steps


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

    source: str


@dataclass
class Said(Message):
    """A pane has something to say to the last key."""

    note: str


@dataclass
class PromptWanted(Message):
    """A pane wants a person to type something; the answer comes back to it."""

    pane: str
    kind: str
    label: str
    text: str


@dataclass
class JourneyWanted(Message):
    """A pane has work that may take long: ``total`` pieces, what it is ``doing`` in words."""

    steps: Steps
    done: Callable[[LongRun], None]
    doing: str
    total: int


@dataclass
class EventChosen(Message):
    """A person wants to go to an event."""

    event: int
