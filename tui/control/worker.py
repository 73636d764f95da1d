"""Movements of the session: at once where that is quick, else in a thread that can be cancelled.

A movement is a generator that yields where it is and may be left at any yield. It is pulled on the
screen's own thread for as long as nobody notices; what is not finished then goes on in a worker.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any, Protocol

from engine.errors import GradstepError
from engine.run.run import Run
from engine.run.timeline import Listing, Timeline
from engine.session.progress import Progress
from engine.session.session import Session
from tui.control.live import Live
from tui.keys.bound import Bound

INLINE_SECONDS = 0.012  # a job that is over by then needs no thread and no progress
HEAVY_BYTES = 8 * 2**20  # an op that writes this much never runs on the screen's own thread
MAX_LOGS = 10_000  # what a stop prints before these is lost when a run is stopped
FIRST_PROGRESS_SECONDS = 0.15  # the progress of a shorter run would only flicker

BUSY = "a run is under way: {cancel} stops it first"

Steps = Iterator[Any]
"""Yields events, Progress, and perhaps a result; or returns one."""


@dataclass
class Job:
    """A generator under way: a movement of the session, or work that ``doing`` names.

    ``start``, ``at`` and ``target`` are events of ``timeline``, or for work how much is done.
    ``result`` is what the generator returned or yielded last, ``logs`` what it printed;
    ``hint`` is what stands behind the progress.
    """

    steps: Steps
    start: int
    target: int | None = None
    at: int = 0
    loss: float | None = None
    result: Any = None
    error: GradstepError | None = None
    over: bool = False
    doing: str = ""
    hint: str = ""
    timeline: Timeline | None = None
    logs: deque[str] = field(default_factory=lambda: deque(maxlen=MAX_LOGS))
    loss_now: Callable[[], float | None] = lambda: None
    began: float = field(default_factory=time.monotonic)
    _stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.at = self.start

    def pull(self) -> bool:
        """Pull one item; whether there may be more. A GradstepError is kept in ``error``."""
        try:
            report = next(self.steps)
        except StopIteration as end:
            # Some generators return their result, others yield it last.
            self.result, self.over = end.value or self.result, True
            return False
        except GradstepError as error:
            self.error, self.over = error, True
            return False
        if isinstance(report, int):
            self.at, self.loss = report, self.loss_now()
        elif isinstance(report, Progress):
            self.at, self.loss = report.event, report.loss
            self.logs += report.logs
        else:
            self.result = report
        return True

    def run(self, seconds: float | None = None, between: Callable[[], None] | None = None) -> None:
        """Pull until it is over or cancelled, or for ``seconds``; None is without a limit.

        ``between`` is called between two pulls.
        """
        end = None if seconds is None else time.perf_counter() + seconds
        while not self.cancelled and self.pull():
            if between is not None:
                between()
            if end is not None and time.perf_counter() > end:
                return
        if self.cancelled and isinstance(self.steps, Generator):
            self.steps.close()  # here and not when it is forgotten: a search goes back

    def left_at(self, event: int) -> str:
        """The note where it was cancelled: whether the cursor is where it began."""
        return "stopped: back where it began" if event == self.start else "stopped"

    def cancel(self) -> None:
        """Ask it to end behind the item that is being pulled; callable from any thread."""
        self._stop.set()

    @property
    def cancelled(self) -> bool:
        """Whether it has been asked to end."""
        return self._stop.is_set()

    @property
    def text(self) -> str:
        """Progress for the position line: the iteration, percent, events a second, the loss."""
        done = abs(self.at - self.start)
        rate = done / max(1e-6, time.monotonic() - self.began)
        share = ""
        if self.target is not None:
            share = f" {100 * done // max(1, abs(self.target - self.start))}%"
        if self.doing or self.timeline is None:
            return f"{self.doing}{share}{self.hint}"
        loss = "" if self.loss is None else f" · loss {self.loss:.4g}"
        iteration, iterations = self.timeline.iteration(self.at) + 1, self.timeline.iterations
        place = f"iter {iteration:,}/{iterations:,}"
        return f"{place}{share or self.share_of_run} · {rate:,.0f} events/s{loss}{self.hint}"

    @property
    def share_of_run(self) -> str:
        """The percentage of the whole run, for a movement without a target (to a stop)."""
        end = 0 if self.timeline is None else self.timeline.end
        return f" {100 * self.at // max(1, end)}% of the run"


Done = Callable[[Job], None]


class Host(Protocol):
    """What a Worker needs of its screen: the session, a thread, a timer and a status line.

    ``in_thread`` runs ``work`` in a thread of its own; ``call_on_screen`` is called from there.
    """

    @property
    def session(self) -> Session: ...
    @property
    def keys(self) -> Bound: ...

    def in_thread(self, work: Callable[[], None]) -> None: ...
    def later(self, seconds: float, callback: Callable[[], None]) -> object: ...
    def say(self, **status: str) -> None: ...
    def call_on_screen(self, callback: Callable[[], None]) -> None: ...


class Worker:
    """Runs one Job at a time: INLINE_SECONDS on the screen's thread, the rest in one of its own.

    ``between`` is called in that thread, between two pieces of the job; ``live`` shows how it goes
    on.
    """

    def __init__(self, host: Host, live: Live, between: Callable[[], None] = lambda: None) -> None:
        self.host = host
        self.live = live
        self.between = between
        self.current: Job | None = None
        self._done: Done = lambda run: None

    def begin(self, steps: Steps, done: Done, target: int | None = None) -> bool:
        """Start a movement; ``done`` is called on the screen's thread. False while one runs."""
        if self.current is not None:
            self.host.say(note=BUSY.format_map(self.host.keys))
            return False
        session = self.host.session
        run = Job(
            steps,
            session.event,
            target,
            timeline=session.timeline,
            loss_now=lambda: session.loss,
        )
        return self._start(run, done, inline=not self.heavy(target))

    def work(self, steps: Steps, done: Done, doing: str, total: int) -> bool:
        """Start work that moves nothing; ``steps`` yields how much of ``total`` is done.

        ``doing`` names it in the position line. False while another job runs.
        """
        if self.current is not None:
            self.host.say(note=BUSY.format_map(self.host.keys))
            return False
        return self._start(Job(steps, 0, total, doing=doing), done, inline=True)

    def _start(self, run: Job, done: Done, inline: bool) -> bool:
        if inline:
            run.run(INLINE_SECONDS)
        if run.over:
            done(run)
            return True
        run.hint = f" · {self.host.keys['cancel']} stops"
        self.current, self._done = run, done
        self.live.begin()
        self.host.in_thread(self._work)
        self.host.later(FIRST_PROGRESS_SECONDS, partial(self._progress, run))
        return True

    def heavy(self, target: int | None) -> bool:
        """Whether an op on the way to ``target`` (None: ahead) writes more than HEAVY_BYTES."""
        session = self.host.session
        timeline, here, listing = session.timeline, session.event, session.listing
        heavy = heavy_ops(session.run, listing)
        if not heavy:  # one iteration is enough: as a rule the others have the same ops
            return False
        size = len(listing)
        first, last = (here, here + size) if target is None else sorted((here, target))
        way = range(first, min(last, first + size, timeline.end))
        return any(timeline.op(at).index in heavy for at in way)

    def cancel(self) -> None:
        """Cancel the job under way, if there is one."""
        if self.current is not None:
            self.current.cancel()

    def _work(self) -> None:
        run = self.current
        assert run is not None

        def between() -> None:
            self.between()
            self.live.answer(lambda: run is self.current)

        run.run(between=between)
        self.host.call_on_screen(self._finished)

    def _progress(self, run: Job) -> None:
        if run is not self.current:  # over, and perhaps another one is under way
            return
        # A View says itself how far the run is, but comes more seldom; work that moves nothing
        # has none.
        if run.doing or not self.live.ask():
            self.host.say(busy=run.text)
        self.host.later(self.live.pause(), partial(self._progress, run))

    def _finished(self) -> None:
        run, self.current = self.current, None
        if run is not None:
            self._done(run)


@lru_cache(maxsize=4)
def heavy_ops(run: Run, listing: Listing) -> frozenset[int]:
    """The places of the ops of an iteration that write more than HEAVY_BYTES."""
    return frozenset(op.index for op in listing.ops if run.nbytes(op) > HEAVY_BYTES)
