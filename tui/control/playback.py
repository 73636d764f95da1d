"""Playback of a session at a speed in ops a second, forwards and backwards."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from engine.session.session import Session
from tui.control.display import Acts, Display
from tui.control.movement import Movement

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)  # ops a second


class Waiting(Protocol):
    """A call that is to come, unless it is stopped before."""

    def stop(self) -> None: ...


Later = Callable[[float, Callable[[], None]], Waiting]
"""Calls a function after some seconds."""


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


class Playback:
    """Moves by an op whenever its time has come; ``next_op`` is the timer of the op to come.

    ``resting`` says that no job moves the session: while one does, playing waits.
    """

    def __init__(
        self,
        session: Session,
        movement: Movement,
        display: Display,
        later: Later,
        resting: Callable[[], bool],
    ) -> None:
        self.session = session
        self.movement = movement
        self.display = display
        self.later = later
        self.resting = resting
        self.player = Player()
        self.next_op: Waiting | None = None

    @property
    def acts(self) -> Acts:
        """What keys do here."""
        return {
            "play": partial(self.play, 1),
            "play-back": partial(self.play, -1),
            "slower": partial(self.faster, -1),
            "faster": partial(self.faster, 1),
        }

    def play(self, direction: int) -> None:
        """Play forwards or backwards, or pause."""
        self.player.toggle(direction)
        self.display.show_now("" if self.player.playing else "paused")
        self.wait()

    def faster(self, by: int) -> None:
        """Play faster or slower."""
        self.player.faster(by)
        self.display.show_now(f"{self.player.speed:g} ops a second")

    def wait(self) -> None:
        """Set the timer of the next op, 1/speed seconds from now, instead of an earlier one."""
        if self.next_op is not None:
            self.next_op.stop()
        self.next_op = None
        if self.player.playing:
            self.next_op = self.later(1 / self.player.speed, self.play_on)

    def play_on(self) -> None:
        """Move by an op, and wait for the next; pause at a bookmark and at an end of the run."""
        if not self.player.playing:
            return
        if self.resting():  # no key was pressed: what the job says stays on display
            self.display.moment()
            target = self.session.event + self.player.direction
            if not 0 <= target <= self.session.timeline.end:
                self.player.direction = 0
                self.display.show_now("the end of the run" if target > 0 else "the first event")
                return
            word, said = "s" if self.player.direction > 0 else "rs", self.movement.bookmark(target)
            if said:  # a chapter: its text stays until somebody goes on
                self.player.direction = 0
            self.movement.go(word, said)
        self.wait()
