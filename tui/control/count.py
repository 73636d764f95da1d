"""The count before a step key, as in 20s."""

import time
from dataclasses import dataclass

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
