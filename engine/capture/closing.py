"""The closing digest of a captured run: what stands beside the chain of its iterations."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from engine.errors import GradstepError
from engine.recording.canonical import canonical, parse
from engine.recording.closing import RunningDigest
from engine.recording.reader import Damaged, Reader

Query = Callable[[str, tuple[Any, ...]], Iterable[tuple[Any, ...]]]

# Part by part what is read, of a run; the files and the text are those of the whole command.
READ: Final = {
    "run": "SELECT gradstep, name, rank, world, command, process, root, status, ending, note,"
    " events FROM capture_run WHERE id = ?",
    "tensors": "SELECT number, name, role, dtype, shape, module, gradient_of, slot_of, leaf"
    " FROM capture_tensor WHERE run = ? ORDER BY number",
    "ops": "SELECT number, phase, name, kind, reads, writes, module, file, line, views, forward,"
    " adds, attributes FROM capture_op WHERE run = ? ORDER BY number",
    "shapes of iterations": "SELECT number, digest FROM capture_shape WHERE run = ?"
    " ORDER BY number",
    "last iteration": "SELECT iteration, link FROM capture_block WHERE run = ?"
    " ORDER BY iteration DESC LIMIT 1",
    "later values": "SELECT number, link FROM capture_later WHERE run = ?"
    " ORDER BY number DESC LIMIT 1",
    "places of whole tensors": "SELECT tensor, event FROM capture_whole WHERE run = ?"
    " ORDER BY tensor, event",
    "source files": "SELECT number, path, text FROM capture_source WHERE ? ORDER BY number",
    "printed text": "SELECT number, run, event, stream, text FROM capture_log WHERE ?"
    " ORDER BY number",
}


def closing_digests(query: Query, run: int) -> str:
    """The digest of every part as canonical JSON."""
    found = {}
    for part, text in READ.items():
        known = RunningDigest()
        known.take(query(text, (run,)))
        found[part] = known.hex()
    return canonical(found)


def changed_parts(reader: Reader, run: int) -> list[str] | None:
    """What is not as it was when the run was closed, in words; None where it was not closed.

    Raises Damaged.
    """
    row = reader.one("SELECT digests FROM capture_closing WHERE run = ?", (run,), "s")
    if row is None:
        return None
    try:
        before = parse(row[0], "its closing digest")
    except GradstepError as problem:
        raise Damaged(f"{reader.path}: damaged: {problem}") from None
    if not isinstance(before, dict):
        raise Damaged(f"{reader.path}: damaged: its closing digest is no table of digests")
    now = parse(closing_digests(reader.rows, run), "")
    return [
        f"its {part} are not what it was closed with"
        for part in READ
        if before.get(part) != now[part]
    ]
