"""Long runs as generators: continue and reverse-continue to exactly the stop that comes next.

Each yields its progress now and then and may be left at any yield: the cursor is then at a whole
event. What it returns in the end is an Outcome.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from engine.expressions.expression import ExpressionError
from engine.run.position_text import format_position
from engine.session.progress import Progress
from engine.stops.evidence import Evidence
from engine.stops.lookup import compiled, look
from engine.stops.stop import Stop, StopKind
from engine.stops.tests import Check, Scene, compile_check, message_text

if TYPE_CHECKING:
    from engine.session.session import Session

FIRST_CHUNK = 256  # events looked through at once on the way back, doubled up to the last
LAST_CHUNK = 2**14


@dataclass(frozen=True, slots=True)
class Hit:
    """A stop that was met with the cursor at ``event``; ``evidence`` is missing for breakpoints."""

    event: int
    stop: Stop
    place: str
    evidence: Evidence | None = None
    problem: str | None = None
    log: str | None = None

    def __str__(self) -> str:
        what = str(self.stop)
        name = f"stop {self.stop.number} ({what})" if self.stop.number else what.partition(" ")[2]
        why = f"{self.evidence.beside(name)} · " if self.evidence else ""
        trouble = f" · its condition cannot be evaluated: {self.problem}" if self.problem else ""
        side = "after" if self.evidence or self.stop.kind in WATCHING else "before"
        return f"{name}: {why}{side} {self.place}{trouble}"


WATCHING = frozenset(StopKind) - {StopKind.OP, StopKind.POSITION}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended: at stops, or without any at ``event``."""

    event: int
    hits: tuple[Hit, ...] = ()

    @property
    def stopped(self) -> bool:
        """Whether a stop ended it."""
        return bool(self.hits)


Run = Generator[Progress, None, Outcome]


@dataclass(eq=False)
class Plan:
    """Where at all some stop may be met, so that everything between is run through."""

    session: "Session"
    checks: Sequence[Check]

    @cached_property
    def tested(self) -> tuple[Check, ...]:
        """Those that look at what changed."""
        return tuple(check for check in self.checks if check.test is not None)

    @cached_property
    def by_offset(self) -> dict[int, list[Check]]:
        """The stops by the op that the cursor stands before."""
        ops = len(self.session.program.ops)
        found: dict[int, list[Check]] = {}
        for check in self.checks:
            offsets = {*check.before, *((index + 1) % ops for index in check.after)}
            for offset in offsets | ({0} if check.begins else set()):
                found.setdefault(offset, []).append(check)
        return found

    @cached_property
    def offsets(self) -> list[int]:
        """The keys of ``by_offset`` in order."""
        return sorted(self.by_offset)

    @cached_property
    def singles(self) -> list[int]:
        """Events outside this pattern: stops at one event, and edits."""
        edits = self.session.journal.edits if self.tested else ()
        return sorted({*(c.event for c in self.checks if c.event is not None), *edits})

    def next(self, event: int) -> int:
        """The first place after ``event`` that must be looked at; the end of the run at last."""
        ops, end = len(self.session.program.ops), self.session.program.events
        found = end
        if self.offsets:
            whole, rest = divmod(event, ops)
            i = bisect_right(self.offsets, rest)
            found = whole * ops + (
                self.offsets[i] if i < len(self.offsets) else ops + self.offsets[0]
            )
        i = bisect_right(self.singles, event)
        if i < len(self.singles):
            found = min(found, self.singles[i])
        return min(found, end)

    def previous(self, event: int) -> int | None:
        """The last place before ``event`` that must be looked at."""
        ops, found = len(self.session.program.ops), -1
        if self.offsets:
            whole, rest = divmod(event, ops)
            i = bisect_left(self.offsets, rest)
            found = whole * ops + (self.offsets[i - 1] if i else self.offsets[-1] - ops)
        i = bisect_left(self.singles, event)
        found = max(found, self.singles[i - 1]) if i else found
        return found if found >= 0 else None

    def hits(self) -> list[Hit]:
        """The stops that are met at the cursor."""
        session = self.session
        event, ops = session.event, len(session.program.ops)
        checks = self.by_offset.get(event % ops, [])
        if event in self.singles:
            more = [c for c in self.checks if c.event == event or c.test is not None]
            checks = [*checks, *(check for check in more if check not in checks)]
        scene = Scene(session)
        found = (met(check, scene) for check in checks)
        return [hit for hit in found if hit is not None]


def met(check: Check, scene: Scene) -> Hit | None:
    """Whether a stop is met at the cursor."""
    session, stop = scene.session, check.stop
    event, program = session.event, session.program
    ops = len(program.ops)
    if check.test is None:
        here = event < program.events and (event == check.event or event % ops in check.before)
        if not here:
            return None
    elif event == 0:
        return None
    evidence, problem = None, None
    try:
        if check.test is not None and (evidence := check.test(scene)) is None:
            return None
        if check.condition is not None and not check.condition.holds(scene.now):
            return None
    except ExpressionError as error:
        problem = error.message
    place = event if check.test is None else event - 1
    text = message_text(check.message, scene.now) if check.message or stop.log == "" else None
    where = f"#{place} {format_position(program, place)}"
    if evidence is not None and event % ops == 0 and evidence.tensor in program.entering:
        where = f"the batch of iteration {event // ops + 1} came"  # no op has written it
    return Hit(event, stop, where, evidence, problem, text)


def run_forwards(session: "Session", checks: Sequence[Check], limit: int | None = None) -> Run:
    """Run to the first place after the cursor that meets a stop, or to ``limit``."""
    plan = Plan(session, checks)
    limit = session.program.events if limit is None else min(limit, session.program.events)
    since, logs = session.event, list[str]()
    while session.event < limit:
        place = plan.next(session.event)
        yield from travel(session, min(place, limit), logs, bool(plan.tested))
        if place <= limit:
            stopping = passed(session, plan.hits(), logs)
            if stopping:
                if logs:
                    yield progress(session, logs)
                return Outcome(session.event, tuple(stopping))
        if session.event - since >= session.chunk:
            since = session.event
            yield progress(session, logs)
    yield progress(session, logs)
    return Outcome(session.event)


def travel(
    session: "Session", place: int, logs: list[str], watching: bool
) -> Generator[Progress, None, None]:
    """Go to a place further on; the last op is executed, so that what it changed is known."""
    if place - session.event > session.chunk:
        for _ in session.travel(place - 1 if watching else place):
            yield progress(session, logs)
    session.forward(place)


def run_backwards(session: "Session", checks: Sequence[Check]) -> Run:
    """Run back to the last place before the cursor that meets a stop, or to the beginning.

    The past is looked through piece by piece, the latest first: each is executed forwards.
    """
    plan = Plan(session, checks)
    if not any(check.needs_state for check in checks):
        return (yield from run_back_over(session, plan))
    end, size = session.event - 1, FIRST_CHUNK
    logs: list[str] = []
    while end >= 0 and (plan.offsets or plan.singles):
        start = beginning(session, end, size)
        found: list[Hit] = []
        session.goto(start)
        if start == 0:
            found += plan.hits()
        while session.event < end:
            place = plan.next(session.event)
            yield from travel(session, min(place, end), logs, bool(plan.tested))
            if place <= end:
                found += plan.hits()
        for event in sorted({hit.event for hit in found}, reverse=True):
            stopping = passed(session, [hit for hit in found if hit.event == event], logs)
            if stopping:
                session.goto(event)
                if logs:
                    yield progress(session, logs)
                return Outcome(event, tuple(stopping))
        end, size = start if start else -1, min(2 * size, LAST_CHUNK)
        yield progress(session, logs)
    session.goto(0)
    return Outcome(0)


def run_back_over(session: "Session", plan: Plan) -> Run:
    """Go back to the last place of breakpoints without conditions: nothing needs a look."""
    logs: list[str] = []
    while (place := plan.previous(session.event)) is not None:
        for _ in session.travel(place):
            yield progress(session, logs)
        stopping = passed(session, plan.hits(), logs)
        if stopping:
            return Outcome(place, tuple(stopping))
    session.goto(0)
    return Outcome(0)


def beginning(session: "Session", end: int, size: int) -> int:
    """Where a piece of the past that ends at ``end`` begins: where it is cheap to go."""
    start = max(0, end - size)
    if session.history.first < end:
        return max(start, session.history.first)
    keyframe = session.keyframe(start, after=0)
    if keyframe is None:
        return 0
    return (keyframe.iteration + (not keyframe.whole)) * len(session.program.ops)


def passed(session: "Session", hits: Iterable[Hit], logs: list[str]) -> list[Hit]:
    """Those of the hits at one place that do stop; the others are counted, or logged."""
    stopping = []
    for hit in hits:
        stop = session.stops.find(hit.stop.number) if hit.stop.number else hit.stop
        ignored = stop.ignore > 0
        if stop.number:
            session.stops.count(stop.number, 1, int(ignored))
        if ignored:
            continue
        if hit.log is not None:
            logs.append(hit.log)
            continue
        if stop.once and stop.number:
            session.stops.delete(stop.number)
        stopping.append(replace(hit, stop=replace(stop, hits=stop.hits + 1)))
    return stopping


def progress(session: "Session", logs: list[str]) -> Progress:
    """A report of where the run is; takes over what was logged."""
    taken = tuple(logs)
    logs.clear()
    return Progress(session.event, session.loss, taken)


def continue_(session: "Session") -> Run:
    """To the next place that meets a stop of the session, or to the end."""
    return run_forwards(session, session.stops.checks())


def reverse_continue(session: "Session") -> Run:
    """To the previous place that meets a stop of the session, or to the beginning."""
    return run_backwards(session, session.stops.checks())


def until(session: "Session", stop: Stop, backwards: bool = False) -> Run:
    """To where a stop that is not in the list is met; the listed stops are passed by.

    A condition that holds already keeps the cursor where it is.
    """
    check = compile_check(stop, session.program)
    if stop.kind == StopKind.WHEN and not backwards:
        held = holds_here(session, stop.target)
        if held:
            place = f"#{session.event} {format_position(session.program, session.event)}"
            found = Evidence(stop.target, (), None, 1.0, "holds here", is_condition=True)
            hit = Hit(session.event, stop, place, found)
            return finished(Outcome(session.event, (hit,)))
    return run_backwards(session, [check]) if backwards else run_forwards(session, [check])


def holds_here(session: "Session", condition: str) -> bool:
    """Whether a condition holds at the cursor."""
    try:
        return compiled(condition, session.program).holds(look(session))
    except ExpressionError:
        return False


def finished(outcome: Outcome) -> Run:
    """A run that is over before it began."""
    yield from ()
    return outcome


def next_change(session: "Session", expression: str, backwards: bool = False) -> Run:
    """To the next, or previous, place right after a change of a tensor, element or expression."""
    return until(session, Stop(0, StopKind.CHANGE, expression), backwards)


def conclude(run: Run) -> tuple[Outcome, tuple[str, ...]]:
    """Let a run go on to its end: what came of it, and everything that was logged."""
    logs: list[str] = []
    while True:
        try:
            logs += next(run).logs
        except StopIteration as stop:
            return stop.value, tuple(logs)
