"""Commands that look and change nothing."""

from collections.abc import Callable
from typing import Any

import numpy as np

from engine.debugger import Debugger
from engine.errors import GradstepError
from engine.explain.explain import explain
from engine.explain.text import explanation_lines
from engine.expressions.expression import ExpressionError, NotAvailable, truth
from engine.run.position_text import format_position
from engine.session.badges import badge
from engine.session.journal import to_dict
from engine.stops.lookup import compiled, lookup, not_kept
from engine.stops.predicates import number_text
from engine.wording import suggestion
from engine.words.command import Argument, Command, Reply, nothing
from engine.words.placing import branch_data, branch_line, mark_data, mark_line
from engine.words.report import place_of
from engine.words.stopping import told

MOST_PRINTED = 20  # lines of a captured script that are shown
ABSENT = "not computed yet"
MAX_VALUES = 1000  # elements of a tensor that are given as data


def evaluated(debugger: Debugger, argument: Argument) -> Any:
    """The value of an expression at the cursor; raises CommandError where it has none."""
    if not argument:
        raise argument.error("an expression is missing: `p norm(linear1.weight)`")
    try:
        return compiled(argument.text, debugger.run).evaluate(lookup(debugger.session))
    except GradstepError as problem:
        raise argument.reading(problem) from problem
    except NotAvailable as problem:
        said = not_kept(debugger.session, problem.name) or problem.message
        raise argument.error(said, problem.column) from problem
    except ExpressionError as problem:
        raise argument.error(problem.message, problem.column) from problem


def run_print(debugger: Debugger, argument: Argument, count: int) -> Reply:
    """Print the value of an expression."""
    value = evaluated(debugger, argument)
    return Reply(tuple(value_lines(argument.text, value)), value_data(argument.text, value))


def value_lines(expression: str, value: Any) -> list[str]:
    """A number in a line; a tensor with its shape and dtype, beyond 200 elements its edges."""
    if not isinstance(value, np.ndarray):
        return [f"{expression} = {number_text(value)}"]
    with np.printoptions(precision=6, threshold=200, edgeitems=3, linewidth=100):
        text = str(value).splitlines()
    return [f"{expression} {value.shape} {value.dtype}", *(f"  {line}" for line in text)]


def value_data(expression: str, value: Any) -> dict[str, Any]:
    """A value as data; the elements of a large tensor are left out."""
    data: dict[str, Any] = {"expression": expression}
    if not isinstance(value, np.ndarray):
        return data | {"value": value}
    data |= {"shape": list(value.shape), "dtype": str(value.dtype)}
    return data | {"value": value.tolist() if value.size <= MAX_VALUES else None}


def run_explain(debugger: Debugger, argument: Argument, count: int) -> Reply:
    """Say which terms make a number at the cursor, which stays where it is."""
    if not argument:
        raise argument.error("a number is missing: `explain z1[0,1]`")
    try:
        found = explain(debugger.session, argument.text)
    except GradstepError as problem:
        raise argument.reading(problem) from problem
    return Reply(tuple(explanation_lines(found)), found.as_json())


def run_assert(debugger: Debugger, argument: Argument, count: int) -> Reply:
    """Check that a condition holds at the cursor; the reply is not ``ok`` where it does not."""
    try:
        value = evaluated(debugger, argument)
        held = truth(value)
    except ExpressionError as problem:
        raise argument.error(problem.message) from problem
    except GradstepError as problem:
        # What is not computed yet does not hold: a "no", and no mistake in the line.
        if isinstance(problem.__cause__, NotAvailable):
            place = place_of(debugger)
            said = f"assertion failed at {place}: {problem.__cause__.message}"
            return Reply((said,), {"held": False, "at": place.data}, ok=False)
        raise
    if held:
        return Reply((f"holds: {argument}",), {"held": True})
    place = place_of(debugger)
    said = f"assertion failed at {place}: {argument}"
    return Reply((said,), {"held": False, "at": place.data}, ok=False)


def run_display(debugger: Debugger, argument: Argument, count: int) -> Reply:
    """Add a watch, or show all of them."""
    if argument:
        try:
            debugger.watches.add(argument.text)
        except GradstepError as problem:
            raise argument.reading(problem) from problem
    return info_watches(debugger)


def run_undisplay(debugger: Debugger, argument: Argument, count: int) -> Reply:
    """Remove a watch."""
    try:
        debugger.watches.remove(argument.text)
    except GradstepError as problem:
        raise argument.reading(problem) from problem
    return info_watches(debugger)


def run_where(debugger: Debugger, argument: Argument, count: int) -> Reply:
    """Say where the cursor stands."""
    nothing(argument)
    return Reply(place=place_of(debugger))


def run_list(debugger: Debugger, argument: Argument, count: int) -> Reply:
    """List the program with its breakpoints; an arrow marks the op about to run."""
    nothing(argument)
    lines, phase = [], ""
    session = debugger.session
    listing, begin = session.listing, session.timeline.begin(session.position.iteration - 1)
    for op in listing.ops:
        if op.phase != phase:
            phase = op.phase
            lines.append(str(phase))
        arrow = "▶" if op is session.op else " "
        dot = "●" if debugger.stops.at_op(listing, op.index) else " "
        skipped = session.journal.skipped(op.phase, op.name, begin + op.index)
        lines.append(f" {arrow}{dot} {op.label}{'  (skipped)' if skipped else ''}")
    return Reply(tuple(lines), {"at": place_of(debugger).data})


def info_stops(debugger: Debugger) -> Reply:
    """The stops, with their notes and hits."""
    reply = told(list(debugger.stops))
    return reply if reply.lines else Reply(("no stops",), reply.data)


def info_watches(debugger: Debugger) -> Reply:
    """The watches with their values."""
    lines, data = [], []
    for found in debugger.watches.values(debugger.session):
        value = found.error or ("—" if found.value is None else number_text(found.value))
        before = "" if found.before is None else f"  (before: {number_text(found.before)})"
        lines.append(f"{found.text} = {value}{before if found.changed else ''}")
        data.append(value_data(found.text, found.value) | {"changed": found.changed})
    return Reply(tuple(lines) or ("no watches",), {"watches": data})


def info_bookmarks(debugger: Debugger) -> Reply:
    """The bookmarks, with their positions and texts."""
    marks = debugger.bookmarks.values()
    lines = tuple(mark_line(debugger, mark) for mark in marks)
    return Reply(lines or ("no bookmarks",), {"bookmarks": [mark_data(mark) for mark in marks]})


def info_branches(debugger: Debugger) -> Reply:
    """The branches, with their forks and the number of their edits."""
    lines = tuple(branch_line(debugger, branch) for branch in debugger.session.branches)
    return Reply(lines, {"branches": [branch_data(branch) for branch in debugger.session.branches]})


def info_edits(debugger: Debugger) -> Reply:
    """The journal of the current branch."""
    entries = list(debugger.session.journal)
    lines = tuple(f"#{e.event} {format_position(debugger.run, e.event)}: {e}" for e in entries)
    return Reply(lines or ("no edits",), {"edits": [to_dict(entry) for entry in entries]})


def info_tensors(debugger: Debugger) -> Reply:
    """Every tensor with its shape, and the badges of the gradients."""
    lines, data = [], []
    for info in debugger.run.tensors.values():
        mark = str(badge(debugger.session, info.gradient_of)) if info.gradient_of else ""
        there = info.name in debugger.session.tensors
        kept = "" if there else not_kept(debugger.session, info.name) and "not kept in full"
        lines.append(f"{info.name} {info.shape} {mark or kept or ('' if there else ABSENT)}")
        data.append({"name": info.name, "shape": list(info.shape), "badge": mark or None})
    return Reply(tuple(line.rstrip() for line in lines), {"tensors": data})


def info_output(debugger: Debugger) -> Reply:
    """The last lines that the captured script had printed at the cursor."""
    lines = debugger.session.source.printed(debugger.event, MOST_PRINTED)
    return Reply(tuple(lines) or ("nothing was printed before here",), {"output": list(lines)})


TOPICS: dict[str, Callable[[Debugger], Reply]] = {
    "stops": info_stops,
    "watches": info_watches,
    "bookmarks": info_bookmarks,
    "branches": info_branches,
    "edits": info_edits,
    "tensors": info_tensors,
    "output": info_output,
}


def run_info(debugger: Debugger, argument: Argument, count: int) -> Reply:
    """Show one of the lists."""
    if argument.text not in TOPICS:
        hint = suggestion(argument.text, TOPICS)
        raise argument.error(f"info about one of {', '.join(TOPICS)}{hint}")
    return TOPICS[argument.text](debugger)


LOOKING = (
    Command(("p", "print"), "EXPRESSION", "its value: `p norm(z)`", run_print, "expression"),
    Command(
        ("explain",),
        "NAME[INDEX]",
        "the terms that make a number; without an index the formula",
        run_explain,
        "expression",
    ),
    Command(
        ("assert",),
        "CONDITION",
        "in a script: the exit status is 1 when it does not hold",
        run_assert,
        "expression",
    ),
    Command(("display",), "[EXPRESSION]", "add a watch, or show all", run_display, "expression"),
    Command(("undisplay",), "EXPRESSION", "remove a watch", run_undisplay, "watch"),
    Command(("where", "w"), "", "where the cursor stands", run_where),
    Command(("list", "l"), "", "the program, with the op about to run", run_list),
    Command(("info", "i"), "|".join(TOPICS), "a list", run_info, "info"),
)
