"""Key presses and first paints of the debugger, beside pudb's, in the same pseudo-terminal."""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from itertools import product
from pathlib import Path

import numpy as np

from benchmarks.effort import Effort
from benchmarks.measure import Row, timed
from benchmarks.terminal import Terminal
from engine.experiment.reader import load_experiment
from engine.program.compiler import compile_program
from engine.run.position import Granularity
from engine.session.session import Session

PRESS_SECONDS, SLOW_SECONDS = 0.020, 0.040  # the median, and 95 of 100
LARGE_BOUND = 1.3  # of the large network in terms of the small one
MORE_SECONDS = 0.060  # of a headless command, above the import of click
START_BOUND, START_SECONDS = 1.6, 0.5
WARM_UP = 6  # presses before it counts: imports, first pages of caches
NAN = float("nan")
READY, PUDB_READY = "LIVE", "PuDB"
GRADSTEP = (sys.executable, "-m", "tui")
KEYS = "sn"
ROUNDS = 6  # programs started for each: one may land on a core whose other half is busy
EXPERIMENTS = {
    "regression": "regression",
    "digits": "digits",
    "4096×4096": str(Path(__file__).with_name("wide.toml")),
}
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
    command: Sequence[str],
    ready: str,
    key: str,
    count: int,
    size: tuple[int, int] = (120, 40),
    before: Sequence[str] = (),
) -> list[float]:
    """Seconds of each of some presses of a key in a program just started, after others."""
    with home() as environment, Terminal(command, *size, environment) as terminal:
        terminal.wait_for(ready)
        terminal.settle()
        for first in before:
            terminal.press(first)
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
    """The steps by op and by phase in three networks, in turns with pudb's step."""
    found: dict[tuple[str, str], list[float]] = {}
    for _ in range(ROUNDS if effort.rounds > 2 else 1):
        for name, key in product(EXPERIMENTS, KEYS):
            command = (*GRADSTEP, "run", EXPERIMENTS[name])
            seconds = presses(command, READY, key, effort.presses)
            found.setdefault((name, key), []).extend(seconds)
        if has_pudb():
            seconds = presses(PUDB, PUDB_READY, "n", effort.presses)
            found.setdefault(("pudb", "n"), []).extend(seconds)
    theirs = found.get(("pudb", "n"), [NAN])
    for name, key in product(EXPERIMENTS, KEYS):
        yield from painted(f"key press {key} to painted screen, {name}", found[name, key], theirs)
    for key in KEYS:
        large, small = found["4096×4096", key], found["regression", key]
        yield compared(f"key press {key}, 4096×4096", large, "regression", small, LARGE_BOUND)
    yield from phases(effort)


def painted(what: str, ours: list[float], theirs: list[float]) -> Iterator[Row]:
    """The median and the 95th percentile of presses, beside pudb's."""
    for share, limit in ((50, PRESS_SECONDS), (95, SLOW_SECONDS)):
        a, b = float(np.percentile(ours, share)), float(np.percentile(theirs, share))
        label = f"{what}, {'median' if share == 50 else '95 %'}"
        yield Row(label, "", "pudb's n", a, b, a / b, limit=limit)


def compared(what: str, ours: list[float], against: str, theirs: list[float], bound: float) -> Row:
    """Two medians."""
    a, b = statistics.median(ours), statistics.median(theirs)
    return Row(what, "", against, a, b, a / b, bound)


def phases(effort: Effort) -> Iterator[Row]:
    """What the phases of the large network take by themselves, without a screen: a lower bound."""
    session = Session(compile_program(load_experiment(EXPERIMENTS["4096×4096"])))
    seconds = []
    for _ in range(WARM_UP + effort.presses):
        begin = time.perf_counter()
        session.goto(session.program.timeline.boundary(session.event, Granularity.PHASE, 1))
        seconds.append(time.perf_counter() - begin)
    for share in (50, 95):
        label = f"a phase of 4096×4096 without a screen, {'median' if share == 50 else '95 %'}"
        yield Row(label, "float32", "", float(np.percentile(seconds[WARM_UP:], share)), NAN, NAN)


def starts(effort: Effort) -> Iterator[Row]:
    """The first paint of the debugger, in turns with pudb's."""
    ours, theirs = [], []
    for _ in range(effort.starts):
        ours.append(start(GRADSTEP, READY))
        if has_pudb():
            theirs.append(start(PUDB, PUDB_READY))
    a, b = statistics.median(ours), statistics.median(theirs) if theirs else NAN
    yield Row("start to first paint, 120×40", "", "pudb", a, b, a / b, START_BOUND)
    yield Row("start to first paint, 120×40", "", "", a, NAN, NAN, limit=START_SECONDS)


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
