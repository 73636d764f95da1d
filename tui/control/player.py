"""Playback of a session: its direction and its speed in ops a second; the timer is the screen's."""

from dataclasses import dataclass

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)  # ops a second


@dataclass
class Player:
    """The state of playback; ``direction`` is 1, -1 or 0 (paused), ``place`` indexes SPEEDS."""

    direction: int = 0
    place: int = 3

    @property
    def playing(self) -> bool:
        """Whether it is not paused."""
        return self.direction != 0

    @property
    def speed(self) -> float:
        """The chosen speed in ops a second."""
        return SPEEDS[self.place]

    @property
    def text(self) -> str:
        """The mode in the position line, as ``▶ 2/s``; empty while paused."""
        mark = "▶" if self.direction > 0 else "◀"
        return f"{mark} {self.speed:g}/s" if self.playing else ""

    def toggle(self, direction: int) -> None:
        """Play in a direction; pause where it plays in that one already."""
        self.direction = 0 if self.direction == direction else direction

    def faster(self, by: int) -> None:
        """Go ``by`` places along SPEEDS, as far as there are any."""
        self.place = max(0, min(len(SPEEDS) - 1, self.place + by))
