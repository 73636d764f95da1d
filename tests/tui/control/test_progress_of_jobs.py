"""The timer of a job that is over says nothing of the next one."""

from collections.abc import Callable
from types import SimpleNamespace

from tui.control.live import Live
from tui.control.worker import Worker


class Screen:
    """A screen whose timers and thread are run by hand."""

    keys = {"cancel": "Esc"}  # noqa: RUF012 - read only

    def __init__(self) -> None:
        self.session = SimpleNamespace(event=0, timeline=None, loss=None)
        self.timers: list[Callable[[], None]] = []
        self.works: list[Callable[[], None]] = []
        self.said: list[str] = []

    def in_thread(self, work: Callable[[], None]) -> None:
        self.works.append(work)

    def later(self, seconds: float, callback: Callable[[], None]) -> None:
        self.timers.append(callback)

    def say(self, **status: str) -> None:
        self.said.append(status["busy"])

    def call_on_screen(self, callback: Callable[[], None]) -> None:
        callback()


def test_a_job_that_has_just_begun_shows_no_progress_at_the_tick_of_the_one_before() -> None:
    screen = Screen()
    worker = Worker(screen, Live(screen, lambda work: work()))

    def begin(name: str) -> None:
        worker._start(worker_job(name), lambda run: None, inline=False)

    def worker_job(name: str):
        from tui.control.worker import Job

        return Job(iter([1]), 0, 2, doing=name)

    begin("first")
    screen.works.pop()()  # it is over before its progress would show
    begin("second")
    screen.timers[0]()
    assert screen.said == []
    screen.timers[1]()
    assert screen.said == ["second 0% · Esc stops"]
