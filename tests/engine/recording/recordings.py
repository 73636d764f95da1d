"""Making and opening recordings in tests."""

import contextlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.debugger import Debugger
from engine.program.program import Program
from engine.recording.canonical import canonical
from engine.recording.closing import found_now
from engine.recording.environment import environment
from engine.recording.estimate import estimate
from engine.recording.live import record_run
from engine.recording.reader import Reader
from engine.recording.recorded import Recording
from engine.recording.recorder import Recorder
from engine.recording.replay import Playback, open_debugger
from engine.recording.verify import Verdict, Verification
from engine.recording.writer import Writer
from engine.session.history import DEFAULT_BUDGET
from engine.session.session import Session


def writer(path: Path, program: Program, store: str, **more: Any) -> Writer:
    return Writer(
        path, program, estimate(program, store, program.timeline.iterations), environment(), **more
    )


def record(path: Path, program: Program, store: str, **more: Any) -> Writer:
    """A whole run, committed after every iteration, and closed."""
    made = writer(path, program, store, **more)
    for _ in record_run(made, program, program.timeline.iterations):
        made.commit()
    made.close()
    return made


def record_session(
    path: Path, session: Session | Debugger, store: str, spacing: int | None = None
) -> Recorder:
    """Everything that a session knows, or a debugger with its stops and bookmarks; not closed."""
    debugger = session if isinstance(session, Debugger) else Debugger(session)
    made = writer(path, debugger.session.program, store)
    made.plan = replace(made.plan, spacing=spacing or made.plan.spacing)
    recorder = Recorder(made, debugger)
    recorder.update()
    return recorder


def replayed(recording: Recording, budget: int = DEFAULT_BUDGET) -> tuple[Session, Playback]:
    """A session on a recording, and what it plays."""
    debugger, playback = open_debugger(recording, budget)
    return debugger.session, playback


@contextmanager
def opened(path: Path, number: int | None = None) -> Iterator[Recording]:
    reader = Reader(path)
    try:
        yield Recording(reader, number)
    finally:
        reader.close()


def verdict(path: Path, number: int | None = None) -> Verdict:
    with opened(path, number) as recording:
        steps = Verification(recording, environment()).run()
        while True:
            try:
                next(steps)
            except StopIteration as end:
                found: Verdict = end.value
                return found


def assert_same_tensors(a: Session, b: Session) -> None:
    """Both cursors are at the same event, and every tensor has the same bits."""
    assert a.event == b.event
    assert a.tensors.keys() == b.tensors.keys()
    for name, array in a.tensors.items():
        other = b.tensors[name]
        assert (array.dtype, array.shape) == (other.dtype, other.shape), name
        assert array.tobytes() == other.tobytes(), f"{name} at #{a.event}"


def close_again(path: Path) -> None:
    """Make the closing digests of a changed file anew, as a forger would."""
    reader = Reader(path)
    runs = [run.id for run in Recording(reader).runs]
    found = {run: canonical(found_now(reader, run)) for run in runs}
    reader.close()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        for run, digests in found.items():
            connection.execute("UPDATE closing SET digests = ? WHERE run = ?", (digests, run))
        connection.commit()
