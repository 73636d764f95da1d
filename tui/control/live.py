"""What a run under way shows of itself: fresh Views, some times a second, made in its own thread.

The screen asks at the ticks of its timer. The run answers between two of its pieces, where the
session stands still, and goes on at once: it never waits for the screen.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, Protocol

from tui.view.snapshot import View

EVERY = 0.2  # seconds from one View to the next, where that is cheap
SHARE = 0.01  # for what the screen computes, of what the run does: it waits meanwhile
LONGEST = 4.0  # seconds, however much there is to draw
LEAST = 0.1  # of a processor, which a run is taken to have at least


class Spent(NamedTuple):
    """Seconds by the clock, and of processor time: of the screen's thread, of all threads."""

    clock: float
    screen: float
    process: float

    @classmethod
    def now(cls) -> "Spent":
        """Asked on the screen's thread."""
        return cls(time.monotonic(), time.thread_time(), time.process_time())


class Shown(Protocol):
    """The screen that shows how a run goes on."""

    def fresh(self) -> View:
        """A View of the session where it stands."""

    def show_live(self, view: View) -> None:
        """Show a View of a run that goes on."""


class Live:
    """Takes Views in the run's thread when they are ``asked`` for, and has them shown.

    ``post`` calls a function on the screen's thread, some time, from any thread.
    """

    def __init__(self, shown: Shown, post: Callable[[Callable[[], None]], object]) -> None:
        self.shown = shown
        self.post = post
        self.asked = self.came = False
        self.spent = Spent(0.0, 0.0, 0.0)

    def begin(self) -> None:
        """A run begins: nothing is asked for yet."""
        self.asked = self.came = False
        self.spent = Spent.now()

    def ask(self) -> bool:
        """Ask for a View; whether one has come since the last time."""
        came, self.came, self.asked = self.came, False, True
        return came

    def answer(self, still: Callable[[], bool]) -> None:
        """In the run's thread, between two of its pieces: take the View that is asked for.

        It is shown where ``still`` holds then.
        """
        if self.asked:
            self.asked = False
            self.post(partial(self.show, self.shown.fresh(), still))

    def show(self, view: View, still: Callable[[], bool]) -> None:
        """On the screen's thread: show a View, unless the run is over."""
        if still():
            self.came = True
            self.shown.show_live(view)

    def pause(self) -> float:
        """Seconds until the next tick, so that the screen's work keeps within its SHARE.

        Of processor time: where other programs take much of it, both get less of every second.
        """
        before, self.spent = self.spent, Spent.now()
        used = self.spent.screen - before.screen
        run = self.spent.process - before.process - used
        clock = max(1e-6, self.spent.clock - before.clock)
        return min(LONGEST, max(EVERY, used / (SHARE * min(1.0, max(LEAST, run / clock)))))
