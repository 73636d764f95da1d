"""``gradstep script``: debugger commands from a file, without a screen."""

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from engine.errors import GradstepError
from engine.experiment.builtins import DEFAULT
from engine.words.command import CommandError
from engine.words.language import CommandLine, Result
from tui.cli.arguments import history_option, json_option
from tui.cli.opened import debugger_on, eval_option, unfold_option
from tui.cli.output import print_json
from tui.cli.status import DONE
from tui.render.text.clean import clean

FAILED = 1
MAX_BYTES = 10 * 2**20


@click.command("script")
@click.argument("file")
@click.argument("experiment", default=DEFAULT)
@unfold_option
@eval_option
@history_option
@json_option
@click.option("--check", "checking", is_flag=True, help="FILE is a lesson: try all of it.")
def script(file: str, experiment: str, budget: int, as_json: bool, checking: bool) -> int:
    """Run the debugger commands of FILE on EXPERIMENT, or on a recording; - is stdin.

    A command a line, as on the debugger's command line; `help` is one of them, # begins a comment.
    Exit status 1 when an `assert CONDITION` did not hold: a session as a regression test.
    With --check FILE is a lesson: each `ask` gets its own right answer; 1 where one is refused.

    The first op of bug-exploding that makes something non-finite:

        echo "until any non-finite" | gradstep script - bug-exploding
    """
    if checking:
        from tui.cli.lesson_check import check_lesson

        return check_lesson(file, budget, as_json)
    lines = read_lines(file)
    commands = CommandLine(debugger_on(experiment, budget))
    status = DONE
    for number, line in enumerate(lines, 1):
        for result in results(commands, line, f"{file}:{number}"):
            status = status if result.ok else FAILED
            if as_json:
                print_json(result_data(number, result))
            else:
                print_result(result, f"{file}:{number}")
    return status


def read_lines(file: str) -> list[str]:
    """The lines of a script, ``-`` is stdin.

    Raises GradstepError where it is no UTF-8 text, or of more than MAX_BYTES.
    """
    try:
        if file == "-":
            if sys.stdin is None:
                raise GradstepError("-: there is no standard input; name a file instead")
            raw = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(file).open("rb") as stream:
                raw = stream.read(MAX_BYTES + 1)
        text = raw.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise GradstepError(
            f"{file}: {reason}: a script has debugger commands, one a line"
        ) from None
    if len(raw) > MAX_BYTES:
        raise GradstepError(f"{file}: more than {MAX_BYTES:,} bytes")
    return text.splitlines()


def results(commands: CommandLine, line: str, place: str) -> Iterator[Result]:
    """What comes of one line; nothing for a blank or a comment. An error names file and line."""
    try:
        for event in commands.run(line):
            if isinstance(event, Result) and event.word:
                yield event
    except CommandError as error:
        more = of_lessons(line) if error.message.startswith("no command") else ""
        raise GradstepError(
            f"{place}:{error.column + 1}: {error.message}{more}\n{error.shown}"
        ) from error


def of_lessons(line: str) -> str:
    """Where a word belongs that only lessons have; empty for any other."""
    from engine.lesson.own_words import OWN

    word = line.split()[:1]
    return "; a word of lessons: script --check tries one" if word and word[0] in OWN else ""


def result_data(number: int, result: Result) -> dict[str, object]:
    """A result as plain data."""
    return {
        "line": number,
        "command": result.line.strip(),
        "word": result.word,
        "ok": result.ok,
        "text": list(result.lines),
        **result.data,
    }


def print_result(result: Result, place: str) -> None:
    """Print a command and its answer; a failed assertion with its place."""
    click.echo(clean(f"> {result.line.strip()}"))
    for line in result.lines:
        click.echo(clean(line if result.ok else f"{place}: {line}"))
