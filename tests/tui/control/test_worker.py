"""Movements: pulled piece by piece, at once or in a thread, ended at a whole piece."""

from collections.abc import Callable, Iterator

import pytest

from engine.errors import GradstepError
from engine.session.progress import Progress
from engine.session.session import Session
from tests.engine.small_experiments import session_of
from tui.control.worker import BUSY, Job, Worker


class Host:
    """A screen that does nothing by itself: tests run the thread's work and the timers."""

    def __init__(self) -> None:
        self.session = session_of("regression")
        self.works: list[Callable[[], None]] = []
        self.timers: list[Callable[[], None]] = []
        self.said: list[dict[str, str]] = []

    def in_thread(self, work: Callable[[], None]) -> None:
        self.works.append(work)

    def later(self, seconds: float, callback: Callable[[], None]) -> None:
        self.timers.append(callback)

    def say(self, **status: str) -> None:
        self.said.append(status)

    def call_on_screen(self, callback: Callable[[], None]) -> None:
        callback()


@pytest.fixture(autouse=True)
def seconds(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """For how long a movement is pulled at once: without end, whatever else the machine does."""

    def chosen(seconds: float) -> None:
        monkeypatch.setattr("tui.control.worker.INLINE_SECONDS", seconds)

    chosen(float("inf"))
    return chosen


def endless(session: Session) -> Iterator[int]:
    while True:
        session.goto((session.event + 1) % 600)
        yield session.event


def test_what_is_quick_is_over_at_once():
    host, done = Host(), list[Job]()
    worker = Worker(host)
    assert worker.begin(host.session.travel(3), done.append, 3)
    assert host.session.event == 3
    assert [run.over for run in done] == [True]
    assert host.works == []


def test_what_is_long_goes_on_in_a_thread_until_it_is_cancelled(seconds):
    seconds(-1)  # a single event at once
    host, done = Host(), list[Job]()
    host.session.goto(30)
    worker = Worker(host)
    worker.begin(endless(host.session), done.append, 600)
    assert worker.current is not None
    assert host.session.event == worker.current.at == 31
    assert len(host.works) == 1
    host.timers.pop()()
    assert "events/s" in host.said[-1]["busy"]
    assert f"loss {host.session.loss:.4g} · Esc stops" in host.said[-1]["busy"]
    assert not worker.begin(host.session.travel(0), done.append)
    assert host.said[-1] == {"note": BUSY}
    worker.cancel()
    host.works.pop()()
    assert worker.current is None
    assert [run.cancelled for run in done] == [True]
    host.timers.pop()()
    assert host.timers == [], "no more progress of what is over"


def test_errors_results_and_logs_are_kept():
    def failing() -> Iterator[Progress]:
        yield Progress(7, 0.5, ("one", "two"))
        raise GradstepError("no further")

    run = Job(failing(), 0)
    run.run()
    assert (run.over, run.at, run.loss, list(run.logs)) == (True, 7, 0.5, ["one", "two"])
    assert str(run.error) == "no further"

    def returning() -> Iterator[int]:
        yield 3
        return "done"

    run = Job(returning(), 0)
    run.run()
    assert (run.result, run.at) == ("done", 3)
