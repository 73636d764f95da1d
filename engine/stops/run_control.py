"""Long runs as generators: continue and reverse-continue to exactly the stop that comes next.

Each yields its progress now and then and may be left at any yield: the cursor is then at a whole
event. What it returns in the end is an Outcome.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from engine.expressions.expression import ExpressionError
from engine.run.position_text import format_position
from engine.run.timeline import Listing, Where
from engine.session.progress import Progress
from engine.session.session import Session
from engine.stops import predicates
from engine.stops.evidence import Evidence
from engine.stops.lookup import compiled, lookup
from engine.stops.stop import Stop, StopKind
from engine.stops.stop_list import StopList
from engine.stops.tests import Check, Scene, compile_check, message_text

FIRST_CHUNK = 256  # events looked through at once on the way back, doubled up to the last
LAST_CHUNK = 2**14


@dataclass(frozen=True, slots=True)
class Hit:
    """A stop that was met with the cursor at ``event``.

    Breakpoints have no ``evidence``. ``problem`` says why a condition could not be evaluated, and
    ``log`` is the message to print instead of stopping.
    """

    event: int
    stop: Stop
    place: str
    evidence: Evidence | None = None
    problem: str | None = None
    log: str | None = None

    def __str__(self) -> str:
        stop = self.stop
        name = f"stop {stop.number} ({stop})" if stop.number else stop.aim
        why = f"{self.evidence.beside(name)} · " if self.evidence else ""
        trouble = f" · its condition cannot be evaluated: {self.problem}" if self.problem else ""
        side = "after" if self.evidence or stop.kind in WATCHING else "before"
        return f"{name}: {why}{side} {self.place}{trouble}"


# Met with the cursor behind the event that did it; breakpoints, before the one to come.
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


LongRun = Generator[Progress, None, Outcome]


@dataclass(frozen=True, eq=False)
class AnyOf:
    """The places of several questions together."""

    wheres: tuple[Where, ...]

    def __call__(self, listing: Listing) -> list[int]:
        return sorted({place for where in self.wheres for place in listing.places(where)})


def first_place(listing: Listing) -> tuple[int, ...]:
    """The beginning of an iteration."""
    return (0,) if len(listing) else ()


@dataclass(eq=False)
class Plan:
    """Where at all some stop may be met, so that what lies between is executed without a test."""

    session: Session
    checks: Sequence[Check]
    _due: dict[tuple[Listing, int, Listing | None], list[Check]] = field(default_factory=dict)

    @cached_property
    def tested(self) -> tuple[Check, ...]:
        """The checks with a test: those of watchpoints and predicates."""
        return tuple(check for check in self.checks if check.test is not None)

    @cached_property
    def of_numbers(self) -> bool:
        """Whether nothing else is asked than whether what ops write is finite."""
        return bool(self.checks) and all(
            check.stop.kind in predicates.BAD and not check.begins and check.event is None
            for check in self.checks
        )

    @cached_property
    def wheres(self) -> tuple[tuple[Where, int], ...]:
        """Places of ops, and by how much the cursor stands behind them; those without left out."""
        listings = self.session.timeline.listings
        before = AnyOf(tuple(check.before for check in self.checks))
        after = AnyOf(tuple(check.after for check in self.checks))
        begins = any(check.begins for check in self.checks)
        every: tuple[tuple[Where, int], ...] = ((before, 0), (after, 1))
        every = (*every, (first_place, 0)) if begins else every
        return tuple(pair for pair in every if any(each.places(pair[0]) for each in listings))

    @cached_property
    def singles(self) -> list[int]:
        """Events outside this pattern: stops at one event, and edits."""
        edits = self.session.journal.edits if self.tested else ()
        return sorted({*(c.event for c in self.checks if c.event is not None), *edits})

    def next(self, event: int) -> int:
        """The first event after ``event`` at which a stop may be met, or the end of the run."""
        timeline = self.session.timeline
        found = timeline.end
        if self.of_numbers:  # what a recording has of every value tells where to look
            event = max(event, min(self.session.source.suspect(event), timeline.end - 1))
        for where, behind in self.wheres:
            place = timeline.next_place(event - behind, where)
            if place is not None and place + behind < found:
                found = place + behind
        if not self.singles:
            return found
        i = bisect_right(self.singles, event)
        return min(found, self.singles[i]) if i < len(self.singles) else found

    def previous(self, event: int) -> int | None:
        """The last event before ``event`` at which a stop may be met; None where there is none."""
        timeline, found = self.session.timeline, -1
        for where, behind in self.wheres:
            place = timeline.last_place(event - behind, where)
            found = found if place is None else max(found, place + behind)
        i = bisect_left(self.singles, event)
        found = max(found, self.singles[i - 1]) if i else found
        return found if found >= 0 else None

    def due(self, event: int) -> list[Check]:
        """The stops that may be met with the cursor at an event because of the ops there."""
        timeline = self.session.timeline
        iteration = timeline.iteration(event)
        here, place = timeline.listing(iteration), event - timeline.begin(iteration)
        last = timeline.listing(iteration - 1) if place == 0 < iteration else here
        key = here, place, last if event else None
        found = self._due.get(key)
        if found is None:
            behind = place - 1 if last is here and place else len(last) - 1 if event else -1
            found = self._due[key] = [
                check
                for check in self.checks
                if check.stands_before(here, place)
                or behind in last.places(check.after)
                or (check.begins and place == 0)
            ]
        return found

    def hits(self) -> list[Hit]:
        """The stops that are met at the cursor."""
        session = self.session
        event = session.event
        checks = self.due(event)
        if event in self.singles:
            more = [c for c in self.checks if c.event == event or c.test is not None]
            checks = [*checks, *(check for check in more if check not in checks)]
        if not checks:
            return []
        scene = Scene(session)
        return [hit for check in checks if (hit := met(check, scene)) is not None]


def met(check: Check, scene: Scene) -> Hit | None:
    """Whether a stop is met at the cursor."""
    session, stop = scene.session, check.stop
    event, timeline = session.event, session.timeline
    if event == 0 and check.test is not None:
        return None
    evidence, problem = None, None
    try:
        if check.test is not None and (evidence := check.test(scene)) is None:
            return None
        if check.condition is not None and not check.condition.holds(scene.now):
            return None
    except ExpressionError as error:  # it stops and says so: to run on would hide the mistake
        problem = error.message
    place = event if check.test is None else event - 1
    text = message_text(check.message, scene.now) if check.message or stop.log == "" else None
    where = f"#{place} {format_position(session.run, place)}"
    source = timeline.op(place).source if 0 <= place < timeline.end else ""
    where += f" at {source}" if source else ""
    iteration = timeline.iteration(event)
    begins = event < timeline.end and event == timeline.begin(iteration)
    if evidence is not None and begins and evidence.tensor in session.run.entering:
        where = f"the batch of iteration {iteration + 1} came"  # no op has written it
    return Hit(event, stop, where, evidence, problem, text)


def run_forwards(
    session: Session,
    checks: Sequence[Check],
    stops: StopList | None = None,
    limit: int | None = None,
) -> LongRun:
    """Run to the first place after the cursor that meets a stop, or to ``limit``.

    Hits are counted in ``stops``, where the checks come from there.
    """
    plan, end = Plan(session, checks), session.timeline.end
    limit = end if limit is None else min(limit, end)
    since, logs = session.event, list[str]()
    while session.event < limit:
        place = plan.next(session.event)
        goal = place if place < limit else limit
        if goal - session.event > session.chunk:
            yield from travel(session, goal, logs, bool(plan.tested))
        session.forward(goal)
        if place <= limit:
            stopping = passed(stops, plan.hits(), logs)
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
    session: Session, place: int, logs: list[str], watching: bool
) -> Generator[Progress, None, None]:
    """Go near to a place further on; the last op must be executed to know what it changed."""
    # A leap onto a keyframe leaves the window empty, and a test needs the last event in it.
    for _ in session.travel(place - 1 if watching else place):
        yield progress(session, logs)


def run_backwards(
    session: Session, checks: Sequence[Check], stops: StopList | None = None
) -> LongRun:
    """Run back to the last place before the cursor that meets a stop, or to the beginning.

    The past is looked through piece by piece, the latest first: each is executed forwards.
    """
    plan = Plan(session, checks)
    if not any(check.needs_state for check in checks):
        return (yield from run_back_over(session, plan, stops))
    end, size = session.event - 1, FIRST_CHUNK
    logs: list[str] = []
    while end >= 0 and (plan.wheres or plan.singles):
        start = beginning(session, end, size)
        found: list[Hit] = []
        session.goto(start)
        if start == 0:
            found += plan.hits()
        while session.event < end:
            place = plan.next(session.event)
            goal = min(place, end)
            if goal - session.event > session.chunk:
                yield from travel(session, goal, logs, bool(plan.tested))
            session.forward(goal)
            if place <= end:
                found += plan.hits()
        # Found on the way forwards, counted and asked from the latest on: as if one walked back.
        for event in sorted({hit.event for hit in found}, reverse=True):
            stopping = passed(stops, [hit for hit in found if hit.event == event], logs)
            if stopping:
                session.goto(event)
                if logs:
                    yield progress(session, logs)
                return Outcome(event, tuple(stopping))
        end, size = start if start else -1, min(2 * size, LAST_CHUNK)
        yield progress(session, logs)
    session.goto(0)
    return Outcome(0)


def run_back_over(session: Session, plan: Plan, stops: StopList | None) -> LongRun:
    """Run back where all stops are breakpoints without conditions: no tensor has a say."""
    logs: list[str] = []
    while (place := plan.previous(session.event)) is not None:
        for _ in session.travel(place):
            yield progress(session, logs)
        stopping = passed(stops, plan.hits(), logs)
        if stopping:
            return Outcome(place, tuple(stopping))
    session.goto(0)
    return Outcome(0)


def beginning(session: Session, end: int, size: int) -> int:
    """Where a piece of the past that ends at ``end`` begins: where it is cheap to go."""
    # Inside the window going back is free. Beyond it, execution starts at a keyframe in any case: a
    # piece that begins with one wastes nothing.
    start = max(0, end - size)
    if session.history.first < end:
        return max(start, session.history.first)
    keyframe = session.keyframe(start, after=0)
    if keyframe is None:
        return 0
    return session.timeline.begin(keyframe.iteration + (not keyframe.whole))


def passed(stops: StopList | None, hits: Iterable[Hit], logs: list[str]) -> list[Hit]:
    """Those of the hits at one place that do stop; the others are counted, or logged."""
    stopping = []
    for hit in hits:
        listed = stops if hit.stop.number else None
        stop = hit.stop if listed is None else listed.find(hit.stop.number)
        ignored = stop.ignore > 0
        if listed is not None:
            listed.count(stop.number, 1, int(ignored))
        if ignored:
            continue
        if hit.log is not None:
            logs.append(hit.log)
            continue
        if stop.once and listed is not None:
            listed.delete(stop.number)
        stopping.append(replace(hit, stop=replace(stop, hits=stop.hits + 1)))
    return stopping


def progress(session: Session, logs: list[str]) -> Progress:
    """A report of where the run is; takes over what was logged."""
    taken = tuple(logs)
    logs.clear()
    return Progress(session.event, session.loss, taken)


def continue_(session: Session, stops: StopList) -> LongRun:
    """To the next place that meets one of the stops, or to the end."""
    return run_forwards(session, stops.checks(), stops)


def reverse_continue(session: Session, stops: StopList) -> LongRun:
    """To the previous place that meets one of the stops, or to the beginning."""
    return run_backwards(session, stops.checks(), stops)


def until(session: Session, stop: Stop, backwards: bool = False) -> LongRun:
    """To where a stop that is not in the list is met; the listed stops are passed by.

    A condition that holds already keeps the cursor where it is.
    """
    check = compile_check(stop, session.run)
    if stop.kind == StopKind.WHEN and not backwards:
        held = holds_here(session, stop.target)
        if held:
            place = f"#{session.event} {format_position(session.run, session.event)}"
            found = Evidence(stop.target, (), None, 1.0, "holds here", is_condition=True)
            hit = Hit(session.event, stop, place, found)
            return finished(Outcome(session.event, (hit,)))
    return run_backwards(session, [check]) if backwards else run_forwards(session, [check])


def holds_here(session: Session, condition: str) -> bool:
    """Whether a condition holds at the cursor; False where it cannot be evaluated."""
    try:
        return compiled(condition, session.run, True).holds(lookup(session))
    except ExpressionError:
        return False


def finished(outcome: Outcome) -> LongRun:
    """A run that is over before it began."""
    yield from ()
    return outcome


def next_change(session: Session, expression: str, backwards: bool = False) -> LongRun:
    """To the next, or previous, place right after a change of a tensor, element or expression."""
    return until(session, Stop(0, StopKind.CHANGE, expression), backwards)


def conclude(run: LongRun) -> tuple[Outcome, tuple[str, ...]]:
    """Run a LongRun to its end: its Outcome, and everything that was logged on the way."""
    logs: list[str] = []
    while True:
        try:
            logs += next(run).logs
        except StopIteration as stop:
            return stop.value, tuple(logs)
