"""``gradstep new``: an experiment file to start from, with the data it needs beside it."""

import os
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

import click
from click.core import ParameterSource

from engine.errors import GradstepError
from engine.experiment.builtins import BUILTINS, DEFAULT, builtin_names
from engine.files import create, naming, no_file
from engine.wording import nearest
from tui.render.text.clean import clean

DATA_FIELD = re.compile(r'^((?:csv|npz) *= *)"(data/[^"]+)"', re.MULTILINE)
NAME_FIELD = re.compile(r"^name = .*$", re.MULTILINE)
SOURCES_LINE = re.compile(r"^# Source and licence of the data: .*$", re.MULTILINE)
NAME_HINT = '# name = "…"  # the name of this file, unless one is given here'


@click.command("new")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--from",
    "builtin",
    default=DEFAULT,
    show_default=True,
    metavar="NAME",
    help="The built-in experiment to start from.",
)
@click.option("--csv", "data", metavar="DATA", help="A table of your own to learn from.")
@click.option(
    "--target",
    "targets",
    multiple=True,
    metavar="COLUMN",
    help="What to predict from the other columns of DATA; may be given several times.",
)
@click.pass_context
def new(
    ctx: click.Context, file: Path, builtin: str, data: str | None, targets: tuple[str, ...]
) -> None:
    """Write a commented experiment file to start from; nothing is ever overwritten.

    A data file that the built-in experiment reads is written into the same folder. With --csv the
    file is fitted to a table of your own, which stays where it is.
    """
    if data is None and targets:
        raise click.UsageError("--target names columns of a table: give --csv DATA too")
    if data is not None and ctx.get_parameter_source("builtin") is not ParameterSource.DEFAULT:
        raise click.UsageError("--from and --csv exclude each other: give one of them")
    if file.suffix != ".toml":
        raise GradstepError(f"{file}: the name of an experiment file ends in .toml")
    if builtin not in builtin_names():
        raise GradstepError(
            f"--from {builtin}: no such built-in experiment; {nearest(builtin, builtin_names())}"
        )
    files = files_of(file, builtin) if data is None else fitted_files(file, Path(data), targets)
    for path in write_all(files):
        click.echo(f"wrote {clean(str(path))}")
    check(file)
    click.echo(f"next: gradstep run {clean(shlex.quote(str(file)))}", err=True)


def fitted_files(file: Path, data: Path, targets: Sequence[str]) -> dict[Path, bytes]:
    """The experiment fitted to a table, compiled before anything is written.

    Raises ExperimentError, or a GradstepError that lists the columns.
    """
    from engine.experiment.fitted import fitted_text
    from engine.experiment.reader import read_experiment
    from engine.program.compiler import compile_program
    from engine.toml_text import read_toml

    text = fitted_text(file, data, targets)
    folder = str(file.parent)
    compile_program(read_experiment(read_toml(text), str(file), file.stem, folder))
    return {file: text.encode()}


def files_of(file: Path, builtin: str) -> dict[Path, bytes]:
    """What is to be written: the data file, where there is one, and the experiment."""
    text = NAME_FIELD.sub(NAME_HINT, (BUILTINS / f"{builtin}.toml").read_text("utf-8"), count=1)
    found = DATA_FIELD.search(text)
    if found is None:
        return {file: text.encode()}
    data = BUILTINS / found[2]
    text = DATA_FIELD.sub(rf'\1"{data.name}"', text)
    text = SOURCES_LINE.sub(lambda _: licence(data.name), text)
    return {file.parent / data.name: data.read_bytes(), file: text.encode()}


def licence(data: str) -> str:
    """The source and licence of a data file as comment lines of an experiment file."""
    sections = (BUILTINS / "data" / "SOURCES.md").read_text("utf-8").split("\n## ")
    section = next(part for part in sections if part.startswith(f"{data}\n"))
    return "\n".join(f"# {line}".rstrip() for line in section.strip().splitlines())


def write_all(files: dict[Path, bytes]) -> list[Path]:
    """Write the files that are not there yet; their paths.

    Raises GradstepError, before anything is written, where one is there with other bytes.
    """
    missing = []
    for path, content in files.items():
        with naming(path):
            if not os.path.lexists(path):
                missing.append(path)
            elif path.suffix == ".toml" or not same(path, content):
                raise GradstepError(f"{path}: is there already and is not overwritten")
    written: list[Path] = []
    try:
        for path in missing:
            create(path, files[path])
            written.append(path)
    except BaseException:  # half of it would be in the way of the next attempt
        for path in written:
            path.unlink(missing_ok=True)
        raise
    return missing


def same(path: Path, content: bytes) -> bool:
    """Whether a regular file with just this content is there."""
    return not no_file(path) and path.read_bytes() == content


def check(file: Path) -> None:
    """Load and compile what was written; raises ExperimentError."""
    from engine.experiment.reader import load_experiment
    from engine.program.compiler import compile_program

    compile_program(load_experiment(str(file)))
