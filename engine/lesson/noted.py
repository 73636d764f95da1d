"""A lesson made of what somebody did: lines of the command language and views, as they happened."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from engine.errors import GradstepError
from engine.files import create
from engine.lesson.reader import WRITING
from engine.lesson.writing import beside_file, caption_lines, opening_line, title_line
from engine.words.command import CommandError
from engine.words.language import parse

HEAD = "# Made of what was done; edit it, and play it with: gradstep lesson FILE"
UNKNOWN = "what this run was opened from is not known here: a lesson begins with `open THING`"
VIEW = "view "


def save_noted(path: Path, thing: str, steps: Iterable[str]) -> str:
    """Write a lesson over ``thing`` into a new file; a sentence about it.

    Raises GradstepError where the file is there already, or nothing is known to open.
    """
    if not thing:
        raise GradstepError(UNKNOWN)
    lines = [line for step in steps for line in step_lines(step)]
    text = "\n".join([HEAD, opening_line(beside_file(thing, path)), "", *lines])
    create(path, f"{text}\n".encode())
    return f"wrote {path}: {len(lines)} lines"


def step_lines(line: str) -> Iterator[str]:
    """A step as a lesson has it: a bookmark is a chapter with its caption, and each word waits."""
    if line.startswith(VIEW):
        yield line
        return
    try:
        parsed = parse(line)
    except CommandError:  # no word
        return
    if parsed is None:
        return
    command, argument, _ = parsed
    name = command.names[0]
    if name == "mark":
        mark, text = argument.split()
        yield title_line(mark.text or "bookmark")
        yield from caption_lines(text.text) if text else ()
        yield "hold"
    elif name not in WRITING:
        yield line.strip()
        yield "hold"
