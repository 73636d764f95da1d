"""The screen as a pane with commands of its own knows it."""

from typing import Protocol, runtime_checkable

from textual.widget import Widget

from tui.control.worker import Done, Steps


@runtime_checkable
class PaneHost(Protocol):
    """What a pane may ask of its screen.

    These are calls and no messages: a message would reach the screen only after the keys that a
    person has typed ahead, which belong to the prompt that is asked for.
    """

    def pane_says(self, note: str) -> None:
        """Set the note."""

    def pane_asks(self, pane: str, kind: str, label: str, text: str) -> None:
        """Open a prompt beginning with ``text``; the answer goes to the pane's ``answered``."""

    def pane_works(self, steps: Steps, done: Done, doing: str, total: int) -> None:
        """Pull ``steps``, which yields how much of ``total`` is done, in a thread if it takes long.

        ``doing`` names the work in the position line; ``done`` is called on the screen's thread.
        """


def host_of(pane: Widget) -> PaneHost:
    """The screen of a mounted pane; raises TypeError where it is no PaneHost."""
    screen = pane.screen
    if not isinstance(screen, PaneHost):
        raise TypeError(f"{type(screen).__name__} is no screen for a pane with commands")
    return screen
