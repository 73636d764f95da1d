"""``gradstep lesson``: a lesson played on the screen."""

import getpass
import shlex
from pathlib import Path

import click

from tui.cli.arguments import history_option
from tui.cli.debugger import loading, need_terminal
from tui.cli.output import note
from tui.cli.status import DONE

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
def lesson(file: str, budget: int, answers: Path | None, name: str | None) -> int:
    """Play the lesson FILE, or one that `gradstep list` shows.

    A lesson is a text file: its first line is `open THING`, an experiment or a recording; then
    words of the command line, and say, view, play, hold, chapter, ask, hide and reveal. Space goes
    on. `gradstep script FILE --check` tries it without a screen.
    """
    from engine.lesson.opened import opened
    from engine.lesson.reader import load_lesson
    from engine.lesson.score import check_collecting, collect

    found = load_lesson(file)
    need_terminal(f"gradstep script --check {shlex.quote(file)}")
    if answers is not None:
        check_collecting(answers)
    with loading(), opened(found, budget) as debugger:
        from tui.lesson.app import play_lesson

        app = play_lesson(found, debugger)
    score = app.lecture.score
    if answers is not None and score.answered:
        collect(answers, Path(found.file).stem, (name or user())[:MAX_NAME], score)
        note(f"{score.lines()[0]}; added to {answers}")
    return app.return_code or DONE


def user() -> str:
    """The name of who is logged in; empty where the system knows none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""
