"""How stops are written: their targets, conditions and predicates."""

import re
from typing import Any

from engine.debugger import Debugger
from engine.errors import GradstepError
from engine.run.position_text import parse_position
from engine.stops.lookup import compiled
from engine.stops.stop import Stop, StopKind
from engine.stops.tests import breakpoint_places, compile_check
from engine.words.command import Argument

POSITION = re.compile(r"[#'+-].*|\d.*|[ie]\d.*|start|end")
ANY = {
    "nan": StopKind.NAN,
    "inf": StopKind.INF,
    "non-finite": StopKind.NONFINITE,
    "nonfinite": StopKind.NONFINITE,
}
GRADIENT = {"above": StopKind.GRADIENT_ABOVE, "below": StopKind.GRADIENT_BELOW}
SINGLE = {"dead": StopKind.DEAD, "unmoved": StopKind.UNMOVED}

Options = dict[str, Any]


def split_condition(argument: Argument) -> tuple[Argument, Argument | None]:
    """What stands before ``if``, and the condition after it; a CommandError for an empty one."""
    match = re.search(r"(^|\s)if\s", argument.text + " ")
    if match is None:
        return argument, None
    condition = argument.part(match.end())
    if not condition:
        raise argument.error("a condition is missing after `if`", match.start())
    return argument.part(0, match.start()), condition


def target_options(debugger: Debugger, target: Argument) -> Options:
    """A breakpoint's kind and target from an op, layer, phase or position; by default the cursor's.

    ``backward linear2`` is not a form: the error names what is.
    """
    if not target:
        if debugger.session.op is None:
            raise target.error("at the end of the run there is no op to stop before")
        return {"kind": StopKind.OP, "target": debugger.session.op.key}
    # An op first: a layer may be called e1 or start.
    try:
        breakpoint_places(target.text, debugger.run)
    except GradstepError as problem:
        if not POSITION.fullmatch(target.text):
            raise target.error(str(problem)) from problem
    else:
        return {"kind": StopKind.OP, "target": target.text}
    try:
        event = parse_position(target.text, debugger)
    except GradstepError as problem:
        raise target.error(str(problem)) from problem
    return {"kind": StopKind.POSITION, "target": f"#{event}"}


def predicate_options(argument: Argument) -> Options | None:
    """A predicate's kind, bound and tensor; None for what does not begin like one.

    Raises CommandError for one that goes on wrongly.
    """
    words = argument.words()
    texts = [word.text for word in words]
    match texts:
        case ["any", kind, *_] if kind in ANY:
            options: Options = {"kind": ANY[kind]}
            used = 2
        case ["any", _, *_]:
            raise words[1].error("write any nan, any inf or any non-finite")
        case ["gradient", side, _, *_] if side in GRADIENT:
            options = {"kind": GRADIENT[side], "bound": words[2].real("the bound")}
            used = 3
        case ["gradient", *_]:
            raise argument.error("write `gradient above X` or `gradient below X`, X a number")
        case [("dead" | "unmoved") as kind, *_]:
            options, used = {"kind": SINGLE[kind]}, 1
        case _:
            return None
    match texts[used:]:
        case []:
            return options
        case ["in", tensor]:
            return options | {"target": tensor}
    raise words[used].error("only `in TENSOR` may follow here")


def watch_options(argument: Argument) -> Options:
    """What `watch` waits for: a predicate, a crossing, or a change."""
    options = predicate_options(argument)
    if options is not None:
        return options
    crossing = re.search(r"\s+crosses\s+(\S+)$", argument.text)
    if crossing:
        bound = argument.part(crossing.start(1)).real("what is crossed")
        part = argument.part(0, crossing.start())
        return {"kind": StopKind.CROSS, "target": part.text, "bound": bound}
    part = argument.part(0, len(argument.text) - len(" changes"))
    changes = argument.text.endswith(" changes")
    return {"kind": StopKind.CHANGE, "target": part.text if changes else argument.text}


def condition_stop(debugger: Debugger, argument: Argument) -> Stop:
    """What `until` waits for: as `watch`, but a plain expression must become true."""
    if not argument:
        raise argument.error("until what? `until loss < 0.1`, `until any non-finite`")
    options = watch_options(argument)
    if options["kind"] == StopKind.CHANGE and not argument.text.endswith(" changes"):
        options["kind"] = StopKind.WHEN
    return checked(debugger, argument, Stop(0, **options))


def checked(debugger: Debugger, argument: Argument, stop: Stop) -> Stop:
    """The stop, once it is known to compile; otherwise a CommandError at its column."""
    try:
        compile_check(stop, debugger.run)
    except GradstepError as problem:
        raise argument.reading(problem) from problem
    return stop


def condition_text(debugger: Debugger, condition: Argument | None) -> str | None:
    """A condition's text, once it is known to compile; otherwise a CommandError."""
    if condition is None:
        return None
    try:
        compiled(condition.text, debugger.run, True)
    except GradstepError as problem:
        raise condition.reading(problem) from problem
    return condition.text
