"""What the refresh of the screen costs a run that goes on: with it and without, in turns."""

import json
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.effort import Effort
from benchmarks.measure import Row
from benchmarks.screen import home
from benchmarks.terminal import NotAnswering, Terminal

BOUND = 1.03
RUNS = (("regression", "tensor"), ("digits", "tensor"), ("xor", "flow"), ("xor", "plots"))
SECONDS = 40.0  # of a run with the usual effort


def live(effort: Effort) -> Iterator[Row]:
    """A row for each experiment and pane."""
    seconds = 0.0 if effort.scale > 1 else SECONDS
    for name, pane in RUNS if effort.scale == 1 else RUNS[:1]:
        yield refreshed(name, pane, seconds)


def refreshed(name: str, pane: str, seconds: float) -> Row:
    """An event of a run whose screen is refreshed beside one of the same run without."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "turns.json")
        ours = (sys.executable, "-m", "benchmarks.live_run", name, pane, str(seconds), str(out))
        with home() as environment, Terminal(ours, environment=environment) as terminal:
            while not out.exists():
                try:
                    terminal.settle()
                except NotAnswering:  # it is over
                    break
        taken = json.loads(out.read_text(encoding="utf-8"))
    pairs = list(zip(taken["with"], taken["without"], strict=False))
    ratio = statistics.median(a / b for a, b in pairs)
    a, b = (statistics.median(taken[key]) for key in ("with", "without"))
    return Row(f"an event, {name} with {pane}", "", "without refresh", a, b, ratio, BOUND)
