"""A captured recording opened for the debugger, also while it is still being written."""

from collections.abc import Iterator
from contextlib import contextmanager

from engine.capture.captured import CapturedRun
from engine.capture.recognized import split_rank
from engine.capture.stored import StoredCapture
from engine.debugger import Debugger
from engine.errors import GradstepError
from engine.recording.reader import Reader
from engine.session.history import DEFAULT_BUDGET
from engine.session.session import Session


@contextmanager
def opened_capture(name: str, number: int | None = None) -> Iterator[CapturedRun]:
    """A run of a captured file: that of a number, or of the rank that the name says.

    Raises GradstepError where there is none, and Damaged where it is not as it was written.
    """
    path, rank = split_rank(name)
    reader = Reader(path)
    try:
        yield run_of(reader, rank, number)
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


def open_capture(name: str, budget: int = DEFAULT_BUDGET) -> Debugger:
    """A debugger on a captured file that stays open for as long as the debugger is there.

    Raises GradstepError where there is none, and Damaged where it is not as it was written.
    """
    path, rank = split_rank(name)
    reader = Reader(path)
    try:
        return debugger_of(run_of(reader, rank), budget)
    except BaseException:
        reader.close()
        raise


def run_of(reader: Reader, rank: int | None, number: int | None = None) -> CapturedRun:
    """The run of a number or a rank; raises GradstepError where there is none."""
    if rank is not None:
        number = number_of(StoredCapture(reader), rank)
    run = CapturedRun(StoredCapture(reader, number))
    if run.timeline.end == 0:
        raise GradstepError(f"{reader.path}: nothing is in it yet")
    return run


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
