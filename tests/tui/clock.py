"""The clock of a screen in the hand of a test: what shall happen later happens when it says so."""

from collections.abc import Callable
from dataclasses import dataclass

from tui.screens.main import MainScreen


@dataclass
class Wait:
    """What is to be called after some time, unless it is stopped before."""

    seconds: float
    callback: Callable[[], object]
    over: bool = False

    def stop(self) -> None:
        self.over = True


class HandClock:
    """Takes the place of the timers that a main screen sets."""

    def __init__(self, main: MainScreen) -> None:
        self.waits: list[Wait] = []
        main.set_timer = self.set_timer

    def set_timer(self, delay: float, callback: Callable[[], object]) -> Wait:
        self.waits.append(Wait(delay, callback))
        return self.waits[-1]

    @property
    def seconds(self) -> list[float]:
        """How long what is still to come has to wait."""
        return [wait.seconds for wait in self.waits if not wait.over]

    def tick(self) -> None:
        """The time of everything that waits now has come."""
        due = [wait for wait in self.waits if not wait.over]
        self.waits = []
        for wait in due:
            wait.callback()
