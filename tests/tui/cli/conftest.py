"""What the tests of commands have in common."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.tui.cli.shell import WEB, free_port


@pytest.fixture
def server() -> Iterator[int]:
    """A server on a free port of the loopback address."""
    pytest.importorskip("textual_serve", reason=WEB)
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "tui", "serve", "regression", "--port", str(port)],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    assert process.stderr is not None
    assert f"http://127.0.0.1:{port}" in process.stderr.readline()
    yield port
    process.terminate()
    process.communicate(timeout=20)
