"""Printing: JSON for programs, tables for people, notes aside."""

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from engine.strict_json import strict_json
from tui.render.text.clean import clean

if TYPE_CHECKING:
    from tui.cli.console import PlainConsole


def print_json(value: Any, indent: int | None = None) -> None:
    """A value as strict JSON on stdout, in UTF-8 whatever the encoding of the terminal.

    It is handed over at once, for readers that follow.
    """
    click.echo(strict_json(value, indent).encode())


def note(text: str) -> None:
    """A remark for people, on stderr; where nobody is there to read it, none."""
    with suppress(OSError):
        click.echo(clean(text), err=True)


def console(stderr: bool = False) -> "PlainConsole":
    """A console for tables and progress; rich is imported now."""
    from tui.cli.console import PlainConsole

    return PlainConsole(stderr)


def colours() -> bool | None:
    """What click is told about colours: none where NO_COLOR is set, else by the terminal."""
    return False if os.environ.get("NO_COLOR") else None
