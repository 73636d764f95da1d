"""Playing a session like a film: a step at a time, forwards or backwards, at a chosen speed."""

from dataclasses import dataclass

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)  # ops a second


@dataclass
class Player:
    """Whether it plays, which way, and how fast."""

    direction: int = 0
    place: int = 3

    @property
    def playing(self) -> bool:
        """Whether it plays."""
        return self.direction != 0

    @property
    def speed(self) -> float:
        """Ops a second."""
        return SPEEDS[self.place]

    @property
    def text(self) -> str:
        """What the position line says."""
        mark = "▶" if self.direction > 0 else "◀"
        return f"{mark} {self.speed:g}/s" if self.playing else ""

    def toggle(self, direction: int) -> None:
        """Play, the other way round, or pause."""
        self.direction = 0 if self.direction == direction else direction

    def faster(self, by: int) -> None:
        """The next speed up or down."""
        self.place = max(0, min(len(SPEEDS) - 1, self.place + by))
