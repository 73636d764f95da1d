"""``gradstep export`` of a lesson: a page, a terminal recording, Markdown."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from engine.errors import GradstepError
from engine.lesson.steps import Lesson
from tui.cli.output import console, note
from tui.render.text.numbers import nbytes_text

if TYPE_CHECKING:
    from tui.lesson.walk import Picture

FORMS = ("html", "cast", "markdown")
SIZE = (120, 40)
LEAST, MOST = (20, 10), (300, 100)  # columns and rows of a picture


def size_of(ctx: click.Context, param: click.Parameter, value: str) -> tuple[int, int]:
    """Callback of --size: columns and rows. Raises BadParameter where these are none."""
    width, _, height = value.lower().replace("×", "x").partition("x")
    if not (width.isascii() and width.isdigit() and height.isascii() and height.isdigit()):
        raise click.BadParameter("columns and rows, as 120x40", ctx, param)
    found = int(width[:6]), int(height[:6])
    if not all(a <= b <= c for a, b, c in zip(LEAST, found, MOST, strict=True)):
        raise click.BadParameter(f"from {LEAST[0]}x{LEAST[1]} to {MOST[0]}x{MOST[1]}", ctx, param)
    return found


def exported(lesson: Lesson, form: str, size: tuple[int, int]) -> Iterator[bytes]:
    """The bytes of a lesson in another form; how long it took and what it is are noted."""
    began = time.monotonic()
    if form == "markdown":
        from engine.lesson.markdown import Notes
        from engine.lesson.opened import opened
        from engine.lesson.perform import Performance

        with opened(lesson) as debugger:
            for line in Notes(lesson, Performance(lesson, debugger)).lines():
                yield line.encode() + b"\n"
        return
    if form == "cast":
        from tui.lesson.cast import cast_lines

        dark = pictures(lesson, size, "gradstep-dark", "pictures")
        text = "".join(f"{line}\n" for line in cast_lines(lesson.title, size, dark))
    else:
        from tui.lesson.html import page

        dark = pictures(lesson, size, "gradstep-dark", "pictures in the dark")
        light = pictures(lesson, size, "gradstep-light", "and in the light")
        text = page(lesson.title, lesson.thing, dark, light)
    content = text.encode()
    spent = time.monotonic() - began
    note(f"{len(dark)} steps, {nbytes_text(len(content))}, {spent:.1f} s{most_memory()}")
    yield content


def most_memory() -> str:
    """The most memory that the process has had, in words; empty where the system does not say."""
    try:
        import resource
    except ImportError:
        return ""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return f", {nbytes_text(most if sys.platform == 'darwin' else most * 1024)} of memory"


def pictures(lesson: Lesson, size: tuple[int, int], theme: str, doing: str) -> "list[Picture]":
    """The pictures of a lesson in a theme, with a bar on stderr where that is a terminal."""
    from tui.lesson.walk import walk

    found: list[Picture] = []
    with counting(doing, len(lesson.steps)) as done:

        def seen(picture: "Picture") -> None:
            found.append(picture)
            done(picture.step)

        walk(lesson, size, theme, seen)
    return found


@contextmanager
def counting(doing: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar of so many steps; what is yielded is called with how many are done."""
    to = console(stderr=True)
    if not to.is_terminal:
        yield lambda done: None
        return
    from rich.progress import Progress

    with Progress(console=to, transient=True) as bar:
        task = bar.add_task(doing, total=total)
        yield lambda done: bar.update(task, completed=done)


def refuse(form: str) -> GradstepError:
    """The error of a form that a lesson has not."""
    return GradstepError(f"a lesson has no form {form!r}; it has {', '.join(FORMS)}")
