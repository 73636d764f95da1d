"""What is kept between runs: stops, watches and bookmarks of an experiment, typed commands.

Saving never disturbs a session: a folder that cannot be written only costs the memory.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine.debugger import Debugger
from engine.errors import GradstepError
from engine.files import no_file, read_regular, replacing
from engine.program.program import Program
from engine.session.session import Session
from tui.settings.folders import state_folder
from tui.settings.writable import restricted

MAX_BYTES = 2**20
MAX_LINES = 1000


def session_file(session: Session) -> Path:
    """The JSON file of what a session is of: a recording, an experiment's file, or a built-in.

    Files are told apart by their absolute paths, whatever the experiments in them are called.
    """
    key = origin(session)
    digest = hashlib.sha256(key.encode("utf-8", "surrogateescape"))  # a path of any bytes
    return state_folder() / "stops" / f"{digest.hexdigest()[:24]}.json"


def origin(session: Session) -> str:
    """What a session is of: the path of its file, the run in a recording, the built-in's name."""
    if session.source.recorded:
        from engine.recording.replay import Playback  # SQLite is loaded with it

        if isinstance(session.source, Playback):
            recording = session.source.recording
            return f"{Path(recording.reader.path).resolve()}#{recording.run.id}"
    experiment = session.run.experiment if isinstance(session.run, Program) else None
    if experiment is None:
        return session.run.name
    return str(Path(experiment.file).resolve()) if experiment.file else experiment.name


def restore(debugger: Debugger) -> list[str]:
    """Load the saved stops, watches and bookmarks; a sentence for each that no longer fits.

    Where anything was saved it stands instead of what a recording has.
    """
    data = read(session_file(debugger.session))
    if not isinstance(data, dict):
        return []
    debugger.stops.clear()
    debugger.bookmarks.clear()
    for text in list(debugger.watches):
        debugger.watches.remove(text)
    problems: list[str] = []
    stops, watches = data.get("stops", []), data.get("watches", [])
    if isinstance(stops, list):
        problems += debugger.stops.load(stop for stop in stops if isinstance(stop, dict))
    if isinstance(watches, list):
        problems += debugger.watches.load(text for text in watches if isinstance(text, str))
    marks = data.get("bookmarks", [])
    for mark in marks if isinstance(marks, list) else []:
        with contextlib.suppress(GradstepError, TypeError, ValueError):
            name, event, text = mark
            place = max(0, min(int(event), debugger.run.timeline.end))
            debugger.bookmarks.mark(str(name), place, text)
    return problems


def save(debugger: Debugger) -> None:
    """Save the stops, watches and bookmarks of an experiment; without any its file is removed.

    Not that of a recording, in which there may be others.
    """
    path = session_file(debugger.session)
    data = {
        "experiment": debugger.run.name,
        "stops": debugger.stops.to_list(),
        "watches": list(debugger.watches),
        "bookmarks": [[b.name, b.event, b.text] for b in debugger.bookmarks.values()],
    }
    recorded = debugger.session.source.recorded
    if recorded or any(data[key] for key in ("stops", "watches", "bookmarks")):
        write(path, data)
    else:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def load_lines() -> list[str]:
    """The command lines typed in earlier runs, newest last, MAX_LINES at most."""
    data = read(state_folder() / "history.json")
    if not isinstance(data, list):
        return []
    return [line for line in data if isinstance(line, str)][-MAX_LINES:]


def save_lines(lines: Sequence[str]) -> None:
    """Save the newest MAX_LINES command lines."""
    if lines:
        write(state_folder() / "history.json", list(lines)[-MAX_LINES:])


def read(path: Path) -> Any:
    """The value in a JSON file; None where there is none of at most MAX_BYTES that can be read."""
    try:
        return json.loads(read_regular(path, MAX_BYTES).decode())
    except (GradstepError, OSError, ValueError, RecursionError):
        return None


def write(path: Path, data: Any) -> None:
    """Write a JSON file whole or not at all; where it cannot be written, nothing is.

    From a browser nothing is remembered: what it may write stands elsewhere.
    """
    if restricted():
        return
    with contextlib.suppress(GradstepError, OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(path) and no_file(path):
            return
        with replacing(path) as file:
            # Escapes alone: a path that is no UTF-8 is a text with half characters in it.
            file.write(json.dumps(data, indent=1).encode("ascii"))


def load_tour() -> int:
    """The step of the tour that is next, counted from 0; 0 where it was not begun, or is over."""
    data = read(state_folder() / "tour.json")
    return data if type(data) is int and data >= 0 else 0


def save_tour(step: int) -> None:
    """Remember the step of the tour that is next."""
    write(state_folder() / "tour.json", step)


def first_time() -> bool:
    """Whether the debugger was never opened here before; remembers that it now is.

    False also where nothing can be remembered: a hint at every start would be a nuisance.
    """
    path = state_folder() / "opened"
    if path.exists():
        return False
    write(path, True)
    return path.exists()
