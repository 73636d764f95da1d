"""Commands about bookmarks and branches."""

from typing import Any

from engine.debugger import Debugger
from engine.errors import GradstepError
from engine.run.position_text import format_position
from engine.session.bookmarks import Bookmark
from engine.session.branches import Branch, Comparison
from engine.stops.evidence import Evidence
from engine.stops.run_control import progress
from engine.words.command import Argument, Command, Long, Reply, nothing
from engine.words.report import arrived, travelled


def run_mark(debugger: Debugger, argument: Argument, count: int) -> Reply:
    """Set a bookmark at the cursor."""
    name, text = argument.split()
    try:
        mark = debugger.bookmarks.mark(name.text.removeprefix("'"), debugger.event, text.text)
    except GradstepError as problem:
        raise name.reading(problem) from problem
    return Reply((mark_line(debugger, mark),), {"bookmark": mark_data(mark)})


def run_unmark(debugger: Debugger, argument: Argument, count: int) -> Reply:
    """Remove a bookmark."""
    try:
        mark = debugger.bookmarks.unmark(argument.text.removeprefix("'"))
    except GradstepError as problem:
        raise argument.reading(problem) from problem
    return Reply((f"removed '{mark.name}",), {"bookmark": mark_data(mark)})


def chapter(names: tuple[str, ...], summary: str, direction: int) -> Command:
    """A command that goes to the next bookmark of the run (1), or to the one before (−1)."""

    def found(debugger: Debugger, argument: Argument) -> Bookmark:
        nothing(argument)
        beyond = [
            m for m in debugger.bookmarks.values() if direction * (m.event - debugger.event) > 0
        ]
        if not beyond:
            side = "after" if direction > 0 else "before"
            there = f"no bookmark {side} this place" if debugger.bookmarks else "no bookmarks yet"
            raise argument.error(there)
        nearest = min(direction * mark.event for mark in beyond)
        return next(m for m in reversed(beyond) if direction * m.event == nearest)

    def leads(debugger: Debugger, argument: Argument, count: int) -> int:
        return found(debugger, argument).event

    def run(debugger: Debugger, argument: Argument, count: int) -> Long:
        mark = found(debugger, argument)
        return travelled(debugger, mark.event, bookmark=mark_data(mark))

    return Command(names, "", summary, run, leads=leads)


def mark_line(debugger: Debugger, mark: Bookmark) -> str:
    """A bookmark as a line of a list."""
    place = f"'{mark.name} #{mark.event} {format_position(debugger.run, mark.event)}"
    return f"{place}  {mark.text}" if mark.text else place


def mark_data(mark: Bookmark) -> dict[str, Any]:
    """A bookmark as plain data."""
    return {"name": mark.name, "event": mark.event, "text": mark.text}


def run_branch(debugger: Debugger, argument: Argument, count: int) -> Reply:
    """List the branches, start one at the cursor, or delete one."""
    if not argument:
        lines = tuple(branch_line(debugger, branch) for branch in debugger.session.branches)
        return Reply(
            lines, {"branches": [branch_data(branch) for branch in debugger.session.branches]}
        )
    word, rest = argument.split()
    try:
        if word.text == "delete" and rest:
            debugger.session.branches.delete(rest.text)
            return Reply((f"deleted branch {rest}",))
        branch = debugger.session.branches.fork(argument.text)
    except GradstepError as problem:
        raise (rest or argument).reading(problem) from problem
    return arrived(debugger, branch_line(debugger, branch), branch=branch_data(branch))


def run_switch(debugger: Debugger, argument: Argument, count: int) -> Reply:
    """Make a branch current."""
    try:
        branch = debugger.session.branches.switch(argument.text)
    except GradstepError as problem:
        raise argument.reading(problem) from problem
    return arrived(debugger, branch_line(debugger, branch), branch=branch_data(branch))


def run_compare(debugger: Debugger, argument: Argument, count: int) -> Long:
    """Find the first difference of two branches."""
    words = argument.words()
    if not words:
        raise argument.error("compare A [B]: two branches; B is the current one by default")
    for word in words:
        try:
            debugger.session.branches.find(word.text)
        except GradstepError as problem:
            raise word.reading(problem) from problem
    left = words[0].text
    right = words[1].text if len(words) > 1 else debugger.session.branch.name
    return comparing(debugger, left, right)


def comparing(debugger: Debugger, left: str, right: str) -> Long:
    """Compare two branches, with progress; the reply names the first difference."""
    run = debugger.session.branches.compare(left, right)
    while True:
        try:
            next(run)
        except StopIteration as stop:
            return comparison_reply(debugger, stop.value)
        yield progress(debugger.session, [])


def comparison_reply(debugger: Debugger, found: Comparison) -> Reply:
    """The first difference in a line, and the losses of both at the last common iteration."""
    left, right = found.names
    data: dict[str, Any] = {
        "branches": [left, right],
        "compared": found.compared,
        "event": found.event,
        "losses": [losses.tolist() for losses in found.losses],
    }
    if found.event is None or found.tensor is None:
        return Reply((f"{left} and {right} are the same up to #{found.compared}",), data)
    data |= {"tensor": found.tensor, "index": list(found.index), "values": list(found.values)}
    evidence = Evidence(found.tensor, found.index, *found.values)
    place = f"#{found.event} {format_position(debugger.run, found.event)}"
    lines = [f"{left} and {right} differ first at {place}: {evidence}"]
    last = min(map(len, found.losses)) - 1
    if last >= 0:
        a, b = (float(losses[last]) for losses in found.losses)
        lines.append(f"loss of iteration {last + 1}: {a:.6g} in {left}, {b:.6g} in {right}")
    return Reply(tuple(lines), data)


def branch_line(debugger: Debugger, branch: Branch) -> str:
    """A branch as a line of a list; an asterisk marks the current one."""
    sign = "*" if branch is debugger.session.branch else " "
    origin = f" from {branch.parent} at #{branch.fork}" if branch.parent else ""
    edits = f", edits: {len(branch.journal)}" if branch.journal else ""
    return f"{sign} {branch.name}{origin}, known up to #{branch.known}{edits}"


def branch_data(branch: Branch) -> dict[str, Any]:
    """A branch as plain data."""
    return {
        "name": branch.name,
        "parent": branch.parent,
        "fork": branch.fork,
        "known": branch.known,
        "edits": len(branch.journal),
    }


PLACING = (
    Command(("mark", "m"), "[NAME] [TEXT]", "bookmark this place: `goto 'NAME`", run_mark),
    Command(("unmark",), "NAME", "remove a bookmark", run_unmark, "bookmark"),
    chapter(("chapter",), "to the next bookmark of the run", 1),
    chapter(("rchapter",), "back to the bookmark before", -1),
    Command(
        ("branch",),
        "[NAME | delete NAME]",
        "list the branches, or start one here",
        run_branch,
        "branch",
    ),
    Command(("switch",), "NAME", "make a branch current", run_switch, "branch"),
    Command(("compare",), "A [B]", "where two branches first differ", run_compare, "branch"),
)
