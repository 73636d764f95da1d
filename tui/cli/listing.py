"""``gradstep list``: the built-in experiments and the lessons that come along, a line each."""

import sys
import tomllib
from collections.abc import Mapping, Sequence
from shutil import get_terminal_size
from textwrap import wrap

import click

from engine.experiment.builtins import BUILTINS, builtin_names
from engine.lesson.shipped import described, shipped_names
from tui.cli.arguments import json_option
from tui.cli.output import colours, print_json

LESSONS = "lessons, played by `gradstep lesson NAME`:"


@click.command("list")
@click.option("--lessons", "lessons_alone", is_flag=True, help="The lessons alone.")
@json_option
def list_experiments(as_json: bool, lessons_alone: bool) -> None:
    """The built-in experiments, a line each, then the lessons that come with gradstep.

    With --json: a list of {"name", "description"}, of the experiments or with --lessons of these.
    """
    lessons = [{"name": name, "description": described(name)} for name in shipped_names()]
    found = [{"name": name, "description": description(name)} for name in builtin_names()]
    if as_json:
        print_json(lessons if lessons_alone else found, indent=1)
        return
    width = max(len(entry["name"]) for entry in (*found, *lessons)) + 2
    if not lessons_alone:
        print_entries(found, width)
        click.echo(f"\n{LESSONS}")
    print_entries(lessons, width)


def print_entries(entries: Sequence[Mapping[str, str]], width: int) -> None:
    """Names and descriptions, a line each."""
    for entry in entries:
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
