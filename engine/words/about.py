"""A line about each thing that there is to open, without reading big files whole or running any."""

import csv
import io
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from engine.capture.rows import Rows
from engine.errors import GradstepError
from engine.experiment.builtins import BUILTINS
from engine.files import naming, open_regular
from engine.recording.reader import Reader
from engine.recording.runs import read_branches, read_runs
from engine.toml_text import read_toml
from engine.words.things import Kind, kind_of

MOST_TOML = 2**20  # bytes of an experiment file that are read
HEAD = 2**14  # bytes of a table that are read
MOST_COLUMNS = 6


def about(thing: str) -> str:
    """What a thing is, in a line; why it cannot be told where that is so. Never raises for it."""
    try:
        kind = kind_of(thing)
        match kind:
            case Kind.BUILTIN:
                return about_experiment(BUILTINS / f"{thing}.toml")
            case Kind.EXPERIMENT:
                return about_experiment(Path(thing))
            case Kind.TABLE:
                return about_table(Path(thing))
            case Kind.RECORDING:
                return about_recording(Path(thing))
            case Kind.SCRIPT:
                return "a Python script, which has to be captured first"
    except (GradstepError, ValueError, OverflowError) as problem:
        return str(problem).strip().splitlines()[0].removeprefix(f"{thing}: ")


def about_experiment(path: Path) -> str:
    """What the file says of itself; then how many layers, the loss, and the shape of the data.

    Raises ValueError for what is no TOML, and GradstepError for what cannot be read.
    """
    with naming(path), open_regular(path) as file:
        content = file.read(MOST_TOML + 1)
    if len(content) > MOST_TOML:
        return "an experiment with much data in it"
    try:
        raw = read_toml(content.decode("utf-8-sig").replace("\r\n", "\n"))
    except ValueError as problem:
        return f"not valid TOML: {problem}"
    description = raw.get("description")
    parts = [description] if isinstance(description, str) else []
    parts += [network_of(raw), loss_of(raw), data_of(raw.get("data"))]
    return " · ".join(part for part in parts if part)


def network_of(raw: Mapping[str, Any]) -> str:
    """How many layers there are, and lines."""
    layers, network = raw.get("layers"), raw.get("network")
    found = [counted(len(layers), "layer")] if isinstance(layers, list) and layers else []
    lines = network.get("lines") if isinstance(network, Mapping) else None
    if isinstance(lines, str):
        found.append(counted(len([one for one in lines.splitlines() if one.strip()]), "line"))
    return " and ".join(found)


def counted(number: int, word: str) -> str:
    """A number with its noun."""
    return f"{number} {word}{'s' * (number != 1)}"


def loss_of(raw: Mapping[str, Any]) -> str:
    """The type of the loss."""
    loss = raw.get("loss")
    return str(loss["type"])[:40] if isinstance(loss, Mapping) and "type" in loss else ""


def data_of(data: Any) -> str:
    """The shape of inline data, or the name of the file that they are in."""
    if not isinstance(data, Mapping):
        return ""
    for source in ("csv", "npz", "generate"):
        if isinstance(data.get(source), str):
            return f"{source} {data[source]}"[:60]
    x = data.get("x")
    if not isinstance(x, list) or not x:
        return ""
    shape: list[int] = []
    while isinstance(x, list) and x and len(shape) < 8:
        shape.append(len(x))
        x = x[0]
    return f"x {'×'.join(map(str, shape))}"


def about_table(path: Path) -> str:
    """The columns of a table, as its first line names them, and its size."""
    with naming(path), open_regular(path) as file:
        head = file.read(HEAD)
        size = file.seek(0, 2)
    lines = head.decode("utf-8-sig", "replace").splitlines()
    if not lines:
        return "an empty table"
    separator = max(",;\t|", key=lines[0].count)
    names = next(csv.reader(io.StringIO(lines[0][:4096]), delimiter=separator), [])
    more = f" … ({len(names)})" if len(names) > MOST_COLUMNS else ""
    return f"table of {', '.join(names[:MOST_COLUMNS])}{more} · {size:,} bytes"


def about_recording(path: Path) -> str:
    """The last run of a recording: its experiment, how far it goes, and when it was written."""
    reader = Reader(path)
    try:
        if reader.captured:
            return about_capture(reader)
        runs = read_runs(reader)
        if not runs:
            return "a recording without a run"
        run = runs[-1]
        events = max((one.events for one in read_branches(reader, run.id)), default=0)
    finally:
        reader.close()
    with naming(path):
        date = datetime.fromtimestamp(path.stat().st_mtime).strftime("%Y-%m-%d %H:%M")
    many = f" · {len(runs)} runs" if len(runs) > 1 else ""
    return f"recording of {run.name} · {events:,} events{many} · {date}"


def about_capture(reader: Reader) -> str:
    """A captured script: its name, how far it went and how it ended. Raises Damaged."""
    runs = Rows(reader).processes()
    if not runs:
        return "a captured script of which nothing is written yet"
    first = runs[0]
    ranks = f" · {len(runs)} processes" if len(runs) > 1 else ""
    return f"captured script {first.name} · {first.events:,} events · {first.status}{ranks}"
