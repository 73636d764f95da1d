"""The count that a person types before a step key."""

import time
from dataclasses import dataclass


@dataclass
class Counting:
    """Digits before a step key; each is the number of a pane too, until a step key says otherwise.

    ``pane`` is where the digits were typed, to go back to when they turn out to be a count.
    """

    patience: float = 0.8  # seconds after the last digit for which the count is kept
    text: str = ""
    pane: str | None = None
    last: float = 0.0

    def digit(self, digit: int, pane: str) -> None:
        """Take a digit, typed in a pane."""
        now = time.monotonic()
        if self.expired(now):
            self.clear()
        if not self.text:
            self.pane = pane
        self.last = now
        self.text = (self.text + str(digit)).lstrip("0")[:7]

    def expired(self, now: float | None = None) -> bool:
        """Whether the last digit is too long ago for a count."""
        return (time.monotonic() if now is None else now) - self.last >= self.patience

    def take(self) -> tuple[int, str | None]:
        """The count for a step key, and the pane to go back to."""
        if self.expired():
            self.clear()
        count, pane = int(self.text or 1), self.pane
        self.clear()
        return count, pane

    def clear(self) -> None:
        """Forget the digits."""
        self.text, self.pane = "", None
