"""What a run under way shows of itself: its place, some times a second, and now and then a View.

The screen asks for Views at the ticks of its timer. The run answers between two of its pieces,
where the session stands still, and goes on at once: it never waits for the screen. The interpreter
has one lock, so what the screen computes the run waits for: the place is one line and costs little,
a View comes when the screen has saved what it costs.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, Protocol

from tui.view.snapshot import View

EVERY = 0.2  # seconds from one tick to the next, where that is cheap
SLOWEST = 1.0  # seconds between two ticks, however much a line costs
SHARE = 0.015  # for what the screen computes, of what the run does: it waits meanwhile
OF_TICKS = 0.5  # of this share, for the place alone
LONGEST = 4.0  # seconds from one View to the next, however much there is to draw
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
        self.spent = Spent(0.0, 0.0, 0.0)
        self.asked = self.came = False
        self.owed = self.waited = 0.0
        self.every = EVERY

    def begin(self) -> None:
        """A run begins: nothing is asked for yet."""
        self.spent = Spent.now()
        self.asked = self.came = False
        self.owed = self.waited = 0.0
        self.every = EVERY

    def ask(self) -> bool:
        """Ask for a View where one is due; whether one has come since the last time."""
        came, self.came = self.came, False
        self.asked = self.asked or self.due
        return came

    @property
    def due(self) -> bool:
        """Whether the screen has saved what the last View has cost, or the person waits long."""
        return self.owed == 0.0 or self.waited >= LONGEST

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
            self.came, self.waited = True, 0.0
            self.shown.show_live(view)

    def pause(self) -> float:
        """Seconds until the next tick; accounts for what the screen has used since the last one.

        Of processor time: where other programs take much of it, both get less of every second.
        """
        before, self.spent = self.spent, Spent.now()
        used = self.spent.screen - before.screen
        clock = max(1e-6, self.spent.clock - before.clock)
        run = self.spent.process - before.process - used
        share = SHARE * min(1.0, max(LEAST, run / clock))  # of a second
        self.owed = max(0.0, self.owed + used - share * clock)
        self.waited += clock
        if not self.came:  # all of it was for the place
            self.every = min(SLOWEST, max(EVERY, used / (OF_TICKS * share)))
        return self.every
