"""The way to an event, op by op, by the screen's own timer."""

from collections.abc import Callable

from tui.screens.main import MainScreen


class Playing:
    """Goes op by op to an event, by the screen's own timer."""

    def __init__(
        self, main: MainScreen, target: int, rate: float, over: Callable[[], None]
    ) -> None:
        self.main = main
        self.target = target
        self.rate = rate
        self.over = over

    @property
    def text(self) -> str:
        """The way and the speed."""
        back = self.target < self.main.session.event
        return f"{'◀' if back else '▶'} {self.rate:g}/s"

    def begin(self) -> None:
        """The next op in its time."""
        self.main.parts.stage.later(1 / self.rate, self.on_time)

    def on_time(self) -> None:
        """The time of an op has come: take it, and wait for the next."""
        if not self.step():
            self.begin()

    def step(self) -> bool:
        """One op on the way, while no job moves the session; whether it is over then."""
        if self.target != self.main.session.event and self.main.resting():
            word = "rs" if self.target < self.main.session.event else "s"
            self.main.parts.movement.go(word)
        if self.target == self.main.session.event:
            self.arrived()
            return True
        return False

    def finish(self) -> None:
        """To the end at once; where that takes a while, the timer sees that it is over."""
        if self.main.resting():
            self.main.parts.movement.go(f"goto #{self.target}")
            if self.target == self.main.session.event:
                self.arrived()

    def arrived(self) -> None:
        """The end: once."""
        over, self.over = self.over, lambda: None
        over()
