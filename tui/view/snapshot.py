"""One frozen snapshot of what the screen shows: made by the main screen, read by the panes."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.chain.primals import Primals
from engine.debugger import Debugger
from engine.errors import GradstepError
from engine.lesson.hidden import NOTHING, Hidden
from engine.program.program import CAPTURED, Program
from engine.run.event import Event
from engine.run.kept import Kept
from engine.run.op import Op, TensorInfo
from engine.run.phases import Phase
from engine.run.position import Granularity, Position
from engine.run.run import Run
from engine.run.source import LIVE
from engine.run.timeline import Listing, Which
from engine.session.badges import Badge, badge
from engine.session.branches import MAIN
from engine.session.past import Past
from engine.session.session import Session
from engine.stops.evidence import WatchValue
from engine.stops.stop import BREAKPOINTS, Stop
from tui.view.concealing import UNKNOWN, shown_without
from tui.view.derivative import Derivative, captured_pair, pair
from tui.view.shown_op import ShownOp, done_at, still_to_do
from tui.view.signs import Signs, signs_of

if TYPE_CHECKING:
    from engine.answers.asking import Asked
    from engine.capture.paths import Jacobian
    from engine.chain.query import JacobianView
    from engine.diagnostics.diagnosis import Diagnosis
    from engine.expressions.expression import Expression

Array = NDArray[Any]
Watched = tuple[WatchValue, list[float]]
MADE_ANEW = ("activation", "loss", "mask")  # roles of what every iteration makes again
POINTS = 24  # of the spark of a watch
NO_KEYS: Mapping[str, str] = MappingProxyType({})
WATCHING = 0.02  # seconds that the watches of one View may take together on the screen's thread
SLOW = "the watches above took too long: p {} evaluates it"


@dataclass(eq=False)
class Worked:
    """What a View has found about its derivative; Views that differ in their texts share it.

    ``jacobian`` is the answer of the query, ``captured`` that for a captured run; without one
    ``refused`` says why, in words: an error that is kept would keep all that was about where it was
    raised.
    """

    primals: Primals | None = None
    jacobian: "JacobianView | None" = None
    captured: "Jacobian | None" = None
    refused: str = ""


# Equal only to itself: panes tell by identity whether a View is new; arrays are not compared.
@dataclass(frozen=True, eq=False)
class View:
    """The session at the cursor, and the selection: all that panes draw.

    ``listing`` has the ops of the iteration there, which begins at the event ``begin``; ``before``
    is the selected tensor at the beginning of the selected level, None where it did not exist or
    is beyond the history (``before_lost``). ``note`` is what the last key has led to. What is
    known of the ``past`` holds for as long as ``lineage`` is the same. ``findings`` are the
    doctor's; None where no pane shows them; ``looked`` says how far it is. ``lit`` are elements of
    the tensor to be marked, and ``claimed`` is the last claim of a derivative or tensor, and what
    there is to say to it. ``keys`` are those of the commands, by id: where there is no keyboard,
    none. What most Views are never asked (badges, watches, Jacobians) is worked out where it is
    asked for, from what the View holds, and kept there.
    """

    run: Run
    listing: Listing
    begin: int
    event: int
    position: Position
    known: int
    tensors: Mapping[str, Array]
    past: Past
    last: Event | None
    losses: Array
    history: Array
    level: Granularity
    tensor: str
    pinned: bool
    before: Array | None
    before_lost: bool
    written: int | None
    derivative: Derivative
    signs: Signs = field(default_factory=Signs)
    watches: "Mapping[str, Expression]" = field(default_factory=dict)
    watchpoints: tuple[Stop, ...] = ()
    spent: list[float] = field(default_factory=lambda: [0.0])
    findings: "tuple[Diagnosis, ...] | None" = None
    looked: tuple[str, ...] = ()
    row: int | None = None
    note: str = ""
    busy: str = ""
    mode: str = "LIVE"
    brief: str = "LIVE"
    replayed: bool = False
    lineage: object = None
    other: tuple[str, Array] | None = None
    badges: dict[str, Badge] = field(default_factory=dict)
    evaluated: dict[str, Watched] = field(default_factory=dict)
    worked: Worked = field(default_factory=Worked)
    lit: tuple[tuple[int, ...], ...] = ()
    claimed: "Asked | None" = None
    hidden: frozenset[str] = frozenset()  # tensors whose values a lesson hides
    hidden_by: Hidden = NOTHING
    keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def program(self) -> Program:
        """The compiled program; a GradstepError where the run was captured."""
        if not isinstance(self.run, Program):
            raise GradstepError(CAPTURED)
        return self.run

    @cached_property
    def pair(self) -> tuple[str, str]:
        """The numerator and the denominator of the derivative; empty where there is none."""
        run = self.run
        if isinstance(run, Program):
            return pair(run, self.tensor, self.derivative)
        return captured_pair(run, self.position.iteration - 1, self.tensor, self.derivative)

    @property
    def of(self) -> str:
        """The numerator of the derivative."""
        return self.pair[0]

    @property
    def wrt(self) -> str:
        """The denominator of the derivative."""
        return self.pair[1]

    @property
    def primals(self) -> Primals:
        """The values that Jacobians are taken at; a GradstepError where the run was captured."""
        if self.worked.primals is None:
            self.worked.primals = self._primals()
        return self.worked.primals

    def _primals(self) -> Primals:
        rows, sample = len(self.tensors[self.program.batch_names[0]]), self.derivative.sample
        # The last batch of an epoch may be smaller than the one the sample was chosen in.
        sample = None if sample is None else min(sample, rows - 1)
        return Primals(self.program, self.tensors, self.event, self.past.event_at, sample)

    def begun(self, phase: Phase) -> bool:
        """Whether an op of a phase is past in this iteration."""
        places = self.listing.places(Which(phase=phase))
        return bool(places) and places[0] < self.position.op

    def phase_text(self, phase: Phase) -> str:
        """The name of a phase; a question mark where a lesson hides that it comes."""
        hidden = self.hidden_by.next_op and not self.begun(phase)
        return UNKNOWN if hidden else str(phase)

    @property
    def op(self) -> Op | None:
        """The op about to run; None at the end of the run."""
        index = self.position.op
        return self.listing.ops[index] if index < len(self.listing) else None

    @property
    def selected_op(self) -> int | None:
        """The index of the op that the cursor was moved to, else of the one about to run."""
        return self.row if self.row is not None else self.op.index if self.op else None

    @cached_property
    def shown(self) -> ShownOp | None:
        """The op that is looked at, without what a lesson hides of it."""
        return shown_without(self.looked_at(), self.hidden_by, self.position.op)

    def looked_at(self) -> ShownOp | None:
        """The op that is looked at: the chosen one, else the one that wrote the tensor last."""
        ops = self.listing.ops[self.row : self.row + 1] if self.row is not None else ()
        if self.row is not None and any(self.tensor in op.writes[:1] for op in ops):
            event = self.begin + self.row
            if event >= self.event:
                return still_to_do(self.past, ops[0], event)
            return done_at(self.past, event)
        return None if self.written is None else done_at(self.past, self.written)

    @property
    def info(self) -> TensorInfo:
        """What is known of the selected tensor."""
        return self.run.tensors[self.tensor]

    @property
    def array(self) -> Array | None:
        """The selected tensor; None while it has not been computed."""
        return self.tensors.get(self.tensor)

    @property
    def loss(self) -> float | None:
        """The loss computed last; None before the first."""
        found = None if self.run.loss is None else self.tensors.get(self.run.loss)
        return None if found is None else float(found)

    def kept(self, tensor: str) -> Kept | None:
        """What a recording has of a tensor that it has not kept whole; None of any other."""
        if tensor in self.tensors:
            return None
        return self.run.source.kept(self.event, tensor)

    def badge(self, tensor: str) -> Badge:
        """The badge of the gradient of a tensor that has one; found once."""
        found = self.badges.get(tensor)
        if found is None:
            found = self.badges[tensor] = badge(self.past, tensor)
        return found

    def of_earlier(self, tensor: str) -> int | None:
        """The iteration, from 1, that an activation or a loss is of where that is not this one."""
        if self.run.tensors[tensor].role not in MADE_ANEW or tensor not in self.tensors:
            return None
        places = self.listing.places(Which(writes=tensor))
        if not places or places[0] < self.position.op:
            return None
        timeline = self.run.timeline
        written = timeline.last(self.event, writes=tensor)
        earlier = written is not None and written < self.begin
        return timeline.iteration(written) + 1 if earlier and written is not None else None

    def watched(self, text: str) -> Watched:
        """The value of a watch or of a watchpoint, and its last values; evaluated once."""
        from engine.stops.lookup import compiled
        from engine.stops.watch_values import spark, watch_value  # most sessions have no watch

        found = self.evaluated.get(text)
        if found is None:
            expression = self.watches.get(text) or compiled(text, self.run)
            left = WATCHING - self.spent[0]
            if left <= 0:
                value, past = WatchValue(text, error=SLOW.format(text)), []
            else:
                start = time.perf_counter()
                value = watch_value(self.past, text, expression, left)
                past = [] if value.error else spark(self.past, expression, POINTS, left)
                self.spent[0] += time.perf_counter() - start
            found = self.evaluated[text] = value, past
        return found

    def with_status(self, **status: str) -> "View":
        """The same view with another note or busy text."""
        return replace(self, **status)  # type: ignore[arg-type]


def same_place(one: View | None, other: View | None) -> bool:
    """Whether two Views differ in their texts at most."""
    return one is other or (one is not None and other is not None and one.past is other.past)


@dataclass(frozen=True)
class Selection:
    """The choices that make a View.

    ``tensor`` None follows what the last op wrote; ``row`` is an op's index, ``compared`` a branch.
    ``lit`` are elements of tensors to be marked, each a name and an index; ``claimed`` is a claim
    that has been judged.
    """

    tensor: str | None = None
    level: Granularity = Granularity.OP
    derivative: Derivative = field(default_factory=Derivative)
    row: int | None = None
    compared: str | None = None
    lit: tuple[tuple[str, tuple[int, ...]], ...] = ()
    claimed: "Asked | None" = None


def followed(session: Session) -> str:
    """The tensor to show when none is chosen: what the last op wrote, or the input at the start."""
    if session.event == 0:
        return next(iter((*session.run.entering, *session.run.tensors)))
    for event in range(session.event - 1, -1, -1):  # one that has raised has written nothing
        writes = session.timeline.op(event).writes
        if writes:
            return writes[0]
    return next(iter(session.run.tensors))


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


def other_branch(session: Session, name: str | None) -> tuple[str, Array] | None:
    """The branch that the current one is compared with, and its losses (losses,)."""
    if name is None or name not in session.branches or name == session.branch.name:
        return None
    return name, np.array(session.branches.find(name).losses)


def mode_of(session: Session) -> tuple[str, str, bool]:
    """The mode in words, the same in brief, and whether the last values are from a recording."""
    branch = "" if session.branch.name == MAIN else f"⎇ {session.branch.name}"
    if not session.source.recorded:
        return branch or "LIVE", branch or "LIVE", False
    status = session.source.status(session.branch, max(0, session.event - 1))
    live = status == LIVE
    words = ("LIVE", "LIVE") if live else (f"REPLAY {status}", "REPLAY")
    return f"{words[0]} {branch}".strip(), f"{words[1]} {branch}".strip(), not live


def badges_kept(run: Run, event: int, lineage: object, earlier: View | None) -> dict[str, Badge]:
    """The badges of an earlier View that still hold: those that no op on the way here is about.

    A batch that enters and edits are about more than their ops say: then none is kept.
    """
    if earlier is None or earlier.lineage != lineage or earlier.past.journal.entries:
        return {}
    start, stop = (event, earlier.event) if event < earlier.event else (earlier.event, event)
    if not earlier.begin <= start <= stop < earlier.begin + len(earlier.listing.ops):
        return {}
    written = {name for op in run.timeline.stretch(start, stop) for name in op.writes}
    return {
        name: known
        for name, known in earlier.badges.items()
        if name not in written and run.gradients[name] not in written
    }


def snapshot(
    debugger: Debugger,
    selection: Selection,
    earlier: View | None = None,
    keys: Mapping[str, str] = NO_KEYS,
) -> View:
    """The View of the debugger's session at the cursor; takes from an ``earlier`` what still holds.

    Only what is seen of most steps is computed here.
    """
    session, run = debugger.session, debugger.session.run
    timeline, event, journal = session.timeline, session.event, session.journal
    lineage = (session.branch.name, journal)
    name = selection.tensor or followed(session)
    before, lost = before_level(session, name, selection.level)
    # A copy: stepping changes the session's own dictionary, never the arrays in it.
    tensors, position = dict(session.tensors), timeline.position(event)
    listing, begin = session.listing, timeline.begin(position.iteration - 1)
    mode, brief, replayed = mode_of(session)
    return View(
        run=run,
        listing=listing,
        begin=begin,
        event=event,
        position=position,
        known=session.known,
        tensors=tensors,
        past=Past(run, event, tensors, journal, session.history),
        last=session.last_event(),
        losses=session.losses,
        history=session.losses_known,
        level=selection.level,
        tensor=name,
        pinned=selection.tensor is not None,
        before=before,
        before_lost=lost,
        written=timeline.last(event, writes=name),
        derivative=selection.derivative,
        signs=signs_of(debugger, listing, begin, None if earlier is None else earlier.signs),
        watches=dict(debugger.watches.expressions),
        watchpoints=tuple(stop for stop in debugger.stops if stop.kind not in BREAKPOINTS),
        mode=mode,
        brief=brief,
        replayed=replayed,
        lineage=lineage,
        row=selection.row,
        other=other_branch(session, selection.compared),
        badges=badges_kept(run, event, lineage, earlier),
        lit=tuple(index for lit, index in selection.lit if lit == name),
        claimed=selection.claimed,
        keys=keys,
    )
