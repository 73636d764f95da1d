"""The runs of a recording and their branches, as their rows say."""

from dataclasses import dataclass
from typing import Any

from engine.errors import GradstepError
from engine.recording.canonical import parse, parse_journal
from engine.recording.digests import journal_digest
from engine.recording.reader import Damaged, Reader
from engine.session.branches import is_branch_name
from engine.session.journal import Journal

# More than anybody has: a file that claims more is not believed, before memory is taken for it.
MOST_RUNS = MOST_BRANCHES = 4096
MOST_EDITS = 2**16  # of one branch
MOST_EDIT_TEXT = 2**28  # characters of all edits of a branch
MOST_EVENTS = 2**50

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
    rows = reader.rows(RUN + " ORDER BY id", (), "isssssiiis", MOST_RUNS)
    runs = []
    for row in rows:
        try:
            about = parse(row[9], "environment")
        except GradstepError as problem:
            raise Damaged(f"{reader.path}: damaged: {problem}") from None
        run = dict(zip(COLUMNS, row, strict=True))
        run["environment"] = typed(about) if isinstance(about, dict) else {}
        runs.append(RecordedRun(**run))
    return runs


def typed(environment: dict[str, Any]) -> dict[str, Any]:
    """What of an environment is a number, a text or a list of texts; None for anything else."""
    plain = (str, int, float, type(None))
    return {
        key: value
        if isinstance(value, plain)
        or (isinstance(value, list) and all(isinstance(item, str) for item in value))
        else None
        for key, value in environment.items()
    }


def read_branches(reader: Reader, run: int) -> list[RecordedBranch]:
    """The branches of a run as their rows say, by id, each with its journal.

    Raises Damaged for a row that no run has: the name, the number of events, the edits.
    """
    query = "SELECT id, name, parent, fork, events, journal FROM branch WHERE run = ?"
    rows = reader.rows(query + " ORDER BY id", (run,), "isSiib", MOST_BRANCHES)
    for row in rows:
        if not is_branch_name(row[1]):
            raise Damaged(f"{reader.path}: damaged: a branch is called {row[1][:60]!r}")
        if not 0 <= row[4] <= MOST_EVENTS:
            raise Damaged(f"{reader.path}: damaged: branch {row[1]!r} has {row[4]} events")
    return [
        RecordedBranch(i, name, parent, fork, events, read_journal(reader, i, digest))
        for i, name, parent, fork, events, digest in rows
    ]


def read_journal(reader: Reader, branch: int, digest: bytes) -> Journal:
    """The journal of a branch, by its id, checked against its digest."""
    query = "SELECT entry FROM edit WHERE branch = ? ORDER BY number"
    texts = [text for (text,) in reader.rows(query, (branch,), "s", MOST_EDITS)]
    if sum(map(len, texts)) > MOST_EDIT_TEXT:
        raise Damaged(f"{reader.path}: damaged: its edits are larger than any")
    if journal_digest(texts) != digest:
        raise Damaged(f"{reader.path}: damaged: its journal is not the one that was recorded")
    try:
        journal = parse_journal(texts)
    except (GradstepError, RecursionError) as problem:
        raise Damaged(f"{reader.path}: damaged: {problem}") from None
    late = [entry for entry in journal if entry.event > MOST_EVENTS]
    if late:
        raise Damaged(f"{reader.path}: damaged: its journal: an edit at event {late[0].event:.3g}")
    return journal
