"""One frozen snapshot of what the screen shows: made by the main screen, read by the panes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.chain.primals import Primals
from engine.debugger import Debugger
from engine.errors import GradstepError
from engine.program.program import CAPTURED, Program
from engine.run.event import Event
from engine.run.op import Op, TensorInfo
from engine.run.position import Granularity, Position
from engine.run.run import Run
from engine.run.source import LIVE
from engine.run.timeline import Listing
from engine.session.branches import MAIN
from engine.session.session import Session
from engine.stops.evidence import WatchValue
from engine.stops.stop import StopKind
from tui.view.derivative import Derivative, pair

if TYPE_CHECKING:
    from engine.diagnostics.diagnosis import Diagnosis
    from engine.measure.series import Series

Array = NDArray[Any]


Watched = tuple[WatchValue, list[float]]
UNWATCHED: Watched = (WatchValue(""), [])


def unwatched(text: str) -> Watched:
    """The value of a watch that is not evaluated."""
    return UNWATCHED


T = TypeVar("T")


def remembered(
    ask: Callable[[str], T], resting: Callable[[], bool], otherwise: T
) -> Callable[[str], T]:
    """``ask`` with a memory: called once for each text, and only while ``resting``.

    While a thread moves the session the answer to what is not known yet is ``otherwise``.
    """
    known: dict[str, T] = {}

    def answer(name: str) -> T:
        if name not in known and resting():
            known[name] = ask(name)
        return known.get(name, otherwise)

    return answer


# Equal only to itself: panes tell by identity whether a View is new; arrays are not compared.
@dataclass(frozen=True, eq=False)
class View:
    """The session at the cursor, and the selection: all that panes draw.

    ``listing`` has the ops of the iteration there, which begins at the event ``begin``; ``before``
    is the selected tensor at the beginning of the selected level, None where it did not exist or
    is beyond the history (``before_lost``). ``at`` is where Jacobians are taken, None for a
    captured run. ``note`` is what the last key has led to. What is known of the past holds for as
    long as ``lineage`` is the same. ``others`` has the losses of the other branches, and
    ``measured`` goes on with what is to be measured in the past.
    """

    run: Run
    listing: Listing
    begin: int
    event: int
    position: Position
    known: int
    tensors: Mapping[str, Array]
    last: Event | None
    losses: Array
    history: Array
    badge: Callable[[str], str]
    level: Granularity
    tensor: str
    pinned: bool
    before: Array | None
    before_lost: bool
    written: int | None
    derivative: Derivative
    of: str
    wrt: str
    at: Primals | None
    marks: tuple[tuple[int, str, str], ...] = ()
    stops: Mapping[int, bool] = field(default_factory=dict)
    watches: tuple[str, ...] = ()
    findings: "Callable[[], Sequence[Diagnosis]]" = tuple
    watched: Callable[[str], Watched] = unwatched
    row: int | None = None
    count: str = ""
    note: str = ""
    busy: str = ""
    mode: str = "LIVE"
    brief: str = "LIVE"
    lineage: object = None
    skipped: frozenset[int] = frozenset()
    other: tuple[str, Array] | None = None
    others: Callable[[], dict[str, Array]] = dict
    measured: "Callable[[Series], Iterator[int]]" = lambda series: iter(())

    @property
    def program(self) -> Program:
        """The compiled program; a GradstepError where the run was captured."""
        if not isinstance(self.run, Program):
            raise GradstepError(CAPTURED)
        return self.run

    @property
    def primals(self) -> Primals:
        """The values that Jacobians are taken at; a GradstepError where the run was captured."""
        if self.at is None:
            raise GradstepError(CAPTURED)
        return self.at

    @property
    def op(self) -> Op | None:
        """The op about to run; None at the end of the run."""
        index = self.position.op
        return self.listing.ops[index] if index < len(self.listing) else None

    @property
    def selected_op(self) -> int | None:
        """The index of the op that the cursor was moved to, else of the one about to run."""
        return self.row if self.row is not None else self.op.index if self.op else None

    @property
    def info(self) -> TensorInfo:
        """What is known of the selected tensor."""
        return self.run.tensors[self.tensor]

    @property
    def array(self) -> Array | None:
        """The selected tensor; None while it has not been computed."""
        return self.tensors.get(self.tensor)

    def with_status(self, **status: str) -> "View":
        """The same view with another count, note or busy text."""
        return replace(self, **status)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Selection:
    """The choices that make a View.

    ``tensor`` None follows what the last op wrote; ``row`` is an op's index, ``compared`` a branch.
    """

    tensor: str | None = None
    level: Granularity = Granularity.OP
    derivative: Derivative = field(default_factory=Derivative)
    row: int | None = None
    compared: str | None = None


def followed(session: Session) -> str:
    """The tensor to show when none is chosen: what the last op wrote, or the input at the start."""
    if session.event == 0:
        return next(iter((*session.run.entering, *session.run.tensors)))
    return session.timeline.op(session.event - 1).name


def before_level(session: Session, name: str, level: Granularity) -> tuple[Array | None, bool]:
    """A tensor at the beginning of the level the cursor is in, and whether that is lost."""
    timeline = session.timeline
    start = timeline.boundary(session.event, level, -1)
    first = timeline.next(start - 1, writes=name)
    while first is not None and first < session.event:
        event = session.event_at(first)
        if event is None:
            return None, True
        if event.before:  # a skipped op writes nothing
            return event.before[event.op.writes.index(name)], False
        first = timeline.next(first, writes=name)
    return session.tensors.get(name), False


def marks_of(debugger: Debugger) -> Iterator[tuple[int, str, str]]:
    """The marks over the timeline, (event, symbol, role): stops at a position, edits, bookmarks."""
    last = debugger.run.timeline.end - 1
    for stop in debugger.stops:
        if stop.kind == StopKind.POSITION and stop.enabled:
            event = debugger.stops.event_of(stop.number)
            if event is not None:
                yield event, "●", "bad"
    for entry in debugger.session.journal:
        yield min(entry.event, last), "✎", "changed"
    for bookmark in debugger.bookmarks.values():
        yield min(bookmark.event, last), "'", "name"


def stops_of(debugger: Debugger, listing: Listing) -> dict[int, bool]:
    """The indices of ops with breakpoints, and whether one of these is enabled."""
    stops = debugger.stops
    found = {op.index: stops.at_op(listing, op.index) for op in listing.ops} if len(stops) else {}
    return {index: any(stop.enabled for stop in these) for index, these in found.items() if these}


def skipped_in(session: Session, listing: Listing, begin: int) -> frozenset[int]:
    """The indices of ops that the journal leaves out in the iteration that begins at ``begin``."""
    journal = session.journal
    if not journal.skips:
        return frozenset()
    ops = listing.ops
    return frozenset(o.index for o in ops if journal.skipped(o.phase, o.name, begin + o.index))


def other_branch(session: Session, name: str | None) -> tuple[str, Array] | None:
    """The branch that the current one is compared with, and its losses (losses,)."""
    if name is None or name not in session.branches or name == session.branch.name:
        return None
    return name, np.array(session.branches.find(name).losses)


def mode_of(session: Session, brief: bool = False) -> str:
    """Whether the values at the cursor are live or from a recording, and the branch."""
    branch = "" if session.branch.name == MAIN else f"⎇ {session.branch.name}"
    if not session.source.recorded:
        return branch or "LIVE"
    status = session.source.status(session.branch, max(0, session.event - 1))
    word = "LIVE" if status == LIVE else "REPLAY" if brief else f"REPLAY {status}"
    return f"{word} {branch}".strip()


def other_losses(session: Session) -> dict[str, Array]:
    """The losses (losses,) of every branch but the current one, by name."""
    return {b.name: np.array(b.losses) for b in session.branches if b is not session.branch}


def snapshot(debugger: Debugger, selection: Selection, badge: Callable[[str], str]) -> View:
    """The View of the debugger's session at the cursor; ``badge`` gives a tensor's by its name."""
    session, run = debugger.session, debugger.run
    name = selection.tensor or followed(session)
    before, lost = before_level(session, name, selection.level)
    # A copy: stepping changes the session's own dictionary, never the arrays in it.
    derivative, tensors, position = selection.derivative, dict(session.tensors), session.position
    listing, begin = session.listing, session.timeline.begin(position.iteration - 1)
    of, wrt, primals = "", "", None
    if isinstance(run, Program):
        of, wrt = pair(run, name, derivative)
        rows = len(tensors["x"])
        sample = None if derivative.sample is None else min(derivative.sample, rows - 1)
        primals = Primals(run, tensors, session.event, session.event_at, sample)
    return View(
        run=run,
        listing=listing,
        begin=begin,
        event=session.event,
        position=position,
        known=session.known,
        tensors=tensors,
        last=session.last_event(),
        losses=session.losses,
        history=session.losses_known,
        badge=badge,
        level=selection.level,
        tensor=name,
        pinned=selection.tensor is not None,
        before=before,
        before_lost=lost,
        written=session.timeline.last(session.event, writes=name),
        derivative=derivative,
        of=of,
        wrt=wrt,
        at=primals,
        marks=tuple(marks_of(debugger)),
        stops=stops_of(debugger, listing),
        watches=tuple(debugger.watches),
        watched=lambda text: (
            debugger.watches.value(session, text),
            debugger.watches.spark(session, text, 24),
        ),
        mode=mode_of(session),
        brief=mode_of(session, brief=True),
        lineage=(session.branch.name, session.journal),
        row=selection.row,
        skipped=skipped_in(session, listing, begin),
        other=other_branch(session, selection.compared),
        others=lambda: other_losses(session),
        measured=lambda series: series.fill(session),
    )
