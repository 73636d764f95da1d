"""The most memory that the debugger takes on the screen, beside an application of one line."""

import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.effort import Effort
from benchmarks.measure import Row
from benchmarks.screen import GRADSTEP, READY, home
from benchmarks.terminal import Terminal
from engine.session.history import DEFAULT_BUDGET

BARE = """
from textual.app import App
from textual.widgets import Static
class Bare(App):
    def compose(self):
        yield Static("BARE")
Bare().run()
"""
BESIDES = 40 * 2**20  # bytes beyond the budget of its history and a bare application
EPOCH = "e"


def peak(effort: Effort) -> Iterator[Row]:
    """One row, where the system tells the memory of another process."""
    if not Path("/proc/self/status").exists():
        return
    ours = most((*GRADSTEP, "run", "digits"), READY, EPOCH)
    theirs = most((sys.executable, "-c", BARE), "BARE", "")
    limit = DEFAULT_BUDGET + theirs + BESIDES
    work = "peak memory of gradstep run digits, an epoch"
    yield Row(work, "float32", "a bare Textual application", ours, theirs, ours / theirs,
              limit=limit, unit="B")  # fmt: skip


def most(command: tuple[str, ...], ready: str, key: str) -> float:
    """Bytes that a program had at most, up to the answer to a key."""
    with home() as folder, Terminal(command, environment=folder) as terminal:
        terminal.wait_for(ready)
        terminal.settle()
        if key:
            terminal.press(key)
            terminal.settle()
        status = Path(f"/proc/{terminal.process}/status").read_text(encoding="utf-8")
        lines = dict(line.split(":", 1) for line in status.splitlines())
        return float(lines["VmHWM"].split()[0]) * 1024
