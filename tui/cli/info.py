"""``gradstep info``: what a recording holds."""

from typing import Any

import click

from engine.capture.recognized import is_capture
from engine.errors import GradstepError
from engine.recording.closing import changed
from engine.recording.environment import DECISIVE, shown
from engine.recording.reader import Damaged
from engine.recording.recorded import Recording
from engine.recording.soundness import claims
from engine.run.timeline import Timeline, completed
from engine.strict_json import named
from tui.cli.arguments import json_option
from tui.cli.output import print_json
from tui.cli.recordings import opened, recording_argument, run_option
from tui.cli.status import DONE, NO
from tui.render.text.clean import clean
from tui.render.text.numbers import count_text, nbytes_text


@click.command("info")
@recording_argument
@run_option
@json_option
def info(file: str, number: int | None, as_json: bool) -> int:
    """What the recording FILE holds; 1 where something in it is damaged.

    Tensors and their digests are not read for it: `verify` does that.
    """
    if is_capture(file):
        from tui.cli.captures.info import info as captured_info

        return captured_info(file, number, as_json)
    with opened(file, number) as recording:
        found = recording.reader.problems(everything=True)
        found += changed(recording.reader, recording.run.id)
        about = described(recording, found)
    if as_json:
        print_json(about)
    else:
        for label, text in lines(about):
            click.echo(f"{label:14}{clean(text)}")
    return NO if about["damage"] else DONE


def described(recording: Recording, damage: list[str]) -> dict[str, Any]:
    """The run as plain data; what cannot be read is left out and named under ``damage``."""
    run = recording.run
    about: dict[str, Any] = {
        "runs": [
            {"run": other.id, "experiment": other.name, "status": other.status}
            for other in recording.runs
        ],
        "run": run.id,
        "experiment": run.name,
        "gradstep": run.gradstep,
        "status": run.status,
        "note": "; ".join(filter(None, (run.note, lost_log(recording)))),
        "store": run.store,
        "spacing": run.spacing,
        "bytes": recording.reader.size,
        "environment": run.environment,
        "branches": [],
        "bookmarks": [],
        "stops": [],
        "watches": [],
        "damage": damage,
    }
    for name, read in (("program", program), ("branches", branches), ("places", marks)):
        try:
            found = read(recording)
            damage += found.pop("damage", [])
            about |= found
        except Damaged as problem:
            damage.append(problem.what)
        except GradstepError as problem:
            damage.append(f"{name}: {problem}")
    about["damage"] = list(dict.fromkeys(damage))
    return about


def lost_log(recording: Recording) -> str:
    """What to say of a run that was not closed, in a file without its log; else nothing."""
    if recording.run.status != "recording":
        return ""
    return recording.reader.hint.removeprefix("; ")


def program(recording: Recording) -> dict[str, Any]:
    """The ops of an iteration, the bytes of the parameters, the rows of data."""
    found = recording.program
    return {
        "ops": len(found.ops),
        "parameters": sum(info.nbytes for info in found.parameters),
        "rows": len(found.data),
    }


def branches(recording: Recording) -> dict[str, Any]:
    """The branches with their edits, losses and metrics, and what of their rows cannot be."""
    timeline: Timeline = recording.program.timeline
    found, damage = [], []
    for branch in recording.branches.values():
        damage += [problem.what for problem in claims(recording, branch)]
        losses = recording.losses(branch)
        found.append(
            {
                "name": branch.name,
                "parent": branch.parent,
                "fork": branch.fork,
                "events": branch.events,
                "iterations": completed(timeline, branch.events),
                "edits": [str(entry) for entry in branch.journal],
                "first_loss": losses[0] if losses else None,
                "last_loss": losses[-1] if losses else None,
                "metrics": [
                    {"iteration": i, "name": name, "value": value}
                    for i, name, value in recording.metrics(branch)
                ],
            }
        )
    return {"branches": found, "damage": damage}


def marks(recording: Recording) -> dict[str, Any]:
    """The bookmarks, stops and watches that are sound; the others are named under ``damage``."""
    found = recording.marks
    return {
        "bookmarks": [
            {"name": mark.name, "event": mark.event, "text": mark.text} for mark in found.bookmarks
        ],
        "stops": found.texts,
        "watches": found.watches,
        "damage": found.problems,
    }


def lines(about: dict[str, Any]) -> list[tuple[str, str]]:
    """The lines for people: label, text."""
    size = nbytes_text(about["bytes"])
    store = about["store"] + (f", a keyframe every {about['spacing']} iterations")
    found = [
        ("experiment", about["experiment"]),
        ("run", f"{about['run']} of {len(about['runs'])}, {about['status']}"),
        ("store", f"{store}, {size}"),
        ("gradstep", about["gradstep"]),
    ]
    found += [("note", about["note"])] if about["note"] else []
    for branch in about["branches"]:
        events = f"{count_text(branch['events'])} events, {count_text(branch['iterations'])} it"
        fork = f", left {branch['parent']} at #{branch['fork']}" if branch["parent"] else ""
        first, last = named(branch["first_loss"]), named(branch["last_loss"])
        found.append(("branch", f"{branch['name']}: {events}{fork}, loss {first} … {last}"))
        found += [("  edit", text) for text in branch["edits"]]
        found += [
            ("  metric", f"{m['name']} {named(m['value'])} after iteration {m['iteration']}")
            for m in branch["metrics"]
        ]
    found += [
        ("bookmark", f"'{mark['name']} #{mark['event']} {mark['text']}")
        for mark in about["bookmarks"]
    ]
    found += [("stop", text) for text in about["stops"]]
    found += [("watch", text) for text in about["watches"]]
    environment = about["environment"]
    found += [(key, shown(environment.get(key))) for key in DECISIVE]
    found += [("damaged", problem) for problem in about["damage"]]
    return found
