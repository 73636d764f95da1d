"""The closing digest of a run: what was in its tables when it was closed, part by part.

The chain of links binds the events. This binds what stands beside them: where branches end, their
losses, keyframes and metrics, what is said of the run, and what a person left in it. It is made of
digests that are there already and of running ones, so that closing takes no longer for a long run.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from engine.errors import GradstepError
from engine.recording.canonical import canonical, parse
from engine.recording.digests import STRONG, text_digest
from engine.recording.reader import Damaged, Reader

Row = tuple[Any, ...]
Query = Callable[[str, tuple[Any, ...]], Iterable[Row]]
LOSS = [int, int, float, type(None), type(None)]  # the columns of a loss without a gradient
CHUNK = 20_000  # rows that are read at once

# Part by part, what is read when a run is closed, and when it is looked at again.
READ = {
    "run": "SELECT gradstep, name, environment, store, ops, width, spacing, status, note"
    " FROM run WHERE id = ?",
    "ops": "SELECT number, phase, name, layer, formula FROM op WHERE run = ? ORDER BY number",
    "tensors": "SELECT number, name, role, dtype, shape FROM tensor WHERE run = ? ORDER BY number",
    "branches": "SELECT id, name, parent, fork, events, journal FROM branch WHERE run = ?"
    " ORDER BY id",
    "ends": "SELECT id, (SELECT max(iteration) FROM block WHERE branch = branch.id), (SELECT link"
    " FROM block WHERE block.branch = branch.id ORDER BY iteration DESC LIMIT 1)"
    " FROM branch WHERE run = ? ORDER BY id",
    "edits": "SELECT branch, number, event FROM edit WHERE branch IN"
    " (SELECT id FROM branch WHERE run = ?) ORDER BY branch, number",
    "metrics": "SELECT branch, iteration, name, value FROM metric WHERE branch IN"
    " (SELECT id FROM branch WHERE run = ?) ORDER BY branch, iteration, name",
    "bookmarks": "SELECT number, name, event, text FROM bookmark WHERE run = ? ORDER BY number",
    "stops": "SELECT number, entry FROM stop WHERE run = ? ORDER BY number",
    "watches": "SELECT number, expression FROM watch WHERE run = ? ORDER BY number",
}
RUNNING = {
    "losses": "SELECT iteration, event, value, gradient, gradient_of FROM loss"
    " WHERE branch = ? AND iteration > ? ORDER BY iteration",
    "keyframes": "SELECT iteration, whole, digests, '' FROM keyframe"
    " WHERE branch = ? AND iteration > ? ORDER BY iteration",
}
PARTS = (*READ, *RUNNING)


class RunningDigest:
    """The digest of rows that come one after the other; of the last, which may still change."""

    def __init__(self) -> None:
        self.known = hashlib.blake2b(digest_size=STRONG)
        self.last = b""

    def take(self, rows: Iterable[Row]) -> None:
        """Rows that stay as they are."""
        self.known.update(b"".join(map(encoded, rows)))

    def hex(self) -> str:
        """The digest by now."""
        found = self.known.copy()
        found.update(self.last)
        return found.hexdigest()


def encoded(row: Row) -> bytes:
    """A row as bytes, from which its values and their types could be read again."""
    # Losses come by the thousand, and a comparison of types is the fastest question there is.
    if [*map(type, row)] == LOSS:
        return b"i%d;i%d;f%s;n;n;\n" % (row[0], row[1], repr(row[2] + 0.0).encode())
    return b"".join(map(value_bytes, row)) + b"\n"


def value_bytes(value: Any) -> bytes:
    """A value of a column as bytes: its type, where that is needed its length, and itself."""
    match value:
        case None:
            return b"n;"
        case int():
            return b"i%d;" % value
        case float():
            return b"f%s;" % repr(value + 0.0).encode()  # SQLite keeps no sign of a zero
        case str():
            data = value.encode("utf-8", "surrogatepass")
            return b"s%d:%s" % (len(data), data)
        case _:
            return b"b%d:%s" % (len(value), bytes(value))


def digests(query: Query, run: int, running: Mapping[str, Mapping[int, RunningDigest]]) -> str:
    """The digest of every part as canonical JSON: what the table ``closing`` keeps of a run.

    ``running`` has those of the losses and keyframes of each branch, by its id.
    """
    found = {}
    for part, text in READ.items():
        known = RunningDigest()
        known.take(query(text, (run,)))
        found[part] = known.hex()
    for part in RUNNING:
        each = [f"{branch} {digest.hex()}" for branch, digest in sorted(running[part].items())]
        found[part] = text_digest(*each).hex()
    return canonical(found)


def recorded(reader: Reader, run: int) -> dict[str, str] | None:
    """The digests that a run was closed with; None where it has none.

    Raises Damaged where they are no digests.
    """
    if not reader.has("closing"):
        return None
    row = reader.one("SELECT digests FROM closing WHERE run = ?", (run,), "s")
    if row is None:
        return None
    try:
        found = parse(row[0], "its closing digest")
    except GradstepError as problem:
        raise Damaged(f"{reader.path}: damaged: {problem}") from None
    if not isinstance(found, dict) or not all(isinstance(v, str) for v in found.values()):
        raise Damaged(f"{reader.path}: damaged: its closing digest is no table of digests")
    return found


def found_now(reader: Reader, run: int) -> dict[str, str]:
    """The digests of a run's parts as they are in the file. Raises Damaged."""
    branches = [i for (i,) in reader.rows("SELECT id FROM branch WHERE run = ?", (run,), "i")]
    running: dict[str, dict[int, RunningDigest]] = {}
    for part, query in RUNNING.items():
        running[part] = {}
        for branch in branches:
            digest = running[part][branch] = RunningDigest()
            for rows in chunks(reader, query, branch):
                digest.take(rows)
    text = digests(reader.rows, run, running)
    found: dict[str, str] = parse(text, "")
    return found


def chunks(reader: Reader, query: str, branch: int) -> Iterator[list[Row]]:
    """The rows of a branch by iteration, CHUNK at a time: a long run has millions."""
    last = -(2**63)
    while rows := reader.rows(f"{query} LIMIT {CHUNK}", (branch, last)):
        yield rows
        if type(rows[-1][0]) is not int:
            raise Damaged(f"{reader.path}: damaged: an iteration is no whole number")
        last = rows[-1][0]


def changed(reader: Reader, run: int) -> list[str]:
    """What is not as it was when the run was closed, in words; nothing where it was not."""
    try:
        before = recorded(reader, run)
        now = found_now(reader, run) if before is not None else {}
    except Damaged as problem:
        return [problem.what]
    # A part that only a newer gradstep knows is not looked at; one that is missing is a change.
    return [
        f"its {part} are not the ones that it was closed with"
        for part in PARTS
        if before is not None and before.get(part) != now[part]
    ]
