"""``gradstep grade``: answers of people held against the engine."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tui.cli.arguments import experiment_argument, json_option
from tui.cli.opened import opened
from tui.cli.output import console, print_json
from tui.cli.status import DONE, NO, REFUSED, complain
from tui.render.text.clean import clean

if TYPE_CHECKING:
    from engine.answers.classes import Graded
    from engine.answers.verdict import Verdict

MARKS = {"right": "✓", "nearly": "≈", "wrong": "✗", "not understood": "?"}
STYLES = {"right": "green", "nearly": "yellow", "wrong": "red", "not understood": "magenta"}
MOST_COLUMNS = 20  # files that are columns of the table
MOST_MISTAKES = 20  # lines of the summary of a class


@click.command("grade")
@experiment_argument
@click.argument("answers", nargs=-1, required=True, type=click.Path(path_type=Path))
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="A row for each file and answer.")
@click.option(
    "--gradescope",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write results.json for an autograder; takes one hand-in.",
)
@click.option(
    "--points",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help='Points of each question for --gradescope, TOML: "W1.grad" = 2.',
)
def grade(
    experiment: str,
    answers: Sequence[Path],
    as_json: bool,
    as_csv: bool,
    gradescope: Path | None,
    points: Path | None,
) -> int:
    """Check ANSWERS about EXPERIMENT: right, wrong and why.

    Answers are .toml, .json, .npz, .md or .tex files; of several there is a table. Exit status 1
    when any answer is wrong, 2 when a file cannot be read.
    """
    from engine.answers.classes import as_csv as csv_of
    from engine.answers.classes import as_json as json_of
    from engine.answers.classes import graded
    from engine.answers.grading import Grader

    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other: give one of them")
    if gradescope is not None and len(answers) != 1:
        raise click.UsageError("--gradescope takes one hand-in")
    if points is not None and gradescope is None:
        raise click.UsageError("--points is for --gradescope")
    grader = Grader(opened(experiment))
    files = graded(grader, answers)
    if gradescope is not None:
        write_results(gradescope, points, files[0], grader)
    if as_json:
        print_json(json_of(files), indent=1)
    elif as_csv:
        click.echo(csv_of(files), nl=False)
    elif len(files) == 1:
        print_one(files[0], console())
    else:
        print_class(files, console())
    return status(files)


def status(files: Sequence["Graded"]) -> int:
    """The exit status; what could not be read is said on stderr."""
    for one in files:
        if one.error:
            complain(one.error)
    if any(one.error for one in files):
        return REFUSED
    return DONE if all(v.right for one in files for v in one.verdicts) else NO


def write_results(path: Path, points: Path | None, one: "Graded", grader: object) -> None:
    """Write the results for an autograder."""
    from engine.answers.classes import Points, gradescope, read_points
    from engine.answers.grading import Grader
    from engine.files import replacing
    from engine.strict_json import strict_json

    assert isinstance(grader, Grader)
    known = Points() if points is None else read_points(points, grader)
    with replacing(path) as out:
        out.write(strict_json(gradescope(one, known), 1).encode() + b"\n")


def print_one(one: "Graded", out: Console) -> None:
    """Every answer of a hand-in, and what is to be said of it."""
    if one.error:
        return
    for verdict in one.verdicts:
        print_verdict(verdict, out)
    total = len(one.verdicts)
    style = "green" if one.right == total else "red"
    out.print(Text(f"\n{one.right} of {total} right", style))


def print_verdict(one: "Verdict", out: Console) -> None:
    """One answer: the verdict, then what was said and what is right."""
    line = f"line {one.line}: " if one.line is not None and one.verdict == "not understood" else ""
    place = f" (character {one.place + 1})" if one.place is not None else ""
    head = Text.assemble(
        (f"{MARKS[one.verdict]} ", STYLES[one.verdict]),
        (clean(one.of), "bold"),
        f"  {one.verdict}",
    )
    if one.message:
        head.append(f": {clean(line + one.message + place)}")
    out.print(head, overflow="fold")
    if one.right:
        return
    if one.said:
        dims = "".join(f"({rows}×{cols})" for rows, cols in one.dims if one.dims)
        out.print(Text(f"    said   {clean(one.said)}"), overflow="fold")
        if dims:
            out.print(Text(f"           {dims}", "dim"), overflow="fold")
    if one.expected is not None:
        out.print(Text(f"    right  {clean(str(one.expected))}"), overflow="fold")
    if one.notes:
        out.print(Text(f"    note   {clean('; '.join(one.notes))}", "dim"), overflow="fold")


def print_class(files: Sequence["Graded"], out: Console) -> None:
    """A table of files and questions, and what the class gets wrong."""
    from engine.answers.classes import summary

    questions = list(dict.fromkeys(v.question for one in files for v in one.verdicts))
    if len(files) > MOST_COLUMNS:
        by_file(files, questions, out)
    else:
        by_question(files, questions, out)
    found = summary(files)
    if found:
        out.print(Text("\nwhat is wrong, by how many hand-ins make it", "bold"))
    for mistake in found[:MOST_MISTAKES]:
        out.print(
            Text(f"{mistake.count:4}  {clean(mistake.question)}  {clean(mistake.reason)}"),
            overflow="fold",
        )
    if len(found) > MOST_MISTAKES:
        out.print(Text(f"      … {len(found) - MOST_MISTAKES} more: --csv has all", "dim"))


def columns(first: str, others: Sequence[str]) -> Table:
    """A table with a wide first column and narrow others."""
    table = Table(box=None, header_style="dim", padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column(first, overflow="fold")
    for name in others:
        table.add_column(name, justify="center")
    return table


def by_question(files: Sequence["Graded"], questions: Sequence[str], out: Console) -> None:
    """A row for each question, a column for each file."""
    table = columns("question", [str(i + 1) for i in range(len(files))])
    for question in questions:
        table.add_row(clean(question), *(mark(one, question) for one in files))
    table.add_row(Text("right", "bold"), *(total(one) for one in files))
    out.print(table)
    out.print()
    for i, one in enumerate(files, 1):
        out.print(Text(f"{i}  {clean(one.file)}{'  cannot be read' if one.error else ''}"))


def by_file(files: Sequence["Graded"], questions: Sequence[str], out: Console) -> None:
    """A row for each file with all marks in one string, for many files."""
    table = columns("file", ["right", "answers"])
    for one in files:
        table.add_row(
            clean(one.file), total(one), Text.assemble(*(mark(one, q) for q in questions))
        )
    out.print(table)
    out.print(Text(f"\nanswers: {clean(', '.join(questions))}"), overflow="fold")


def total(one: "Graded") -> str:
    """How many answers of a file are right."""
    return f"{one.right}/{len(one.verdicts)}" if not one.error else "–"


def mark(one: "Graded", question: str) -> Text:
    """The worst verdict of a file on a question; · where there is no answer."""
    order = list(MARKS)
    words = [v.verdict for v in one.verdicts if v.question == question]
    if not words:
        return Text("·", "dim")
    worst = max(words, key=order.index)
    return Text(MARKS[worst], STYLES[worst])
