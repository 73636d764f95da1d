"""``gradstep list``: the built-in experiments, a line each."""

import sys
import tomllib
from shutil import get_terminal_size
from textwrap import wrap

import click

from engine.experiment.builtins import BUILTINS, builtin_names
from tui.cli.arguments import json_option
from tui.cli.output import colours, print_json


@click.command("list")
@json_option
def list_experiments(as_json: bool) -> None:
    """The built-in experiments, a line each.

    With --json: a list of {"name", "description"}.
    """
    found = [{"name": name, "description": description(name)} for name in builtin_names()]
    if as_json:
        print_json(found, indent=1)
        return
    width = max(len(entry["name"]) for entry in found) + 2
    for entry in found:
        name = click.style(entry["name"].ljust(width), bold=True)
        click.echo(name + hanging(entry["description"], width), color=colours())


def description(name: str) -> str:
    """What the file of a built-in says about it; only read, not checked."""
    with (BUILTINS / f"{name}.toml").open("rb") as file:
        return str(tomllib.load(file).get("description", ""))


def hanging(text: str, indent: int) -> str:
    """The text as it is for a pipe; broken to the width of a terminal, under itself."""
    if sys.stdout is None or not sys.stdout.isatty():
        return text
    room = max(20, get_terminal_size().columns - indent)
    return ("\n" + " " * indent).join(wrap(text, room))
