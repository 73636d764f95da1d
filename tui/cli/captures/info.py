"""``gradstep info`` of a captured script."""

from typing import Any

import click

from engine.capture.about import about
from engine.capture.opened import opened_capture
from engine.strict_json import named
from tui.cli.output import print_json
from tui.cli.status import DONE, NO
from tui.render.text.clean import clean
from tui.render.text.numbers import count_text, nbytes_text

WIDTH = 14


def info(name: str, number: int | None, as_json: bool) -> int:
    """Print what a captured recording holds; 1 where something in it is damaged."""
    with opened_capture(name, number) as run:
        found = about(run)
        found["damage"] += run.stored.reader.problems(everything=True)
    if as_json:
        print_json(found)
    else:
        for label, text in lines(found):
            click.echo(f"{label:{WIDTH}}{clean(text)}")
    return NO if found["damage"] else DONE


def lines(found: dict[str, Any]) -> list[tuple[str, str]]:
    """The lines for people: label, text."""
    command, process = found["command"], found["process"]
    rank = f", rank {found['rank']} of {found['world']}" if found["world"] > 1 else ""
    listed = [
        ("captured", f"{found['captured']}{rank}"),
        ("command", " ".join(map(str, command.get("arguments", ())))),
        ("directory", str(command.get("directory", ""))),
        ("run", f"{found['run']} of {len(found['runs'])}, {found['status']}: {found['end']}"),
        ("events", events_text(found)),
        (
            "parameters",
            f"{several(found['parameters'], 'tensor')}, {nbytes_text(found['parameter_bytes'])}",
        ),
        ("loss", loss_text(found)),
        ("file", nbytes_text(found["bytes"])),
        ("python", f"{process.get('python')}, torch {process.get('torch')}"),
        ("depth", str(process.get("depth"))),
        ("gradstep", found["gradstep"]),
    ]
    odd = found["first_not_finite"]
    if odd is not None:
        listed.append(("not finite", f"first #{odd['event']} {odd['place']}  {odd['op']}"))
    listed += [("source", path) for path in found["sources"]]
    listed += [("note", found["note"])] if found["note"] else []
    others = [one for one in found["runs"] if one["run"] != found["run"]]
    listed += [
        ("other run", f"{one['run']}: rank {one['rank']}, {count_text(one['events'])} events")
        for one in others
    ]
    return [*listed, *(("damaged", problem) for problem in found["damage"])]


def several(number: int, noun: str) -> str:
    """A number with its noun."""
    return f"{count_text(number)} {noun}{'s' * (number != 1)}"


def events_text(found: dict[str, Any]) -> str:
    """How many events, in how many iterations, of how many kinds."""
    said = f"{count_text(found['events'])} in {several(found['iterations'], 'iteration')}"
    if found["shapes"] == 1:
        return f"{said} of {several(found['ops'], 'op')} each"
    kinds, ops = several(found["shapes"], "kind"), several(found["ops"], "op")
    return f"{said} of {kinds}, the commonest of {ops}"


def loss_text(found: dict[str, Any]) -> str:
    """The name of the loss, its first and its last value."""
    if found["loss"] is None:
        return "none known: nothing went backward"
    return f"{found['loss']}: {named(found['first_loss'])} … {named(found['last_loss'])}"
