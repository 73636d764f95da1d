"""``gradstep lesson``: a lesson played on the screen."""

import getpass
import shlex
from pathlib import Path

import click

from engine.errors import GradstepError
from engine.lesson.steps import Lesson
from tui.cli.arguments import history_option
from tui.cli.debugger import loading, need_terminal
from tui.cli.output import note
from tui.cli.status import DONE, REFUSED

MAX_NAME = 100


@click.command("lesson")
@click.argument("file")
@history_option
@click.option(
    "--answers",
    metavar="OUT",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Add the answers that are given, and the score, to the JSON file OUT.",
)
@click.option("--name", metavar="NAME", help="Whose answers these are; the user's by default.")
@click.option("--notes", is_flag=True, help="Follow who plays it, in the teacher's own terminal.")
@click.option(
    "--record",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Record it into FILE, for who follows; with --notes: follow that recording.",
)
def lesson(
    file: str,
    budget: int,
    answers: Path | None,
    name: str | None,
    notes: bool,
    record: Path | None,
) -> int:
    """Play the lesson FILE, or one that `gradstep list` shows.

    A lesson is a text file: its first line is `open THING`, an experiment or a recording; then
    words of the command line, and say, view, play, hold, chapter, ask, hide, reveal and note. Space
    goes on. `gradstep script FILE --check` tries it without a screen.

    With --notes this is the teacher's own terminal: what the class does not see, and what comes
    next, for as long as somebody plays the lesson in another one.
    """
    from engine.lesson.reader import load_lesson

    found = load_lesson(file)
    need_terminal(f"gradstep script --check {shlex.quote(file)}")
    if notes:
        from tui.lesson.notes import Source, show_notes

        if found.file == "-":
            raise GradstepError("-: notes follow a lesson that lies in a file")
        return show_notes(Source(found, record, answers))
    return played(found, budget, answers, name, record)


def played(
    lesson: Lesson, budget: int, answers: Path | None, name: str | None, record: Path | None
) -> int:
    """Play a lesson; its answers are collected, and the exit status is given."""
    from engine.lesson.opened import opened
    from engine.lesson.score import check_collecting, collect

    if answers is not None:
        check_collecting(answers)
    with loading(), opened(lesson, budget) as debugger:
        from tui.lesson.app import play_lesson

        app = play_lesson(lesson, debugger, record)
    score = app.lecture.score
    if answers is not None and score.answered:
        collect(answers, Path(lesson.file).stem, (name or user())[:MAX_NAME], score)
        note(f"{score.lines()[0]}; added to {answers}")
    return app.return_code or (REFUSED if app.mains[0].parts.recording.failed else DONE)


def user() -> str:
    """The name of who is logged in; empty where the system knows none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""
