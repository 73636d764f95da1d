"""Movements: pulled piece by piece, at once or in a thread, ended at a whole piece."""

from collections.abc import Callable, Iterator

import pytest

from engine.errors import GradstepError
from engine.session.progress import Progress
from engine.session.session import Session
from tests.tui.control.host import Host
from tui.control.live import EVERY, LONGEST, OF_TICKS, SHARE, SLOWEST, Live, Spent
from tui.control.worker import BUSY, Job, Worker


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
    worker = Worker(host, Live(host, host.call_on_screen))
    assert worker.begin(host.session.travel(3), done.append, 3)
    assert host.session.event == 3
    assert [run.over for run in done] == [True]
    assert host.works == []


def test_what_is_long_goes_on_in_a_thread_until_it_is_cancelled(seconds):
    seconds(-1)  # a single event at once
    host, done = Host(), list[Job]()
    host.session.goto(30)
    worker = Worker(host, Live(host, host.call_on_screen))
    worker.begin(endless(host.session), done.append, 600)
    assert worker.current is not None
    assert host.session.event == worker.current.at == 31
    assert len(host.works) == 1
    host.timers.pop()()
    assert "events/s" in host.said[-1]["busy"]
    assert f"loss {host.session.loss:.4g} · Esc stops" in host.said[-1]["busy"]
    assert not worker.begin(host.session.travel(0), done.append)
    assert host.said[-1] == {"note": BUSY.format(cancel="Esc")}
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


@pytest.fixture
def spending(monkeypatch: pytest.MonkeyPatch) -> list[Spent]:
    """The time that is spent, in the hand of a test: the last of the list."""
    times = [Spent(0.0, 0.0, 0.0)]
    monkeypatch.setattr(Spent, "now", lambda: times[-1])
    return times


def test_a_run_shows_views_when_the_screen_asks_for_them(seconds, spending):
    seconds(-1)
    host = Host()
    worker = Worker(host, Live(host, host.call_on_screen), lambda: ticks(host, worker))
    worker.begin(pieces(host.session, 200), lambda run: None, 200)
    host.works.pop()()
    shown = [view.event for view in host.shown]
    assert shown, "it was asked at every piece"
    assert shown == sorted(set(shown))
    assert [view.loss for view in host.shown] == [lossy(host, event) for event in shown]
    assert host.shown[0].tensors is not host.session.tensors


def ticks(host: Host, worker: Worker) -> None:
    """The time of all timers has come, between two pieces of a run."""
    due, host.timers = host.timers, []
    for timer in due:
        timer()


def pieces(session: Session, target: int) -> Iterator[int]:
    """A run that could be left after every event."""
    while session.event < target:
        yield session.goto(session.event + 1)


def lossy(host: Host, event: int) -> float | None:
    """The loss at an event, of a session that goes there alone."""
    fresh = Session(host.session.run)
    fresh.goto(event)
    return fresh.loss


def test_a_view_of_a_run_that_is_over_is_not_shown(seconds, spending):
    seconds(-1)
    host, posted = Host(), list[Callable[[], None]]()
    worker = Worker(host, Live(host, posted.append))
    worker.begin(pieces(host.session, 200), lambda run: None, 200)
    ticks(host, worker)
    host.works.pop()()
    assert len(posted) == 1
    posted.pop()()
    assert host.shown == []


def second(
    live: Live, spending: list[Spent], used: float, run: float = 1.0, view: bool = False
) -> float:
    """A second goes by in which the screen uses some time, for a View or for the place alone."""
    clock, screen, process = spending[-1]
    spending.append(Spent(clock + 1.0, screen + used, process + used + run))
    live.came = view
    return live.pause()


@pytest.mark.parametrize(
    ("run", "seconds_of_saving"),
    [(1.0, 2), (4.0, 2), (0.5, 4), (0.0, int(LONGEST))],
    ids=["alone", "in several threads", "beside other programs", "waiting for its file"],
)
def test_a_view_is_due_when_the_screen_has_saved_what_the_last_one_cost(
    spending, run, seconds_of_saving
):
    live = Live(Host(), lambda callback: None)
    live.begin()
    assert live.due
    second(live, spending, 1.9 * SHARE, run, view=True)
    waited = 1
    while not live.due:
        second(live, spending, 0.0, run)
        waited += 1
    assert waited == seconds_of_saving


@pytest.mark.parametrize(
    ("used", "expected"),
    [(0.0, EVERY), (0.5 * SHARE * OF_TICKS, 0.5), (1.0, SLOWEST)],
)
def test_the_place_is_told_more_seldom_where_a_line_costs_much(spending, used, expected):
    live = Live(Host(), lambda callback: None)
    live.begin()
    assert second(live, spending, 1.0, view=True) == EVERY
    assert second(live, spending, used) == pytest.approx(expected)


def test_an_op_that_takes_long_leaves_its_progress_on_display(seconds, spending):
    seconds(-1)
    host = Host()
    worker = Worker(host, Live(host, host.call_on_screen))
    worker.begin(endless(host.session), lambda run: None, 600)
    for _ in range(3):  # no piece comes to an end meanwhile
        ticks(host, worker)
    assert len(host.said) == 3
    assert host.shown == []
