"""A debugger whose terminal is gone ends by itself, also where hang-ups are ignored."""

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time

import pytest

from engine.experiment.builtins import BUILTINS
from tests.tui.cli.shell import PATIENCE, environment, invoke, read_until, strict


@pytest.mark.parametrize("ignored", [True, False])
def test_it_ends_with_its_terminal(ignored: bool) -> None:
    ours, theirs = pty.openpty()
    how = signal.SIG_IGN if ignored else signal.SIG_DFL
    process = subprocess.Popen(
        [sys.executable, "-m", "tui", "run", "regression"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment(TERM="xterm-256color"),
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, how),  # noqa: PLW1509
    )
    os.close(theirs)
    try:
        assert b"LIVE" in read_until(ours, b"LIVE")
        os.close(ours)
        assert process.wait(timeout=PATIENCE) is not None
    finally:
        process.kill()


@pytest.mark.parametrize("how", ["hang-up", "SIGHUP", "SIGTERM"])
@pytest.mark.parametrize("long", [False, True])
def test_a_recording_is_closed_then_and_nothing_is_lost(how: str, long: bool, tmp_path) -> None:
    """Also in the middle of a long run."""
    experiment, path = tmp_path / "e.toml", tmp_path / "r.gradstep"
    text = (BUILTINS / "xor.toml").read_text("utf-8")
    assert "epochs = 100" in text
    experiment.write_text(text.replace("epochs = 100", "epochs = 100000000"))
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 120, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "tui", "run", str(experiment), "--record", str(path)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment(TERM="xterm-256color", GRADSTEP_HOME=str(tmp_path / "home")),
        start_new_session=True,
    )
    os.close(theirs)
    try:
        assert b"LIVE" in read_until(ours, b"LIVE")
        waiting = time.monotonic() + PATIENCE
        while recorded(path) < (10_000 if long else 21):  # of a long run while it goes on
            assert time.monotonic() < waiting
            os.write(ours, b"c" if long else b"f")  # until the debugger is there to take it
            drain(ours, 0.2)
        if how == "hang-up":
            os.close(ours)
        else:
            process.send_signal(getattr(signal, how))
        while process.poll() is None:
            assert time.monotonic() < waiting
            if how == "hang-up":
                time.sleep(0.05)
            else:
                drain(ours, 0.05)
    finally:
        process.kill()
    assert {file.name for file in tmp_path.iterdir()} >= {"r.gradstep"}
    assert not path.with_name("r.gradstep-wal").exists()
    about = strict(invoke("info", path, "--json").stdout)
    assert about["status"] == "closed"
    assert about["branches"][0]["events"] >= (10_000 if long else 21)


def drain(terminal: int, seconds: float) -> None:
    """Read what a program writes for so long: it would wait for somebody who does."""
    end = time.monotonic() + seconds
    with contextlib.suppress(OSError):
        while (left := end - time.monotonic()) > 0:
            if select.select([terminal], [], [], left)[0]:
                os.read(terminal, 65536)


def recorded(path) -> int:
    """How many events are in a recording that is under way."""
    result = invoke("info", path, "--json")
    branches = strict(result.stdout)["branches"] if result.exit_code == 0 else []
    return branches[0]["events"] if branches else 0
