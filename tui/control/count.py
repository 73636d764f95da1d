"""The count that a person types before a step key."""

import time
from dataclasses import dataclass

Place = tuple[str, str]


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
        """Take a digit, typed in a place."""
        now = time.monotonic()
        if self.expired(now):
            self.clear()
        if not self.text:
            self.place = place
        self.last = now
        self.text = (self.text + str(digit)).lstrip("0")[:7]

    def expired(self, now: float | None = None) -> bool:
        """Whether the last digit is too long ago for a count."""
        return (time.monotonic() if now is None else now) - self.last >= self.patience

    def take(self) -> tuple[int, Place | None]:
        """The count for a step key, and the place to go back to."""
        if self.expired():
            self.clear()
        count, place = int(self.text or 1), self.place
        self.clear()
        return count, place

    def clear(self) -> None:
        """Forget the digits."""
        self.text, self.place = "", None
