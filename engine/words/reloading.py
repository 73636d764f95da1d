"""Commands that go on with another thing: opened from a name, or the file as it is now."""

import shlex
from collections.abc import Sequence

from engine.debugger import Debugger
from engine.errors import GradstepError
from engine.program.program import Program
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
    from engine.recording.compare import differences

    nothing(argument)
    old = debugger.session
    if debugger.outer is not None:
        raise argument.error(EVALUATING)
    file = old.program.experiment.file
    if not file.endswith(".toml") or old.source.recorded:
        raise argument.error("there is no experiment file here that could be read again")
    program = reread(old.program, file)
    new, lost = yield from moved(debugger, program)
    if len(old.branches) > 1 and old.branch.name != MAIN:
        lost.append(f"the branch {old.branch.name} goes on as {MAIN}")
    others = [one.name for one in old.branches if one is not old.branch]
    if others:
        lost.append(f"branches {', '.join(others)}")
    changes = list(differences(old.program, program))
    head = f"{file}: {'as it was' if not changes else f'{len(changes)} changed'}"
    lines = (head, *changes, *(f"left behind: {one}" for one in lost))
    facts = {"file": file, "changed": changes, "left": lost}
    return Reply(lines, facts, place=place_of(new), opened=new)


def reread(old: Program, file: str) -> Program:
    """The program of a file as it is now, with the lines unfolded that are there still."""
    from engine.experiment.dataset import in_lines
    from engine.experiment.reader import load_experiment
    from engine.program.compiler import compile_program
    from engine.program.refold import unfolded_names, unfolding, wholes

    experiment = load_experiment(file)
    if in_lines(experiment) and in_lines(old.experiment):
        names = [name for name in unfolded_names(old) if name == "all" or name in wholes(old)]
        try:
            return compile_program(unfolding(experiment, names))
        except GradstepError:
            pass  # one of them is no line any more, or something else is wrong, which is told
    return compile_program(experiment)


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
