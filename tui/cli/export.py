"""``gradstep export``: a recording for other programs and for people."""

import io
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import click
import numpy as np

from engine.errors import GradstepError
from engine.files import naming, replacing
from engine.pytorch.script import torch_script
from engine.recording.as_toml import experiment_toml
from engine.recording.export import recorded_arrays, recorded_lines
from engine.recording.recorded import Recording
from engine.strict_json import strict_json
from tui.cli.output import note
from tui.cli.recordings import damage, opened, recording_argument, run_option
from tui.cli.report import report
from tui.cli.status import DONE, NO

FORMATS = ("jsonl", "npz", "markdown", "script", "toml")


@click.command("export")
@recording_argument
@click.option("--to", "form", type=click.Choice(FORMATS), required=True, help="Which form.")
@click.option("-o", "--output", metavar="OUT", help="Where to; stdout by default.")
@click.option("--branch", default="main", show_default=True, help="Which branch of the run.")
@run_option
def export(file: str, form: str, output: str | None, branch: str, number: int | None) -> int:
    """The recording FILE in another form.

    jsonl: the lines of `trace --json --values`. npz: parameters after every iteration, losses,
    data. markdown: a report. script: a PyTorch script of the experiment. toml: the experiment
    itself, with its data. 1 where something in FILE is damaged: what could not be read is
    recomputed, and told.
    """
    if form == "npz" and output is None and sys.stdout.isatty():
        raise click.UsageError("an npz file is not for a terminal: give -o OUT")
    with opened(file, number) as recording:
        if branch not in recording.branches:
            known = ", ".join(recording.branches)
            raise GradstepError(f"{file}: no branch {branch!r}; there are: {known}")
        with target(output, Path(file)) as out:
            for piece in pieces(recording, form, branch):
                out.write(piece)
        found = damage(recording)
    if output not in (None, "-"):
        note(f"wrote {output}")
    for said in found:
        note(f"{file}: {said}")
    return NO if found else DONE


def pieces(recording: Recording, form: str, branch: str) -> Iterator[bytes]:
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


def npz(arrays: Mapping[str, Any]) -> bytes:
    """Arrays as a compressed NPZ file."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


@contextmanager
def target(output: str | None, recorded: Path) -> Iterator[IO[bytes]]:
    """The stream that an export goes to; raises GradstepError where it is the recording itself."""
    if output is None or output == "-":
        yield sys.stdout.buffer
        return
    path = Path(output)
    with naming(path):
        itself = path.exists() and path.samefile(recorded)
    if itself:
        raise GradstepError(f"{output}: is the recording itself; choose another file")
    with replacing(path) as file:
        yield file
