"""Key presses and first paints of the debugger, beside pudb's, in the same pseudo-terminal."""

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from benchmarks.effort import Effort
from benchmarks.measure import Row, timed
from benchmarks.terminal import Terminal

PRESS_SECONDS = 0.020
MORE_SECONDS = 0.060  # of a headless command, above the import of click
START_BOUND = 1.6
WARM_UP = 6  # presses before it counts: imports, first pages of caches
NAN = float("nan")
READY, PUDB_READY = "Program", "PuDB"
GRADSTEP = (sys.executable, "-m", "tui")
LOOP = str(Path(__file__).with_name("loop_for_pudb.py"))
PUDB = (sys.executable, "-m", "pudb", LOOP)
PUDB_SETTINGS = "[pudb]\nseen_welcome = e999\nprompt_on_quit = False\nline_numbers = True\n"


@contextmanager
def home() -> Iterator[dict[str, str]]:
    """The environment of a person without settings of any kind, and pudb's welcome seen."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder, "pudb", "pudb.cfg")
        settings.parent.mkdir()
        settings.write_text(PUDB_SETTINGS)
        names = ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME")
        yield dict.fromkeys(names, folder)


def presses(
    command: Sequence[str], ready: str, key: str, count: int, size: tuple[int, int] = (120, 40)
) -> list[float]:
    """Seconds of each of some presses of a key in a program just started."""
    with home() as environment, Terminal(command, *size, environment) as terminal:
        terminal.wait_for(ready)
        terminal.settle()
        for _ in range(WARM_UP):
            terminal.press(key)
        found = [terminal.press(key) for _ in range(count)]
    return [seconds for seconds in found if seconds is not None]


def start(command: Sequence[str], ready: str) -> float:
    """Seconds from the start of a program to its first paint."""
    with home() as environment, Terminal(command, environment=environment) as terminal:
        return terminal.wait_for(ready)


def has_pudb() -> bool:
    """Whether pudb can be measured beside."""
    return find_spec("pudb") is not None


def screen(effort: Effort) -> Iterator[Row]:
    """Key presses, then starts."""
    yield from keys(effort)
    yield from starts(effort)
    yield from commands(effort)


def keys(effort: Effort) -> Iterator[Row]:
    """The steps by op and by phase, in turns with pudb's step."""
    found: dict[str, list[float]] = {"s": [], "n": [], "pudb": []}
    for _ in range(3 if effort.rounds > 2 else 1):
        for key in "sn":
            found[key] += presses((*GRADSTEP, "run", "regression"), READY, key, effort.presses)
        if has_pudb():
            found["pudb"] += presses(PUDB, PUDB_READY, "n", effort.presses)
    theirs = statistics.median(found["pudb"]) if found["pudb"] else NAN
    for key in "sn":
        ours = statistics.median(found[key])
        note = f"worst {max(found[key]) * 1e3:.0f} ms of {len(found[key])}"
        yield Row(f"key press {key} to painted screen, 120×40", "float64", "pudb's n",
                  ours, theirs, ours / theirs, limit=PRESS_SECONDS, note=note)  # fmt: skip


def starts(effort: Effort) -> Iterator[Row]:
    """The first paint of the debugger, in turns with pudb's."""
    ours, theirs = [], []
    for _ in range(effort.starts):
        ours.append(start(GRADSTEP, READY))
        if has_pudb():
            theirs.append(start(PUDB, PUDB_READY))
    a, b = statistics.median(ours), statistics.median(theirs) if theirs else NAN
    yield Row("start to first paint, 120×40", "", "pudb", a, b, a / b, START_BOUND)


def commands(effort: Effort) -> Iterator[Row]:
    """Headless commands in turns with the import of click: what they take more than that."""
    import_click = partial(silently, (sys.executable, "-c", "import click"))
    for name in ("--help", "list"):
        ours, theirs = [], []
        for _ in range(2 * effort.starts):
            ours.append(timed(partial(silently, (*GRADSTEP, name)), 1))
            theirs.append(timed(import_click, 1))
        a, b = statistics.median(ours), statistics.median(theirs)
        yield Row(f"gradstep {name}", "", 'python -c "import click"', a, b, a / b,
                  limit=b + MORE_SECONDS)  # fmt: skip


def silently(command: Sequence[str]) -> None:
    """Run a command to its end."""
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
