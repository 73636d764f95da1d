"""The runs of a recording and their branches, as their rows say."""

from dataclasses import dataclass
from typing import Any

from engine.errors import GradstepError
from engine.recording.canonical import parse
from engine.recording.reader import Damaged, Reader
from engine.session.journal import Journal

COLUMNS = (
    *("id", "gradstep", "name", "store", "status", "note", "ops", "width", "spacing"),
    "environment",
)
RUN = f"SELECT {', '.join(COLUMNS)} FROM run"


@dataclass(frozen=True)
class RecordedRun:
    """One run of a recording, as its row says."""

    id: int
    gradstep: str
    name: str
    store: str
    status: str
    note: str
    ops: int
    width: int
    spacing: int
    environment: dict[str, Any]


@dataclass(frozen=True)
class RecordedBranch:
    """One branch: ``events`` is how many it has, those before ``fork`` in its parent."""

    id: int
    name: str
    parent: str | None
    fork: int
    events: int
    journal: Journal


def read_runs(reader: Reader) -> list[RecordedRun]:
    """The runs of a recording, oldest first; Damaged where a row is not as it was written."""
    rows = reader.rows(RUN + " ORDER BY id", (), "isssssiiis")
    runs = []
    for row in rows:
        try:
            about = parse(row[9], "environment")
        except GradstepError as problem:
            raise Damaged(f"{reader.path}: damaged: {problem}") from None
        run = dict(zip(COLUMNS, row, strict=True))
        run["environment"] = about if isinstance(about, dict) else {}
        runs.append(RecordedRun(**run))
    return runs
