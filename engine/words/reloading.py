"""Commands that go on with another thing: opened from a name, or the file as it is now."""

import shlex
from collections.abc import Sequence

from engine.debugger import Debugger
from engine.run.source import Ability
from engine.session.branches import MAIN
from engine.words.command import Argument, Command, Long, Reply, nothing
from engine.words.opening import moved
from engine.words.report import place_of

ANYWAY = "anyway"
EVALUATING = "this is an evaluation: `leave` it first"


def run_open(debugger: Debugger, argument: Argument, count: int) -> Reply:
    """Go on with another thing; what is changed here is lost, which has to be said."""
    from engine.words.things import open_thing

    if debugger.outer is not None:
        raise argument.error(EVALUATING)
    try:
        words = shlex.split(argument.text)
    except ValueError as problem:
        raise argument.error(f"a quote is not closed: {problem}") from None
    anyway = words[:1] == [ANYWAY]
    words = words[anyway:]
    if not words:
        raise argument.error("name what to open: a built-in, .toml, .csv and columns, .gradstep")
    new = open_thing(words[0], words[1:], debugger.session.history.budget)
    if not anyway and (lost := unsaved(debugger)):
        again = shlex.join([ANYWAY, *words])
        raise argument.error(f"{lost} here would be lost: `open {again}` opens it all the same")
    said = f"opened: {words[0]}"
    return Reply((said,), {"thing": words[0]}, place=place_of(new), opened=new)


def unsaved(debugger: Debugger) -> str:
    """What would be lost with a session, in words: edits and branches; empty where nothing is."""
    session = debugger.session
    edits = len(session.journal) if Ability.EXECUTE in session.source.can else 0
    found = [(edits, "edit"), (len(session.branches) - 1, "more branch")]
    parts = []
    for number, word in found:
        ending = "es" if word.endswith("ch") else "s"
        parts += [f"{number} {word}{ending if number > 1 else ''}"] if number > 0 else []
    return " and ".join(parts)


def run_reload(debugger: Debugger, argument: Argument, count: int) -> Long:
    """Read the experiment file again: the same place, with the journal, and what has changed."""
    from engine.program.reread import from_file, reread
    from engine.recording.compare import differences

    nothing(argument)
    old = debugger.session
    if debugger.outer is not None:
        raise argument.error(EVALUATING)
    if old.source.recorded:
        raise argument.error("a recording stays as it is: there is no file to read again")
    before, file = from_file(old.run)
    program = reread(before)
    new, lost = yield from moved(debugger, program)
    if len(old.branches) > 1 and old.branch.name != MAIN:
        lost.append(f"the branch {old.branch.name} goes on as {MAIN}")
    others = [one.name for one in old.branches if one is not old.branch]
    if others:
        lost.append(f"branches {', '.join(others)}")
    changes = list(differences(before, program))
    lines = (
        headline(file, changes),
        *(changes if len(changes) > 1 else ()),
        *(f"left behind: {one}" for one in lost),
    )
    facts = {"file": file, "changed": changes, "left": lost}
    return Reply(lines, facts, place=place_of(new), opened=new)


def headline(file: str, changes: Sequence[str]) -> str:
    """What has changed in a line: the first change, and how many more there are."""
    if not changes:
        return f"{file}: as it was"
    more = f", and {len(changes) - 1} more" if len(changes) > 1 else ""
    return f"{file}: {changes[0]}{more}"


RELOADING: Sequence[Command] = (
    Command(
        ("open",),
        "[anyway] THING [COLUMN…]",
        "go on with a built-in, .toml, .csv (and the columns to predict) or .gradstep",
        run_open,
        "thing",
    ),
    Command(
        ("reload",),
        "",
        "read the experiment file again: same place, edits kept; says what changed",
        run_reload,
    ),
)
