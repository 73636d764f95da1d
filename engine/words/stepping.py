"""Commands that move the cursor."""

from engine.debugger import Debugger
from engine.errors import GradstepError
from engine.run.position import Granularity
from engine.run.position_text import find_ops, parse_position
from engine.run.timeline import every_op, every_phase
from engine.stops.run_control import continue_, next_change, reverse_continue, until
from engine.words.command import Argument, Command, Handler, Long, Reply, nothing
from engine.words.report import arrived, concluded, travelled
from engine.words.stop_words import condition_stop


def times(argument: Argument, count: int) -> int:
    """How often: the number behind the word, ``s 3``, or else the one before it, ``3s``."""
    return argument.number("the count") if argument else count


def stepping(granularity: Granularity, direction: int) -> Handler:
    """The command that makes steps of a size, forwards (1) or backwards (−1), ``count`` of them."""

    def run(debugger: Debugger, argument: Argument, count: int) -> Long:
        steps = direction * times(argument, count)
        target = debugger.session.timeline.boundary(debugger.event, granularity, steps)
        return travelled(debugger, target, jump=False)

    return run


def run_continue(debugger: Debugger, argument: Argument, count: int) -> Long:
    """Continue as often as the count says."""
    return repeated(debugger, times(argument, count), backwards=False)


def run_reverse(debugger: Debugger, argument: Argument, count: int) -> Long:
    """Continue backwards as often as the count says."""
    return repeated(debugger, times(argument, count), backwards=True)


def repeated(debugger: Debugger, count: int, backwards: bool) -> Long:
    """Continue ``count`` times, or until nothing stops it; the reply is that of the last."""
    reply, session, stops = Reply(), debugger.session, debugger.stops
    for _ in range(max(1, count)):
        run = reverse_continue(session, stops) if backwards else continue_(session, stops)
        reply = yield from concluded(debugger, run, backwards)
        if not reply.data["hits"]:
            break
    return reply


def run_until(debugger: Debugger, argument: Argument, count: int) -> Long:
    """Run to where a condition becomes true."""
    return concluded(debugger, until(debugger.session, condition_stop(debugger, argument)))


def run_back_until(debugger: Debugger, argument: Argument, count: int) -> Long:
    """Run back to where a condition became true."""
    stop = condition_stop(debugger, argument)
    return concluded(debugger, until(debugger.session, stop, backwards=True), backwards=True)


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
    return concluded(debugger, run, backwards)


def run_goto(debugger: Debugger, argument: Argument, count: int) -> Long:
    """Go to a position."""
    if not argument:
        raise argument.error("where to? #41, i3, i3:backward:linear2, e2, 50%, +5, end, 'name")
    try:
        return travelled(debugger, parse_position(argument.text, debugger))
    except GradstepError as problem:
        raise argument.reading(problem) from problem


def run_to(debugger: Debugger, argument: Argument, count: int) -> Long:
    """Run to the next occurrence of an op, ``backward:linear2`` or ``backward``."""
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
    return travelled(debugger, found)


def run_back(debugger: Debugger, argument: Argument, count: int) -> Reply:
    """Return to the place before the last jump."""
    nothing(argument)
    place = debugger.jumps.back(debugger.event)
    if place is None:
        raise argument.error("there is no place before this one")
    debugger.session.goto(place)
    return arrived(debugger)


def run_ahead(debugger: Debugger, argument: Argument, count: int) -> Reply:
    """Return to the place that ``back`` left."""
    nothing(argument)
    place = debugger.jumps.forward()
    if place is None:
        raise argument.error("there is no place after this one")
    debugger.session.goto(place)
    return arrived(debugger)


OP, PHASE = Granularity.OP, Granularity.PHASE
ITERATION, EPOCH = Granularity.ITERATION, Granularity.EPOCH
STEPPING = (
    Command(("s", "step"), "[COUNT]", "one op forwards", stepping(OP, 1), counted=True),
    Command(("rs", "rstep"), "[COUNT]", "one op backwards", stepping(OP, -1), counted=True),
    Command(("n", "next"), "[COUNT]", "to the next phase", stepping(PHASE, 1), counted=True),
    Command(("rn", "rnext"), "[COUNT]", "to the phase before", stepping(PHASE, -1), counted=True),
    Command(
        ("f", "finish"), "[COUNT]", "to the next iteration", stepping(ITERATION, 1), counted=True
    ),
    Command(
        ("rf", "rfinish"),
        "[COUNT]",
        "to the beginning of the iteration, then to the one before",
        stepping(ITERATION, -1),
        counted=True,
    ),
    Command(("e", "epoch"), "[COUNT]", "to the next epoch", stepping(EPOCH, 1), counted=True),
    Command(("re", "repoch"), "[COUNT]", "to the epoch before", stepping(EPOCH, -1), counted=True),
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
    Command(("g", "goto"), "POSITION", "to a position, both ways", run_goto, "position"),
    Command(("t", "to"), "OP", "run to an op: backward, backward:linear2", run_to, "target"),
    Command(("back",), "", "to the place before the last jump", run_back),
    Command(("ahead",), "", "undo back", run_ahead),
)
