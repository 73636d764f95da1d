"""What a screen's parts need of the toolkit: threads, timers, other screens, the end."""

from collections.abc import Callable, Sequence
from typing import Any

from textual.screen import Screen
from textual.timer import Timer

from engine.debugger import Debugger
from engine.session.session import Session
from tui.control.display import Display
from tui.keys.bound import Bound


class Stage:
    """A screen of the toolkit with a session on it: a Worker runs on it, others wait on it."""

    def __init__(self, screen: Screen[None], session: Session, display: Display) -> None:
        self.screen = screen
        self.session = session
        self.display = display

    def say(self, **status: str) -> None:
        """Change texts of the View alone: ``note``, ``busy``."""
        self.display.say(**status)

    def in_thread(self, work: Callable[[], None]) -> None:
        """Run ``work`` in a thread of its own."""
        self.screen.run_worker(work, thread=True, exclusive=True)

    def apart(self, work: Callable[[], None]) -> None:
        """Run ``work`` in a thread beside that of a job."""
        self.screen.run_worker(work, thread=True, group="apart")

    def call_on_screen(self, callback: Callable[[], None]) -> None:
        """From another thread: call ``callback`` on the screen's own, and wait for it."""

        def called() -> None:
            self.display.moment()  # keys that were pressed meanwhile had their notes
            callback()

        self.screen.app.call_from_thread(called)

    def post(self, callback: Callable[[], None]) -> None:
        """From any thread: call ``callback`` on the screen's own, and do not wait for it."""
        self.screen.call_later(callback)

    def later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Call ``callback`` on the screen's thread after some seconds."""
        return self.screen.set_timer(seconds, callback)

    def every(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Call ``callback`` on the screen's thread again and again."""
        return self.screen.set_interval(seconds, callback)

    def push(self, screen: Screen[Any], closed: Callable[[Any], None] | None = None) -> None:
        """Open another screen over this one; ``closed`` gets what it is closed with."""
        self.screen.app.push_screen(screen, closed)

    def go_on_with(self, debugger: Debugger, said: Sequence[str] = ()) -> None:
        """Go on with another debugger, on a screen of its own, with what is said of that."""
        self.screen.app.go_on_with(debugger, said)  # type: ignore[attr-defined]  # the debugger's app

    @property
    def keys(self) -> Bound:
        """The keys that commands have."""
        return self.display.keys

    @property
    def width(self) -> int:
        """The columns of the terminal."""
        return self.screen.app.size.width

    @property
    def on_top(self) -> bool:
        """Whether no other screen stands over this one."""
        return self.screen.is_active

    @property
    def visible(self) -> bool:
        """Whether nothing stands over this screen, or only what leaves some of it in sight."""
        stack = self.screen.app.screen_stack
        return all(other.is_modal for other in stack[stack.index(self.screen) + 1 :])

    def exit(self) -> None:
        """End the application."""
        self.screen.app.exit()
