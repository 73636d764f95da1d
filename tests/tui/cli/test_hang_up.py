"""A debugger whose terminal is gone ends by itself, also where hang-ups are ignored."""

import os
import pty
import signal
import subprocess
import sys

import pytest

from tests.tui.cli.shell import PATIENCE, environment, read_until


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
