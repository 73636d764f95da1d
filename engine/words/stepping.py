"""Commands that move the cursor."""

from engine.debugger import Debugger
from engine.errors import GradstepError
from engine.run.position import Granularity
from engine.run.position_text import find_ops, parse_position
from engine.run.timeline import every_op, every_phase
from engine.stops.run_control import continue_, next_change, reverse_continue, until
from engine.words.command import Argument, Command, Leads, Long, Reply, nothing
from engine.words.report import arrived, concluded, returning, travelled
from engine.words.stop_words import condition_stop


def times(argument: Argument, count: int) -> int:
    """How often: the number behind the word, ``s 3``, or else the one before it, ``3s``.

    Below zero it is the other way.
    """
    return argument.count() if argument else count


def steps(granularity: Granularity, direction: int) -> Leads:
    """Where steps of a size lead, forwards (1) or backwards (−1), as many as the count says."""

    def leads(debugger: Debugger, argument: Argument, count: int) -> int:
        session, often = debugger.session, times(argument, count)
        return session.timeline.boundary(session.event, granularity, direction * often)

    return leads


def step(names: tuple[str, ...], summary: str, granularity: Granularity, direction: int) -> Command:
    """A command that makes steps of a size, forwards (1) or backwards (−1)."""
    leads = steps(granularity, direction)

    def run(debugger: Debugger, argument: Argument, count: int) -> Long:
        return travelled(debugger, leads(debugger, argument, count), jump=False)

    return Command(names, "[COUNT]", summary, run, counted=True, leads=leads)


def jump(names: tuple[str, ...], form: str, summary: str, leads: Leads, kind: str = "") -> Command:
    """A command that goes to a place, and remembers where it came from."""

    def run(debugger: Debugger, argument: Argument, count: int) -> Long:
        return travelled(debugger, leads(debugger, argument, count))

    return Command(names, form, summary, run, kind, leads=leads)


def run_continue(debugger: Debugger, argument: Argument, count: int) -> Long:
    """Continue as often as the count says."""
    return repeated(debugger, times(argument, count), backwards=False)


def run_reverse(debugger: Debugger, argument: Argument, count: int) -> Long:
    """Continue backwards as often as the count says."""
    return returning(debugger, repeated(debugger, times(argument, count), backwards=True))


def repeated(debugger: Debugger, count: int, backwards: bool) -> Long:
    """Continue ``count`` times, the other way below zero, or until nothing stops it.

    The reply is that of the last.
    """
    reply, session, stops = Reply(), debugger.session, debugger.stops
    backwards = backwards != (count < 0)
    for _ in range(max(1, abs(count))):
        run = reverse_continue(session, stops) if backwards else continue_(session, stops)
        reply = yield from concluded(debugger, run, backwards)
        if not reply.facts["hits"]:
            break
    return reply


def run_until(debugger: Debugger, argument: Argument, count: int) -> Long:
    """Run to where a condition becomes true."""
    stop = condition_stop(debugger, argument)
    return returning(debugger, concluded(debugger, until(debugger.session, stop)))


def run_back_until(debugger: Debugger, argument: Argument, count: int) -> Long:
    """Run back to where a condition became true."""
    stop = condition_stop(debugger, argument)
    search = until(debugger.session, stop, backwards=True)
    return returning(debugger, concluded(debugger, search, backwards=True))


def run_change(debugger: Debugger, argument: Argument, count: int) -> Long:
    """Run to the next change of an expression."""
    return changing(debugger, argument, backwards=False)


def run_back_change(debugger: Debugger, argument: Argument, count: int) -> Long:
    """Run back to the previous change of an expression."""
    return changing(debugger, argument, backwards=True)


def changing(debugger: Debugger, argument: Argument, backwards: bool) -> Long:
    """Run to the place right after a change; raises CommandError for no expression."""
    if not argument:
        raise argument.error("which tensor, element or expression?")
    try:
        run = next_change(debugger.session, argument.text, backwards)
    except GradstepError as problem:
        raise argument.reading(problem) from problem
    return returning(debugger, concluded(debugger, run, backwards))


def to_position(debugger: Debugger, argument: Argument, count: int) -> int:
    """The event of a position."""
    if not argument:
        raise argument.error("where to? #41, i3, i3:backward:linear2, e2, 50%, +5, end, 'name")
    return parse_position(argument.text, debugger)


def to_last(debugger: Debugger, argument: Argument, count: int) -> int:
    """The furthest event reached so far."""
    nothing(argument)
    return debugger.session.known


def to_op(debugger: Debugger, argument: Argument, count: int) -> int:
    """The next event of an op, ``backward:linear2`` or ``backward``."""
    timeline = debugger.run.timeline
    phase, _, name = argument.text.partition(":")
    ops = find_ops(debugger.run, debugger.session.listing, phase, name or None)
    if not ops:
        ops = [op for op in every_op(timeline) if argument.text in (op.name, op.layer)]
    places = [timeline.next(debugger.event, op=op.key) for op in ops]
    found = min((place for place in places if place is not None), default=None)
    if not ops:
        phases = ", ".join(every_phase(timeline))
        raise argument.error(f"no op called {argument.text!r}: a phase ({phases}), layer or op")
    if found is None:
        raise argument.error(f"{argument.text} does not come again before the end of the run")
    return found


def to_left(debugger: Debugger, argument: Argument, count: int) -> int:
    """The place before the last jump."""
    nothing(argument)
    place = debugger.jumps.behind(debugger.event)
    if place is None:
        raise argument.error("there is no place before this one")
    return place


def run_back(debugger: Debugger, argument: Argument, count: int) -> Reply | Long:
    """Return to the place before the last jump; before the first one of an evaluation, leave it."""
    if debugger.outer is not None and debugger.jumps.behind(debugger.event) is None:
        nothing(argument)
        return arrived(debugger.outer, opened=debugger.outer)
    place = to_left(debugger, argument, count)
    debugger.jumps.back(debugger.event)
    return travelled(debugger, place, jump=False)


def to_returned(debugger: Debugger, argument: Argument, count: int) -> int:
    """The place that ``back`` left."""
    nothing(argument)
    place = debugger.jumps.ahead
    if place is None:
        raise argument.error("there is no place after this one")
    return place


def run_ahead(debugger: Debugger, argument: Argument, count: int) -> Long:
    """Return to the place that ``back`` left."""
    place = to_returned(debugger, argument, count)
    debugger.jumps.forward()
    return travelled(debugger, place, jump=False)


OP, PHASE = Granularity.OP, Granularity.PHASE
ITERATION, EPOCH = Granularity.ITERATION, Granularity.EPOCH
STEPPING = (
    step(("s", "step"), "one op forwards", OP, 1),
    step(("rs", "rstep"), "one op backwards", OP, -1),
    step(("n", "next"), "to the next phase", PHASE, 1),
    step(("rn", "rnext"), "to the phase before", PHASE, -1),
    step(("f", "finish"), "to the next iteration", ITERATION, 1),
    step(
        ("rf", "rfinish"),
        "to the beginning of the iteration, then to the one before",
        ITERATION,
        -1,
    ),
    step(("e", "epoch"), "to the next epoch", EPOCH, 1),
    step(("re", "repoch"), "to the epoch before", EPOCH, -1),
    Command(("c", "continue"), "", "to the next stop", run_continue, counted=True),
    Command(("rc", "reverse-continue"), "", "back to the previous stop", run_reverse, counted=True),
    Command(
        ("until",),
        "CONDITION | any nan | any inf | any non-finite | gradient above X | dead | unmoved",
        "run to where this becomes true, past all stops: `until any non-finite`",
        run_until,
        "condition",
    ),
    Command(
        ("runtil",), "as until", "run back to where this became true", run_back_until, "condition"
    ),
    Command(("nc", "next-change"), "EXPRESSION", "to its next change", run_change, "expression"),
    Command(
        ("pc", "previous-change"),
        "EXPRESSION",
        "back to its previous change",
        run_back_change,
        "expression",
    ),
    jump(("g", "goto"), "POSITION", "to a position, both ways", to_position, "position"),
    jump(("last",), "", "to the last known event", to_last),
    jump(("t", "to"), "OP", "run to an op: backward, backward:linear2", to_op, "target"),
    Command(("back",), "", "to the place before the last jump", run_back, leads=to_left),
    Command(("ahead",), "", "undo back", run_ahead, leads=to_returned),
)
