"""Commands that set, list and change stops."""

from typing import Any

from engine.debugger import Debugger
from engine.errors import GradstepError
from engine.stops.stop import Stop, StopKind, stop_to_dict
from engine.words.command import Argument, Command, Reply
from engine.words.stop_words import (
    checked,
    condition_text,
    split_condition,
    target_options,
    watch_options,
)


def run_break(debugger: Debugger, argument: Argument, count: int) -> Reply:
    """Set a breakpoint."""
    return breaking(debugger, argument)


def run_toggle(debugger: Debugger, argument: Argument, count: int) -> Reply:
    """Remove the breakpoints of exactly this op, or set one; by default of the op about to run."""
    options = target_options(debugger, argument)
    same = (options["kind"], options["target"])
    found = [stop.number for stop in debugger.stops if (stop.kind, stop.target) == same]
    reply = removed(debugger, found) if found else added(debugger, argument, options, None)
    return Reply(reply.said, {**reply.facts, "deleted": bool(found)})


def run_tbreak(debugger: Debugger, argument: Argument, count: int) -> Reply:
    """Set a breakpoint that is deleted after its first stop."""
    return breaking(debugger, argument, once=True)


def breaking(debugger: Debugger, argument: Argument, **options: Any) -> Reply:
    """Set a breakpoint, with further fields of a Stop, such as ``once``."""
    target, condition = split_condition(argument)
    options |= target_options(debugger, target)
    return added(debugger, argument, options, condition)


def run_watch(debugger: Debugger, argument: Argument, count: int) -> Reply:
    """Set a watchpoint or predicate."""
    watched, condition = split_condition(argument)
    if not watched:
        raise argument.error("watch what? `watch loss`, `watch any nan`, `watch loss crosses 1`")
    return added(debugger, watched, watch_options(watched), condition)


def run_when(debugger: Debugger, argument: Argument, count: int) -> Reply:
    """Set a watchpoint that is met where a condition becomes true."""
    if not argument:
        raise argument.error("when what? `when loss < 0.1`")
    return added(debugger, argument, {"kind": StopKind.WHEN, "target": argument.text}, None)


def run_log(debugger: Debugger, argument: Argument, count: int) -> Reply:
    """Print a message at a breakpoint, or at an existing stop, instead of stopping.

    Without a message an existing stop stops again.
    """
    target, message = argument.split()
    if target.text.isdecimal() and int(target.text[:18]) in debugger.stops:
        return edited(debugger, target, message, log=message.text or None)
    if not message:
        raise argument.error("log TARGET MESSAGE: `log loss iteration {iteration}: {loss}`")
    options = target_options(debugger, target) | {"log": message.text}
    return added(debugger, message, options, None)


def added(
    debugger: Debugger, argument: Argument, options: dict[str, Any], condition: Argument | None
) -> Reply:
    """Enter a stop, once it is known to compile; otherwise a CommandError at its column."""
    options["condition"] = condition_text(debugger, condition)
    checked(debugger, argument, Stop(0, **options))
    stop = debugger.stops.add(**options)
    return told([stop])


def edited(debugger: Debugger, number: Argument, argument: Argument, **changes: Any) -> Reply:
    """Change fields of a listed stop; a CommandError for an unknown number."""
    try:
        return told([debugger.stops.edit(number.number("the number of a stop"), **changes)])
    except GradstepError as problem:
        raise argument.reading(problem) from problem


def run_ignore(debugger: Debugger, argument: Argument, count: int) -> Reply:
    """Let the next hits of a stop pass."""
    number, times = argument.split()
    if not times:
        raise argument.error("ignore NUMBER COUNT: `ignore 1 3`")
    return edited(debugger, number, number, ignore=times.number("how many hits to ignore"))


def run_once(debugger: Debugger, argument: Argument, count: int) -> Reply:
    """Delete stops after their next hit, or keep those that would be deleted."""
    numbers = several(debugger, argument)
    return told([debugger.stops.edit(n, once=not debugger.stops.find(n).once) for n in numbers])


def run_condition(debugger: Debugger, argument: Argument, count: int) -> Reply:
    """Change or remove the condition of a stop."""
    number, condition = argument.split()
    if not number:
        raise argument.error("condition NUMBER [EXPRESSION]: `condition 1 loss > 10`")
    text = condition_text(debugger, condition if condition else None)
    return edited(debugger, number, number, condition=text)


def several(debugger: Debugger, argument: Argument) -> list[int]:
    """The numbers of the stops that a command names; ``all`` is every one.

    Raises CommandError for anything that is not the number of a stop.
    """
    if argument.text == "all":
        return [stop.number for stop in debugger.stops]
    if not argument:
        raise argument.error("which stops? their numbers, or `all`; `info stops` lists them")
    numbers = []
    for word in argument.words():
        numbers.append(word.number("a stop is named by its number, or `all`: it"))
        if numbers[-1] not in debugger.stops:
            known = ", ".join(str(stop.number) for stop in debugger.stops) or "none"
            raise word.error(f"no stop {numbers[-1]}; there are: {known}")
    return numbers


def run_delete(debugger: Debugger, argument: Argument, count: int) -> Reply:
    """Remove stops."""
    return removed(debugger, several(debugger, argument))


def removed(debugger: Debugger, numbers: list[int]) -> Reply:
    """Remove stops that there are; the reply lists them."""
    gone = [debugger.stops.delete(number) for number in numbers]
    lines = tuple(f"deleted stop {stop.number}: {stop}" for stop in gone)
    return Reply(lines, stops_data(gone))


def run_enable(debugger: Debugger, argument: Argument, count: int) -> Reply:
    """Switch stops on."""
    return told([debugger.stops.enable(number) for number in several(debugger, argument)])


def run_disable(debugger: Debugger, argument: Argument, count: int) -> Reply:
    """Switch stops off."""
    return told([debugger.stops.enable(n, False) for n in several(debugger, argument)])


def told(stops: list[Stop]) -> Reply:
    """The reply that lists stops."""
    return Reply(tuple(stop_line(stop) for stop in stops), stops_data(stops))


def stop_line(stop: Stop) -> str:
    """A stop as a line of a list."""
    notes = f"  ({', '.join(stop.notes)})" if stop.notes else ""
    return f"stop {stop.number}: {stop}{notes}"


def stops_data(stops: list[Stop]) -> dict[str, Any]:
    """Stops as plain data, with how often each was hit."""
    return {"stops": [stop_to_dict(stop) | {"hits": stop.hits} for stop in stops]}


WATCH = "EXPRESSION [crosses X] | any nan | any inf | any non-finite | gradient above X | dead | …"
STOPPING = (
    Command(
        ("b", "break"),
        "[TARGET] [if CONDITION]",
        "stop before an op, layer, phase or position: `b linear2.backward if loss > 10`",
        run_break,
        "target",
    ),
    Command(("tbreak",), "[TARGET] [if CONDITION]", "the same, once", run_tbreak, "target"),
    Command(
        ("toggle",), "[TARGET]", "the same, or remove the breakpoint there", run_toggle, "target"
    ),
    Command(
        ("watch",),
        WATCH,
        "stop after a change, a crossing or a predicate: `watch linear1.weight[0,2]`",
        run_watch,
        "condition",
    ),
    Command(("when",), "CONDITION", "stop after it becomes true", run_when, "expression"),
    Command(
        ("log",),
        "TARGET|NUMBER MESSAGE",
        "print instead of stopping: `log loss iteration {iteration}: {loss}`",
        run_log,
        "target",
    ),
    Command(("ignore",), "NUMBER COUNT", "let the next hits pass", run_ignore, "stop"),
    Command(("once",), "NUMBER… | all", "stop only once, or every time again", run_once, "stop"),
    Command(("condition",), "NUMBER [CONDITION]", "change a condition", run_condition, "stop-if"),
    Command(("enable",), "NUMBER… | all", "switch stops on", run_enable, "stop"),
    Command(("disable",), "NUMBER… | all", "switch stops off", run_disable, "stop"),
    Command(("delete", "d"), "NUMBER… | all", "remove stops", run_delete, "stop"),
)
