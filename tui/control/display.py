"""What the parts of the screen know of it: the View on display, and how to bring another."""

from collections.abc import Callable, Mapping
from typing import Protocol

from tui.keys.bound import Bound
from tui.view.snapshot import View

Acts = Mapping[str, Callable[[], object]]
"""What keys do, by the ids of their commands in the table."""


class Display(Protocol):
    """The screen, as far as a part of it looks at and changes what is shown."""

    @property
    def view(self) -> View | None:
        """The View on display; None before the first."""

    @property
    def keys(self) -> Bound:
        """The keys that commands have, for what is said."""

    @property
    def free(self) -> bool:
        """Whether a key may move the session; sets the note where a job does."""

    def snapshot(self) -> View:
        """A new View of the session; while a thread moves it, the View before."""

    def show_now(self, note: str = "") -> None:
        """Take a new View of the session, and show it with a note."""

    def moment(self) -> None:
        """From here on notes are of another moment: they hide those that are on display."""

    def say(self, **status: str) -> None:
        """Change texts of the View alone: ``note``, ``busy``."""
