"""A writer that is killed by SIGKILL: what it had committed is there, also within an iteration."""

import os
import signal
import sqlite3
from pathlib import Path

import pytest

from engine.capture.opened import opened_capture
from engine.session.session import Session
from tests.engine.capture.told import Net, Teller, writer_at


def written(path: Path, pipe: int) -> None:
    """Tell without end, and after each commit how many events are safe."""
    teller = Teller(writer_at(path))
    net = Net(teller)
    happen = teller.happen

    def committing(*args, **more) -> int:
        event = happen(*args, **more)
        if event % 7 == 6:
            teller.writer.commit()
            os.write(pipe, f"{event + 1}\n".encode())
        return event

    teller.happen = committing
    while True:
        net.iterate()


@pytest.mark.parametrize("commits", [1, 2, 5, 12])
def test_killed_after_some_commits(commits: int, tmp_path: Path) -> None:
    path = tmp_path / "r.gradstep"
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        try:
            written(path, write)
        finally:
            os._exit(1)
    os.close(write)
    with os.fdopen(read, "rb") as told:
        lines = [told.readline() for _ in range(commits)]
        os.kill(child, signal.SIGKILL)
        lines += told.read().splitlines(keepends=True)
    os.waitpid(child, 0)
    safe = max(int(line) for line in lines if line.endswith(b"\n"))
    with opened_capture(str(path)) as run:
        assert run.timeline.end >= safe
        assert run.stored.run.status == "recording"
        session = Session(run)
        session.goto(run.timeline.end)
        assert run.places.trouble == ""
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
