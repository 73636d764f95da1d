"""Running the command line: in this process, or as people do, in one of its own."""

import json
import os
import select
import subprocess
import sys
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from tui.cli import gradstep

PATIENCE = 300.0  # seconds to wait for another process, far more than it needs
WEB = "the debugger in a browser needs the extra web"
ROOT = Path(__file__).parents[3]
COMMAND = [sys.executable, "-W", "error", "-m", "tui"]


def invoke(*args: object) -> Result:
    """Run in this process; a mistake of the program itself is raised."""
    return CliRunner(env={"GRADSTEP_DEBUG": "1"}).invoke(gradstep, [str(arg) for arg in args])


def environment(**more: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR", "FORCE_COLOR")}
    return kept | {"PYTHONPATH": str(ROOT)} | more


def shell(*args: object, **env: str) -> subprocess.CompletedProcess[str]:
    """Run in a process of its own, with stdin, stdout and stderr piped."""
    return subprocess.run(
        [*COMMAND, *map(str, args)],
        capture_output=True,
        encoding="utf-8",
        env=environment(**env),
        stdin=subprocess.DEVNULL,
        check=False,
        timeout=PATIENCE,
    )


def refuse_constant(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")


def strict(text: str) -> Any:
    """The value of a JSON text; NaN and Infinity as Python's parser takes them are refused."""
    return json.loads(text, parse_constant=refuse_constant)


def lines(text: str) -> list[Any]:
    return [strict(line) for line in text.splitlines()]


def assert_refused(result: Result, *words: str) -> None:
    """Exit status 2, nothing on stdout, one message on stderr with all the words."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("gradstep: ")
    assert "Traceback" not in result.stderr
    for word in words:
        assert word in result.stderr


def read_until(terminal: int, wanted: bytes) -> bytes:
    """What a program has written until something stands in it, or it writes no more."""
    seen = b""
    while wanted not in seen and select.select([terminal], [], [], PATIENCE)[0]:
        seen += os.read(terminal, 65536)
    return seen
