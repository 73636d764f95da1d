"""What the tests of commands have in common."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.tui.cli.shell import PATIENCE, WEB, free_port

ATTEMPTS = 10  # to find a port that is still free when the server takes it


@pytest.fixture
def server() -> Iterator[int]:
    """A server on a free port of the loopback address."""
    pytest.importorskip("textual_serve", reason=WEB)
    for _ in range(ATTEMPTS):
        port = free_port()
        process = subprocess.Popen(
            [sys.executable, "-m", "tui", "serve", "regression", "--port", str(port)],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        assert process.stderr is not None
        said = process.stderr.readline()
        if "choose another --port" not in said:  # somebody was faster
            break
        process.communicate(timeout=PATIENCE)
    assert f"http://127.0.0.1:{port}" in said
    yield port
    process.terminate()
    process.communicate(timeout=PATIENCE)
