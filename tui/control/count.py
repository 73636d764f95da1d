"""The count before a step key, as in 20s."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from tui.control.display import Display
from tui.control.layout import Layout
from tui.keys.table import PANES

Place = tuple[str, str]  # the pane with the focus, and the inspector on display


@dataclass
class Counting:
    """Digits before a step key; each is the number of a pane too, until a step key says otherwise.

    ``place`` is where the digits were typed (the pane, and the inspector shown beside it), to go
    back to when they turn out to be a count.
    """

    patience: float = 0.8  # seconds after the last digit for which the count is kept
    text: str = ""
    place: Place | None = None
    last: float = 0.0

    def digit(self, digit: int, place: Place) -> None:
        """Append a digit, typed in ``place``; after ``patience`` seconds a new count begins."""
        now = time.monotonic()
        if self.expired(now):
            self.clear()
        if not self.text:
            self.place = place
        self.last = now
        self.text = (self.text + str(digit)).lstrip("0")[:7]

    def expired(self, now: float | None = None) -> bool:
        """Whether the last digit is ``patience`` seconds old or more; ``now`` is monotonic."""
        return (time.monotonic() if now is None else now) - self.last >= self.patience

    def take(self) -> tuple[int, Place | None]:
        """The count, 1 where none was typed, and the place to go back to; forgets both."""
        if self.expired():
            self.clear()
        count, place = int(self.text or 1), self.place
        self.clear()
        return count, place

    def clear(self) -> None:
        """Forget the digits."""
        self.text, self.place = "", None


class Digits:
    """Digit keys: each goes to a pane at once; before a step key they are a count after all."""

    def __init__(
        self,
        counting: Counting,
        display: Display,
        panes: Layout,
        later: Callable[[float, Callable[[], None]], object],
    ) -> None:
        self.counting = counting
        self.display = display
        self.panes = panes
        self.later = later

    def press(self, digit: int) -> None:
        """Go to the pane with this number, and count."""
        counting, panes = self.counting, self.panes
        counting.digit(digit, (panes.pane, panes.inspector))
        self.display.say(count=counting.text, note="")
        for key, pane in PANES.items():
            if pane.number == digit:
                panes.go_to(key)
        self.later(counting.patience, self.expire)

    def expire(self) -> None:
        """Forget the digits that no step key followed in time: they were the number of a pane."""
        if self.counting.expired():
            self.forget()

    def forget(self) -> None:
        """Forget the digits."""
        self.counting.clear()
        self.display.say(count="")
