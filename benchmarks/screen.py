"""Key presses, first paints and memory of the debugger, beside pudb's and a bare application's."""

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

from benchmarks.bare import READY as WORD
from benchmarks.effort import Effort
from benchmarks.measure import Row, timed
from benchmarks.networks import layers
from benchmarks.recorded import record
from benchmarks.terminal import Terminal
from engine.experiment.reader import load_experiment
from engine.program.compiler import compile_program
from engine.run.position import Granularity
from engine.session.history import DEFAULT_BUDGET
from engine.session.session import Session

SLOW_SECONDS = 0.025  # 95 of 100 presses
AGAINST_PUDB, AGAINST_BARE = 1.25, 1.1  # the median of a press; the larger of the two is the bound
LARGE_BOUND = 1.15  # of the large network without its op's own time, in terms of the small one
KEY_BYTES = 4000  # to the terminal, for s in regression
MORE_SECONDS, MORE_TRACE = 0.040, 0.120  # of commands, above the import of click, and of NumPy
START_BOUND = 1.5  # of a bare application of the toolkit
MORE_BYTES = 40 * 2**20  # of the whole process, above its history's budget and a bare application
WARM_UP = 6  # presses before it counts: imports, first pages of caches
NAN = float("nan")
READY, PUDB_READY = "LIVE", "PuDB"
GRADSTEP = (sys.executable, "-m", "tui")
BARE = (sys.executable, "-m", "benchmarks.bare")
KEYS = "sn"
SIZE = (120, 40)
ROUNDS = 6  # programs started for each: one may land on a core whose other half is busy
LARGE, DEEP = "4096×4096", "100 layers"
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
    size: tuple[int, int] = SIZE,
    before: Sequence[str] = (),
) -> list[float]:
    """Seconds of each of some presses of a key in a program just started, after others."""
    found = answers(command, ready, key, count, size, before)
    return [seconds for seconds, _ in found if seconds is not None]


def answers(
    command: Sequence[str],
    ready: str,
    key: str,
    count: int,
    size: tuple[int, int] = SIZE,
    before: Sequence[str] = (),
) -> list[tuple[float | None, int]]:
    """Of each press its seconds, None where nothing was painted, and the bytes that were sent."""
    with home() as environment, Terminal(command, *size, environment) as terminal:
        terminal.wait_for(ready)
        terminal.settle()
        for first in before:
            terminal.press(first)
        for _ in range(WARM_UP):
            terminal.press(key)
        found = []
        for _ in range(count):
            known = len(terminal.output)
            found.append((terminal.press(key), len(terminal.output) - known))
    return found


def start(command: Sequence[str], ready: str) -> float:
    """Seconds from the start of a program to its first paint."""
    with home() as environment, Terminal(command, environment=environment) as terminal:
        return terminal.wait_for(ready)


def has_pudb() -> bool:
    """Whether pudb can be measured beside."""
    return find_spec("pudb") is not None


def screen(effort: Effort) -> Iterator[Row]:
    """Key presses, then starts, then memory."""
    with tempfile.TemporaryDirectory() as folder:
        yield from keys(effort, Path(folder))
    yield from starts(effort)
    yield from commands(effort)
    yield from memory()


def experiments(folder: Path, effort: Effort) -> dict[str, str]:
    """The networks on the screen, by what the table calls them."""
    deep = folder / "deep.toml"
    deep.write_text(layers(max(8, 100 // effort.scale)), encoding="utf-8")
    wide = str(Path(__file__).with_name("wide.toml"))
    known = {name: name for name in ("regression", "digits", "cnn-digits")}
    return {**known, DEEP: str(deep), LARGE: wide}


def keys(effort: Effort, folder: Path) -> Iterator[Row]:
    """The steps by op and by phase, in turns with pudb's step and with the same cells painted."""
    found: dict[tuple[str, str], list[tuple[float | None, int]]] = {}
    named, rounds = experiments(folder, effort), ROUNDS if effort.rounds > 2 else 1
    files = {}
    for name, key in product(named, KEYS):
        files[name, key] = folder / f"{len(files)}.json"
        if name != LARGE:
            record(files[name, key], named[name], key, WARM_UP + effort.presses, SIZE)
    for _ in range(rounds):
        for name, key in product(named, KEYS):
            seen = answers((*GRADSTEP, "run", named[name]), READY, key, effort.presses)
            found.setdefault((name, key), []).extend(seen)
            if name != LARGE:
                seen = answers((*BARE, str(files[name, key])), WORD, key, effort.presses)
                found.setdefault((f"bare {name}", key), []).extend(seen)
        if has_pudb():
            seen = answers(PUDB, PUDB_READY, "n", effort.presses)
            found.setdefault(("pudb", "n"), []).extend(seen)
    pudb = seconds_of(found.get(("pudb", "n"), [(NAN, 0)]))
    for name, key in product(named, KEYS):
        if name != LARGE:
            bare = seconds_of(found[f"bare {name}", key])
            yield from painted(f"key press {key}, {name}", seconds_of(found[name, key]), pudb, bare)
    sent = [size for seconds, size in found["regression", "s"] if seconds is not None]
    median = float(statistics.median(sent))
    yield Row("sent for key press s, regression, median", "", "", median, NAN, NAN,
              limit=KEY_BYTES, unit="B")  # fmt: skip
    for key in KEYS:
        large, small = found[LARGE, key], seconds_of(found["regression", key])
        yield alone(key, large, small, named[LARGE], effort)


def seconds_of(found: Sequence[tuple[float | None, int]]) -> list[float]:
    """The seconds of the presses that painted something."""
    return [seconds for seconds, _ in found if seconds is not None]


def painted(what: str, ours: list[float], pudb: list[float], bare: list[float]) -> Iterator[Row]:
    """The median and the 95th percentile of presses, beside pudb's and a bare application's."""
    middle = float(np.median(ours))
    theirs, cells = float(np.median(pudb)), float(np.median(bare))
    limit = float(np.nanmax([AGAINST_PUDB * theirs, AGAINST_BARE * cells]))
    label = f"{what}, median"
    yield Row(label, "", "pudb's n", middle, theirs, middle / theirs, limit=limit)
    yield Row(label, "", "the same cells, bare Textual", middle, cells, middle / cells, limit=limit)
    slow = float(np.percentile(ours, 95))
    yield Row(f"{what}, 95 %", "", "", slow, NAN, NAN, limit=SLOW_SECONDS)


def alone(
    key: str,
    large: Sequence[tuple[float | None, int]],
    small: Sequence[float],
    experiment: str,
    effort: Effort,
) -> Row:
    """Presses in the large network without what their ops take, beside those in the small one."""
    own = by_place(experiment, key, effort)
    each = len(large) // max(1, len(large) // effort.presses)
    left = [
        seconds - own[(WARM_UP + at % each) % len(own)]
        for at, (seconds, _) in enumerate(large)
        if seconds is not None
    ]
    a, b = statistics.median(left), statistics.median(small)
    return Row(f"key press {key}, {LARGE}, less the op's own time", "", "regression", a, b, a / b,
               LARGE_BOUND)  # fmt: skip


def by_place(experiment: str, key: str, effort: Effort) -> list[float]:
    """What each step of an iteration takes by itself, without a screen: medians of a few."""
    session = Session(compile_program(load_experiment(experiment)))
    timeline = session.program.timeline
    size = Granularity.OP if key == "s" else Granularity.PHASE
    found: list[list[float]] = []
    for _ in range(max(3, effort.presses // 10)):
        end, steps = timeline.boundary(session.event, Granularity.ITERATION, 1), 0
        while session.event < end:
            begin = time.perf_counter()
            session.goto(timeline.boundary(session.event, size, 1))
            if len(found) <= steps:
                found.append([])
            found[steps].append(time.perf_counter() - begin)
            steps += 1
    return [statistics.median(seconds) for seconds in found]


def starts(effort: Effort) -> Iterator[Row]:
    """The first paint of the debugger, in turns with pudb's and that of a bare application."""
    ours, theirs, bare = [], [], []
    for _ in range(effort.starts):
        ours.append(start(GRADSTEP, READY))
        bare.append(start(BARE, WORD))
        if has_pudb():
            theirs.append(start(PUDB, PUDB_READY))
    a, b = statistics.median(ours), statistics.median(theirs) if theirs else NAN
    c = statistics.median(bare)
    yield Row("start to first paint, 120×40", "", "bare Textual", a, c, a / c, START_BOUND)
    yield Row("start to first paint, 120×40", "", "pudb", a, b, a / b)


def commands(effort: Effort) -> Iterator[Row]:
    """Headless commands in turns with an import: what they take more than that."""
    for words, module, more in (
        (("--help",), "click", MORE_SECONDS),
        (("list",), "click", MORE_SECONDS),
        (("trace", "regression"), "numpy", MORE_TRACE),
    ):
        importing = partial(silently, (sys.executable, "-c", f"import {module}"))
        ours, theirs = [], []
        for _ in range(2 * effort.starts):
            ours.append(timed(partial(silently, (*GRADSTEP, *words)), 1))
            theirs.append(timed(importing, 1))
        a, b = statistics.median(ours), statistics.median(theirs)
        against = f'python -c "import {module}"'
        yield Row(f"gradstep {' '.join(words)}", "", against, a, b, a / b, limit=b + more)


def memory() -> Iterator[Row]:
    """The most memory of the whole process in an epoch of digits, where the system has /proc."""
    if not Path("/proc/self/status").exists():
        return
    with home() as environment:
        with Terminal(BARE, *SIZE, environment) as terminal:
            terminal.wait_for(WORD)
            terminal.settle()
            bare = most(terminal.process)
        with Terminal((*GRADSTEP, "run", "digits"), *SIZE, environment) as terminal:
            terminal.wait_for(READY)
            terminal.settle()
            for key in ":goto e2\r":
                terminal.press(key)
            terminal.settle(1.0)  # while it goes on, something is painted five times a second
            ours = most(terminal.process)
    limit = bare + DEFAULT_BUDGET + MORE_BYTES
    label = "most memory of gradstep run digits, an epoch"
    yield Row(label, "", "bare Textual", ours, bare, ours / bare, limit=limit, unit="B")


def most(process: int) -> int:
    """The most bytes of memory that a process has had at a time."""
    text = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in text.splitlines() if "VmHWM" in line) * 1024


def silently(command: Sequence[str]) -> None:
    """Run a command to its end."""
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
