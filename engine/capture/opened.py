"""A captured recording opened for the debugger, also while it is still being written."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.capture.captured import CapturedRun
from engine.capture.stored import StoredCapture
from engine.debugger import Debugger
from engine.errors import GradstepError
from engine.recording.reader import MAGIC, Reader
from engine.session.history import DEFAULT_BUDGET
from engine.session.session import Session

RANK = re.compile(r"(?P<file>.+)#rank(?P<rank>\d{1,9})", re.ASCII)


def is_capture(name: str) -> bool:
    """Whether a name is that of a file with a captured script in it, ``FILE#rank1`` too.

    Of a file that cannot be opened nothing is said here: whoever opens it says what is wrong.
    """
    path, _ = split_rank(name)
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                return False
        reader = Reader(path)
    except (OSError, ValueError, GradstepError):
        return False
    try:
        return reader.captured
    finally:
        reader.close()


def split_rank(name: str) -> tuple[Path, int | None]:
    """The file and the rank of ``FILE#rank1``; a file may be called so itself."""
    path = Path(name)
    found = RANK.fullmatch(name)
    try:
        if found is None or path.exists():
            return path, None
    except (OSError, ValueError):
        return path, None
    return Path(found["file"]), int(found["rank"])


@contextmanager
def opened_capture(name: str, number: int | None = None) -> Iterator[CapturedRun]:
    """A run of a captured file: that of a number, or of the rank that the name says.

    Raises GradstepError where there is none, and Damaged where it is not as it was written.
    """
    path, rank = split_rank(name)
    reader = Reader(path)
    try:
        if rank is not None:
            number = number_of(StoredCapture(reader), rank)
        run = CapturedRun(StoredCapture(reader, number))
        if run.timeline.end == 0:
            raise GradstepError(f"{path}: nothing is in it yet")
        yield run
    finally:
        reader.close()


def number_of(stored: StoredCapture, rank: int) -> int:
    """The last process of a rank; a GradstepError where there is none."""
    found = [one.id for one in stored.runs if one.rank == rank]
    if not found:
        known = ", ".join(f"rank{one.rank}" for one in stored.runs)
        raise GradstepError(f"{stored.reader.path}: no rank {rank}; there are: {known}")
    return found[-1]


def debugger_of(run: CapturedRun, budget: int = DEFAULT_BUDGET) -> Debugger:
    """A debugger on a captured run, at its first event."""
    session = Session(run, budget)
    take(session, run)
    return Debugger(session)


def take(session: Session, run: CapturedRun) -> None:
    """Let a session know how far a run goes by now: all of it can be gone to."""
    session.branch.known = run.timeline.end
    session.branch.losses = run.losses[:]


def follow(session: Session, run: CapturedRun) -> bool:
    """Take in what has been captured since; whether there was anything. Raises Damaged."""
    if not run.refresh():
        return False
    take(session, run)
    session.refresh()
    return True
