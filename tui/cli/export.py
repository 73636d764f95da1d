"""``gradstep export``: a recording, or a lesson, for other programs and for people."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO

import click

from engine.capture.recognized import is_capture
from engine.errors import GradstepError
from engine.files import naming, replacing
from engine.lesson.reader import load_lesson, names_lesson, read_lesson
from engine.lesson.writing import beside_file, lesson_of
from engine.pytorch.script import torch_script
from engine.recording.as_toml import experiment_toml
from engine.recording.export import recorded_arrays, recorded_lines
from engine.recording.recorded import Recording
from engine.recording.replay import open_debugger
from engine.recording.scalars import Scalars, csv_of, scalars_of
from engine.session.branches import MAIN
from engine.strict_json import strict_json
from tui.cli.lesson_export import FORMS, exported, refuse, size_of
from tui.cli.npz import npz
from tui.cli.output import note
from tui.cli.recordings import damage, opened, run_option
from tui.cli.report import report
from tui.cli.status import DONE, NO

TOLD = ("html", "cast", "lesson")  # of a lesson over the recording
FORMATS = ("jsonl", "npz", "csv", "markdown", "script", "toml", "html", "cast", "lesson")


@click.command("export")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--to", "form", type=click.Choice(FORMATS), required=True, help="Which form.")
@click.option("-o", "--output", metavar="OUT", help="Where to; stdout by default.")
@click.option("--branch", help="Which branch of the run: main, with csv all of them by default.")
@click.option(
    "--size",
    default="120x40",
    show_default=True,
    callback=size_of,
    metavar="COLUMNSxROWS",
    help="Of the terminal in html and cast.",
)
@run_option
def export(
    files: tuple[str, ...],
    form: str,
    output: str | None,
    branch: str | None,
    number: int | None,
    size: tuple[int, int],
) -> int:
    """The recording or the lesson FILE in another form; with csv several recordings.

    jsonl: the lines of `trace --json --values`. npz: parameters after every iteration, losses,
    data. csv: loss, hyper-parameters and metrics by iteration. markdown: a report. script: a
    PyTorch script of the experiment. toml: the experiment itself, with its data. html: a page that
    needs nothing else, with the screen at each step. cast: a terminal recording, asciicast v2.
    lesson: a script of its bookmarks, to be edited and played. A lesson has html, cast, markdown.

    1 where something in FILE is damaged: what could not be read is recomputed, and told.
    """
    if form == "npz" and output is None and sys.stdout.isatty():
        raise click.UsageError("an npz file is not for a terminal: give -o OUT")
    if len(files) > 1 and form != "csv":
        raise click.UsageError(f"--to {form} takes one recording; --to csv alone takes several")
    if names_lesson(files[0]):
        return export_lesson(files[0], form, output, size)
    if form in TOLD:
        return export_told(files[0], form, output, size, number)
    if form == "toml" and output not in (None, "-") and is_capture(files[0]):
        return export_experiment(files[0], Path(output), number)
    found: list[str] = []
    with target(output, files) as out:
        for piece in pieces(files, form, branch, number, found):
            out.write(piece)
    if output not in (None, "-"):
        note(f"wrote {output}")
    for said in found:
        note(said)
    return NO if found else DONE


def export_experiment(file: str, output: Path, number: int | None) -> int:
    """Write a captured script as an experiment, large numbers into a file beside it."""
    from engine.capture.opened import opened_capture
    from tui.cli.captures.export import experiment_beside

    with opened_capture(file, number) as run:
        text, beside, notes = experiment_beside(run, output)
    with target(str(output), [file]) as out:
        out.write(text.encode())
    note(f"wrote {output}{f' and {beside}' if beside is not None else ''}")
    for said in notes:
        note(said)
    return DONE


def export_lesson(file: str, form: str, output: str | None, size: tuple[int, int]) -> int:
    """Write a lesson in another form."""
    lesson = load_lesson(file)
    if form not in FORMS:
        raise refuse(form)
    with target(output, [lesson.file]) as out:
        for piece in exported(lesson, form, size):
            out.write(piece)
    if output not in (None, "-"):
        note(f"wrote {output}")
    return DONE


def export_told(
    file: str, form: str, output: str | None, size: tuple[int, int], number: int | None
) -> int:
    """Write a recording as a lesson over it, or that lesson in another form."""
    if number is not None:
        raise click.UsageError(f"--run is not for {form}: it is over the last run of the file")
    thing = beside_file(file, Path(output or "lesson")) if form == "lesson" else file
    text, found = told(file, thing)
    with target(output, [file]) as out:
        if form == "lesson":
            out.write(text.encode())
        else:
            lesson = replace(read_lesson(text, file), thing=str(Path(file).resolve()))
            for piece in exported(lesson, form, size):
                out.write(piece)
    if output not in (None, "-"):
        note(f"wrote {output}")
    for said in found:
        note(f"{file}: {said}")
    return NO if found else DONE


def told(file: str, thing: str) -> tuple[str, list[str]]:
    """The lesson over a recording that opens ``thing``, and what is damaged in the recording."""
    if not is_capture(file):
        with opened(file) as recording:
            return lesson_of(open_debugger(recording)[0], thing), damage(recording)
    from engine.capture.opened import debugger_of, opened_capture

    with opened_capture(file) as run:
        text = lesson_of(debugger_of(run), thing)
        return text, [run.places.trouble] if run.places.trouble else []


def pieces(
    files: Sequence[str], form: str, branch: str | None, number: int | None, found: list[str]
) -> Iterator[bytes]:
    """The bytes of an export, one after the other; what is damaged goes into ``found``."""
    tables: list[Scalars] = []
    for file in files:
        if is_capture(file):
            yield from of_capture(file, form, number, tables)
            continue
        with opened(file, number) as recording:
            wanted = branch if form == "csv" else branch or MAIN
            if wanted is not None and wanted not in recording.branches:
                known = ", ".join(recording.branches)
                raise GradstepError(f"{file}: no branch {wanted!r}; there are: {known}")
            if form == "csv":
                tables += scalars_of(recording, file, branch)
            else:
                yield from written(recording, form, branch or MAIN)
            found += (f"{file}: {said}" for said in damage(recording))
    if form == "csv":
        yield from (line.encode("utf-8", "backslashreplace") for line in csv_of(tables))


def of_capture(file: str, form: str, number: int | None, tables: list[Scalars]) -> Iterator[bytes]:
    """The bytes of an export of a captured script; its scalars go into ``tables``."""
    from engine.capture.opened import opened_capture
    from tui.cli.captures.export import pieces as pieces_of_capture
    from tui.cli.captures.export import scalars as scalars_of_capture

    with opened_capture(file, number) as run:
        if form == "csv":
            tables.append(scalars_of_capture(run, file))
        else:
            yield from pieces_of_capture(run, form)


def written(recording: Recording, form: str, branch: str) -> Iterator[bytes]:
    """The bytes of an export, one after the other."""
    match form:
        case "jsonl":
            for line in recorded_lines(recording, branch, with_values=True):
                yield strict_json(line).encode() + b"\n"
        case "npz":
            yield npz(recorded_arrays(recording, branch))
        case "markdown":
            yield report(recording, branch).encode()
        case "toml":
            yield experiment_toml(recording.program).encode()
        case _:
            yield torch_script(recording, branch).encode()


@contextmanager
def target(output: str | None, recorded: Sequence[str]) -> Iterator[IO[bytes]]:
    """The stream that an export goes to; raises GradstepError where it is the recording itself."""
    if output is None or output == "-":
        yield sys.stdout.buffer
        return
    path = Path(output)
    with naming(path):
        itself = path.exists() and any(
            os.path.exists(one) and path.samefile(one) for one in recorded
        )
    if itself:
        raise GradstepError(f"{output}: is the recording itself; choose another file")
    with replacing(path) as file:
        yield file
