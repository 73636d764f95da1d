"""Terminals that are not what one has today: other encodings, and none that moves its cursor."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from tests.tui.cli.shell import PATIENCE, environment

REPLACED = (b"\\u25", b"\\u22", b"\\u20", b"\\u21", b"\xe2\x94")


def output(words: list[str], keys: bytes, until: bytes, **env: str) -> tuple[bytes, int]:
    """What a command writes to a terminal of 100×30, and its exit status."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "tui", *words],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment(**env),
        start_new_session=True,
    )
    os.close(theirs)
    seen = b""
    try:
        while True:
            try:
                some = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            seen += some
            if not some:
                break
            if keys and until in seen:
                os.write(ours, keys)
                keys = b""
        return seen, process.wait(timeout=PATIENCE)
    finally:
        process.kill()
        os.close(ours)


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "utf-8"])
def test_the_screen_is_drawn_with_what_the_encoding_has(encoding: str, tmp_path: Path) -> None:
    env = {"PYTHONIOENCODING": encoding, "TERM": "xterm-256color", "GRADSTEP_HOME": str(tmp_path)}
    seen, status = output(["run", "regression"], b"q", b"quit", **env)
    assert status == 0
    if encoding == "utf-8":
        assert "╭".encode() in seen
    else:
        assert b"1 Program" in seen
        assert not [each for each in REPLACED if each in seen]


def test_a_table_is_drawn_with_what_the_encoding_has(tmp_path: Path) -> None:
    env = {"PYTHONIOENCODING": "ascii", "GRADSTEP_HOME": str(tmp_path), "TERM": "xterm"}
    seen, status = output(["worksheet", "regression"], b"", b"", **env)
    assert status == 0
    assert b"W(2)" in seen
    assert not [each for each in REPLACED if each in seen]


def test_a_dumb_terminal_is_told(tmp_path: Path) -> None:
    seen, status = output(["run", "xor"], b"", b"", TERM="dumb", GRADSTEP_HOME=str(tmp_path))
    assert status == 2
    assert b"TERM=dumb" in seen
    assert b"gradstep trace xor" in seen.replace(b"\r\n", b" ")
    assert b"\x1b" not in seen
