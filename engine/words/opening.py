"""Commands that go on with another program: lines unfolded or folded, an evaluation, and back."""

from collections.abc import Generator, Iterator, Sequence

from engine.debugger import Debugger
from engine.errors import GradstepError
from engine.program.evaluation import evaluation, sets_rows_aside
from engine.program.program import Program
from engine.program.refold import (
    foldable,
    is_apart,
    is_single,
    refolded,
    same_place,
    unfolded_names,
    wholes,
)
from engine.run.run import Run
from engine.session.journal import Edit, Skip
from engine.session.progress import Progress
from engine.session.session import Session
from engine.words.command import Argument, Command, Long, Reply, nothing
from engine.words.report import arrived, place_of


def run_unfold(debugger: Debugger, argument: Argument, count: int) -> Long:
    """Let lines give way to the lines of their functions, at the same place of the run."""
    run = debugger.run
    words = [word.text for word in argument.words()] or [here(debugger, argument)]
    names = unfolded_names(run)
    for word in words:
        name = word if word == "all" else foldable(run, word)
        check_many(run, name, argument)
        names = ["all"] if name == "all" else [*names, name]
    return changed(debugger, list(dict.fromkeys(names)), f"unfolded: {', '.join(words)}")


def run_fold(debugger: Debugger, argument: Argument, count: int) -> Long:
    """Fold lines that were unfolded again; all of them where none is named."""
    run = debugger.run
    words = [word.text for word in argument.words()]
    left = [foldable(run, word) for word in words if word != "all"]
    names = before = unfolded_names(run)
    if "all" in names and left:
        names = [line for line in wholes(run) if line not in left]
    kept = [name for name in names if left and name not in left]
    if "all" in words:
        kept = []
    if kept == before:
        raise argument.error("nothing is unfolded there")
    return changed(debugger, kept, f"folded: {', '.join(words) or 'all'}")


def run_refold(debugger: Debugger, argument: Argument, count: int) -> Long:
    """Unfold the line of an op, or fold it again."""
    run = debugger.run
    name = foldable(run, argument.text or here(debugger, argument))
    known = Argument(name, argument.column, argument.line)
    return (run_fold if is_apart(run, name) else run_unfold)(debugger, known, count)


def here(debugger: Debugger, argument: Argument) -> str:
    """The name of the op at the cursor; a CommandError at the end of the run."""
    op = debugger.session.op
    if op is None:
        raise argument.error("name a line: the run is at its end")
    return op.name


def check_many(run: Run, name: str, argument: Argument) -> None:
    """Raise CommandError for a line of one function, or one that is unfolded already."""
    if name == "all":
        return
    if is_apart(run, name):
        raise argument.error(f"{name} is unfolded already; `fold {name}` folds it")
    if is_single(run, name):
        raise argument.error(f"{name} is a single function: there is nothing to unfold")


def changed(debugger: Debugger, names: Sequence[str], said: str) -> Long:
    """Go on with other lines unfolded; edits, stops, watches and bookmarks come along."""
    new, lost = yield from moved(debugger, refolded(debugger.run, names))
    lines = (said, *(f"left behind: {one}" for one in lost))
    return Reply(lines, {"unfold": list(names)}, place=place_of(new), opened=new)


def moved(
    debugger: Debugger, program: Program
) -> Generator[Progress, None, tuple[Debugger, list[str]]]:
    """A debugger on another program at the same place, with edits, stops, watches and bookmarks.

    Also a sentence for each that does not fit it.
    """
    old = debugger.session
    session = Session(program, old.history.budget)
    new = Debugger(session, debugger.outer)
    lost = list(carried_edits(debugger, session, program))
    lost += new.stops.load(debugger.stops.to_list())
    lost += new.watches.load(debugger.watches)
    for mark in debugger.bookmarks.values():
        new.bookmarks.mark(mark.name, same_place(old.run, mark.event, program), mark.text)
    for event in session.travel(same_place(old.run, old.event, program)):
        yield Progress(event, session.loss)
    return new, lost


def carried_edits(debugger: Debugger, session: Session, refold: Program) -> Iterator[str]:
    """Carry out the edits of the branch in the new session; a sentence for each that does not fit.

    The session is left at the last of them.
    """
    for entry in sorted(debugger.session.journal, key=lambda one: one.event):
        try:
            session.goto(same_place(debugger.run, entry.event, refold))
            if isinstance(entry, Edit):
                session.set(entry.target, entry.value, entry.index)
            elif isinstance(entry, Skip):
                session.skip(entry.target, always=entry.end is None)
        except GradstepError as problem:
            yield f"{entry}: {problem}"


def run_eval(debugger: Debugger, argument: Argument, count: int) -> Reply:
    """Open an evaluation pass with the parameters as they are here; nothing is changed."""
    nothing(argument)
    old = debugger.session
    if debugger.outer is not None:
        raise argument.error("this is an evaluation already; `leave` leaves it")
    rows = "validation" if sets_rows_aside(old.run) else "training"
    new = Debugger(Session(evaluation(old.run, old.tensors), old.history.budget), debugger)
    said = f"evaluation over the {rows} rows; `leave` leads back"
    return Reply((said,), {"rows": rows}, place=place_of(new), opened=new)


def run_leave(debugger: Debugger, argument: Argument, count: int) -> Reply:
    """Leave an evaluation pass: go on where one was."""
    nothing(argument)
    if debugger.outer is None:
        raise argument.error("this is no evaluation: there is nothing to leave")
    return arrived(debugger.outer, opened=debugger.outer)


OPENING = (
    Command(
        ("unfold",),
        "[LINE…|all]",
        "let lines give way to the lines of their functions; by default the one at the cursor",
        run_unfold,
        "line",
    ),
    Command(("fold",), "[LINE…|all]", "fold lines again; by default all", run_fold, "line"),
    Command(("refold",), "[LINE]", "unfold a line, or fold it again", run_refold, "line"),
    Command(
        ("eval", "evaluate"),
        "",
        "an evaluation pass over the validation rows, or the training rows",
        run_eval,
    ),
    Command(("leave",), "", "leave the evaluation pass: go on where one was", run_leave),
)
