"""A server of the debugger on this machine, for tests."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.tui.cli.shell import PATIENCE, WEB


@contextmanager
def serving(*options: str, cwd: Path | None = None) -> Iterator[str]:
    """A server on a free port of the loopback address; its printed link."""
    pytest.importorskip("textual_serve", reason=WEB)
    process = subprocess.Popen(
        [sys.executable, "-m", "tui", "serve", "regression", "--port", "0", *options],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        cwd=cwd,
    )
    assert process.stderr is not None
    try:
        said = process.stderr.readline()
        yield next(word for word in said.split() if word.startswith("http://"))
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)
