"""What capturing a script costs it: its processor time, its memory, and bytes of the recording."""

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from math import nan
from pathlib import Path

from benchmarks.effort import Effort
from benchmarks.measure import Row, Samples, versus
from engine.capture.opened import opened_capture

SCRIPT = Path(__file__).parent / "capture_run.py"
PLAIN = "the script itself"
# Of the script's own processor time, one thread.
BOUNDS = {
    ("residual", "light"): 1.05,
    ("residual", "auto"): 1.7,
    ("gpt", "auto"): 2.2,
}
AN_OP = 50e-6  # seconds that an op of a small network may cost
AN_ITERATION = 50_000  # bytes of the file that a GPT's iteration may take, in statistics
GROWTH = 10 * 2**20  # bytes of the script's memory over thousands of iterations


def capture(effort: Effort) -> Iterator[Row]:
    """Each script beside itself; nothing where there is no PyTorch."""
    if find_spec("torch") is None:
        return
    count = 12 if effort.scale == 1 else 3
    with tempfile.TemporaryDirectory() as folder:
        for (name, values), bound in BOUNDS.items():
            samples = beside(name, count, ("--values", values), effort, Path(folder))
            yield versus(f"capture --values {values}, {name}", "float32", samples, 1, PLAIN, bound)
        yield an_op(effort, Path(folder))
        yield an_iteration(effort, Path(folder))
        yield growth(effort, Path(folder))


def beside(
    name: str, count: int, options: tuple[str, ...], effort: Effort, folder: Path
) -> Samples:
    """Seconds an iteration captured and plain, in turn."""
    seconds: list[list[float]] = [[], []]
    for i in range(max(2, effort.starts // 2)):
        for captured in (True, False) if i % 2 else (False, True):
            took, _ = run(name, count, options if captured else None, folder)
            seconds[not captured].append(took)
    return Samples((tuple(seconds[0]), tuple(seconds[1])))


def run(
    name: str, count: int, options: tuple[str, ...] | None, folder: Path
) -> tuple[float, float]:
    """What a run says: seconds an iteration, and bytes by which its memory has grown."""
    command = [sys.executable, str(SCRIPT), name, str(count)]
    target = folder / "run.gradstep"
    target.unlink(missing_ok=True)
    if options is not None:
        first = [sys.executable, "-m", "tui", "capture", "--quiet", "-o", str(target)]
        command = [*first, *options, "--", *command]
    root = {"PYTHONPATH": str(SCRIPT.parents[1])}
    environment = dict(os.environ) | {"OMP_NUM_THREADS": "1"} | root
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    took, grown = done.stdout.split()
    return float(took), float(grown)


def an_op(effort: Effort, folder: Path) -> Row:
    """What an op costs where there is little to compute, nothing but small tensors."""
    count = 300 if effort.scale == 1 else 10
    samples = beside("mlp", count, (), effort, folder)
    run("mlp", count, (), folder)
    with opened_capture(str(folder / "run.gradstep")) as stored:
        ops = stored.timeline.end / stored.timeline.iterations
    pairs = zip(*samples.seconds, strict=True)
    took = statistics.median((captured - plain) / ops for captured, plain in pairs)
    return Row("capture, an op of a small network", "float32", "", took, nan, nan, limit=AN_OP)


def an_iteration(effort: Effort, folder: Path) -> Row:
    """Bytes that each further iteration takes of the file."""
    few, many = (5, 25) if effort.scale == 1 else (2, 4)
    sizes = []
    for count in (few, many):
        run("gpt", count, ("--values", "stats"), folder)
        sizes.append((folder / "run.gradstep").stat().st_size)
    took = (sizes[1] - sizes[0]) / (many - few)
    label = "capture --values stats, a GPT's iteration"
    return Row(label, "float32", "", took, nan, nan, limit=AN_ITERATION, unit="B")


def growth(effort: Effort, folder: Path) -> Row:
    """Bytes by which the script's memory grows more than without."""
    count = 4000 if effort.scale == 1 else 20
    grown = run("mlp", count, ("--values", "stats"), folder)[1] - run("mlp", count, None, folder)[1]
    label = f"capture, growth over {count:,} iterations"
    return Row(label, "float32", "", max(0.0, grown), nan, nan, limit=GROWTH, unit="B")
