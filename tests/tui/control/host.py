"""A screen that does nothing by itself, for tests of what drives one."""

from collections.abc import Callable

from engine.debugger import Debugger
from tests.engine.small_experiments import session_of
from tui.view.snapshot import Selection, View, snapshot


class Host:
    """A screen that does nothing by itself: tests run the thread's work and the timers."""

    keys = {"cancel": "Esc"}  # noqa: RUF012 - read only

    def __init__(self) -> None:
        self.session = session_of("regression")
        self.works: list[Callable[[], None]] = []
        self.timers: list[Callable[[], None]] = []
        self.said: list[dict[str, str]] = []
        self.shown: list[View] = []

    def in_thread(self, work: Callable[[], None]) -> None:
        self.works.append(work)

    def later(self, seconds: float, callback: Callable[[], None]) -> None:
        self.timers.append(callback)

    def say(self, **status: str) -> None:
        self.said.append(status)

    def call_on_screen(self, callback: Callable[[], None]) -> None:
        callback()

    def fresh(self) -> View:
        return snapshot(Debugger(self.session), Selection())

    def show_live(self, view: View) -> None:
        self.shown.append(view)
