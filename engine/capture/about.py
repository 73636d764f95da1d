"""What a captured recording holds, as plain data."""

from signal import Signals
from typing import Any, Final

from engine.capture.captured import CapturedRun
from engine.capture.closing import changed_parts
from engine.capture.rows import CapturedProcess
from engine.recording.reader import Damaged
from engine.run.position_text import format_position

SIGNALLED: Final = 128  # a shell adds the number of a signal to it


def about(run: CapturedRun) -> dict[str, Any]:
    """The run, and the file that it is in."""
    stored, timeline = run.stored, run.timeline
    process = stored.run
    parameters = [one for one in run.tensors.values() if one.role == "parameter"]
    odd = run.places.first_odd(0, timeline.end)
    return {
        "captured": run.name,
        "runs": [
            {"run": one.id, "rank": one.rank, "events": one.events, "status": one.status}
            for one in stored.runs
        ],
        "run": process.id,
        "rank": process.rank,
        "world": process.world,
        "gradstep": process.gradstep,
        "status": process.status,
        "end": ending(process, run),
        "note": process.note,
        "bytes": stored.reader.size,
        "command": process.command,
        "process": process.process,
        "events": timeline.end,
        "iterations": timeline.iterations,
        "shapes": len(timeline.listings),
        "ops": len(timeline.listings[0]),
        "tensors": len(run.tensors),
        "parameters": len(parameters),
        "parameter_bytes": sum(one.nbytes for one in parameters),
        "loss": run.loss,
        "first_loss": run.losses[0] if run.losses else None,
        "last_loss": run.losses[-1] if run.losses else None,
        "first_not_finite": None
        if odd is None
        else {"event": odd, "place": format_position(run, odd), "op": timeline.op(odd).formula},
        "sources": list(stored.sources),
        "damage": damage(run),
    }


def ending(process: CapturedProcess, run: CapturedRun) -> str:
    """How the process ended, in words."""
    found = process.ending
    place = f"in iteration {run.timeline.iterations}, at event #{run.timeline.end}"
    raised = found.get("raised")
    if process.status == "recording":
        return f"not closed: it is being written, or was ended {place}"
    if isinstance(raised, dict):
        said = f": {raised.get('text')}" if raised.get("text") else ""
        return f"{raised.get('type')}{said} {place}"
    number = found.get("signal")
    if number is not None:
        return f"ended by signal {number} {place}"
    if process.status == "interrupted":
        words = {"untrustworthy": "stopped reading what it sent", "left": "stopped listening"}
        why = words.get(str(found.get("reason")), "it went without a word")
        text = found.get("text")
        return f"{why} {place}" + (f": {text}" if text else outcome(found.get("exit")))
    return f"exit status {found.get('exit')}"


def outcome(status: object) -> str:
    """What the command's exit status says of an end without a word."""
    if not isinstance(status, int):
        return ""
    if status - SIGNALLED in set(Signals):
        killer = Signals(status - SIGNALLED)
        return f"; the command was ended by signal {killer:d}, {killer.name}"
    return f"; the exit status is {status}"


def damage(run: CapturedRun) -> list[str]:
    """What is not as it was when the run was closed; its values are not looked at."""
    try:
        return changed_parts(run.stored.reader, run.stored.run.id) or []
    except Damaged as problem:
        return [problem.what]
