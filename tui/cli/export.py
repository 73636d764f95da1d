"""``gradstep export``: a recording for other programs and for people."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click

from engine.capture.recognized import is_capture
from engine.errors import GradstepError
from engine.files import naming, replacing
from engine.pytorch.script import torch_script
from engine.recording.as_toml import experiment_toml
from engine.recording.export import recorded_arrays, recorded_lines
from engine.recording.recorded import Recording
from engine.recording.scalars import Scalars, csv_of, scalars_of
from engine.session.branches import MAIN
from engine.strict_json import strict_json
from tui.cli.npz import npz
from tui.cli.output import note
from tui.cli.recordings import damage, opened, run_option
from tui.cli.report import report
from tui.cli.status import DONE, NO

FORMATS = ("jsonl", "npz", "csv", "markdown", "script", "toml")


@click.command("export")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--to", "form", type=click.Choice(FORMATS), required=True, help="Which form.")
@click.option("-o", "--output", metavar="OUT", help="Where to; stdout by default.")
@click.option("--branch", help="Which branch of the run: main, with csv all of them by default.")
@run_option
def export(
    files: tuple[str, ...], form: str, output: str | None, branch: str | None, number: int | None
) -> int:
    """The recording FILE in another form; with csv several of them.

    jsonl: the lines of `trace --json --values`. npz: parameters after every iteration, losses,
    data. csv: loss, hyper-parameters and metrics by iteration. markdown: a report. script: a
    PyTorch script of the experiment. toml: the experiment itself, with its data. 1 where something
    in FILE is damaged: what could not be read is recomputed, and told.
    """
    if form == "npz" and output is None and sys.stdout.isatty():
        raise click.UsageError("an npz file is not for a terminal: give -o OUT")
    if len(files) > 1 and form != "csv":
        raise click.UsageError(f"--to {form} takes one recording; --to csv alone takes several")
    found: list[str] = []
    with target(output, files) as out:
        for piece in pieces(files, form, branch, number, found):
            out.write(piece)
    if output not in (None, "-"):
        note(f"wrote {output}")
    for said in found:
        note(said)
    return NO if found else DONE


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
