"""The screen as a pane with commands of its own knows it."""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from textual.widget import Widget

from tui.control.worker import Done, Steps


class PaneHost(Protocol):
    """What a pane may ask of its screen.

    These are calls and no messages: a message would reach the screen only after the keys that a
    person has typed ahead, which belong to the prompt that is asked for.
    """

    def says(self, note: str) -> None:
        """Set the note."""

    def asks(self, label: str, text: str, past: str, answer: Callable[[str], None]) -> None:
        """Open a prompt beginning with ``text``; ``answer`` gets what is typed.

        What is typed at prompts of the same ``past`` is what the arrows bring back.
        """

    def works(self, steps: Steps, done: Done, doing: str, total: int) -> None:
        """Pull ``steps``, which yields how much of ``total`` is done, in a thread if it takes long.

        ``doing`` names the work in the position line; ``done`` is called on the screen's thread.
        """


@runtime_checkable
class HasHost(Protocol):
    """A screen for panes with commands of their own."""

    host: PaneHost


def host_of(pane: Widget) -> PaneHost:
    """The host of a mounted pane; raises TypeError where its screen has none."""
    screen = pane.screen
    if not isinstance(screen, HasHost):
        raise TypeError(f"{type(screen).__name__} is no screen for a pane with commands")
    return screen.host
