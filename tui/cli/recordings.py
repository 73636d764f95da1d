"""Opening a recording for a command, whatever is in it."""

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from engine.recording.reader import Damaged, Reader
from engine.recording.recorded import Recording

F = TypeVar("F", bound=Callable[..., Any])
recording_argument = click.argument("file")


def run_option(function: F) -> F:
    """--run N: which run of the file."""
    return click.option(
        "--run",
        "number",
        type=click.IntRange(1),
        metavar="N",
        help="Which run of the file; the last one by default.",
    )(function)


def damage(recording: Recording) -> list[str]:
    """What is damaged in a recording, and what of it was recomputed on the way, in words."""
    from engine.recording.environment import environment
    from engine.recording.soundness import inspect

    inspect(recording)
    return recording.account.lines(recording.run.environment, environment())


@contextmanager
def opened(file: str, number: int | None = None) -> Iterator[Recording]:
    """One run of a recording; a GradstepError says what is wrong with the file."""
    reader = Reader(Path(file))
    try:
        yield Recording(reader, number)
    except Damaged as problem:
        hint = f"what is still readable: gradstep info {shlex.quote(file)}"
        raise Damaged(f"{problem}\n{hint}") from None
    finally:
        reader.close()
