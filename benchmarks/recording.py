"""What recording costs beside plain training, and how fast a recording opens and is searched."""

import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from math import nan
from pathlib import Path

from benchmarks.effort import Effort
from benchmarks.measure import Row, Run, interleave, versus
from engine.experiment.reader import load_experiment
from engine.program.compiler import compile_program
from engine.program.program import Program
from engine.recording.environment import environment
from engine.recording.estimate import estimate
from engine.recording.live import record_run
from engine.recording.reader import Reader
from engine.recording.recorded import Recording
from engine.recording.replay import open_debugger
from engine.recording.writer import Writer
from engine.run.drive import run_iteration

ENDLESS = 10**9  # iterations: as many as the measurement wants
BOUNDS = {("digits", "keyframes"): 1.15, ("xor", "full"): 2.0}
OPENING, SEEK = 0.030, 0.010  # seconds


def recording(effort: Effort) -> Iterator[Row]:
    """Every row about recordings."""
    with tempfile.TemporaryDirectory() as directory:
        for (name, store), bound in BOUNDS.items():
            yield cost(name, store, bound, Path(directory), effort)
            yield size(name, store, Path(directory), effort)
        path = Path(directory, "long.gradstep")
        record(path, "xor", "keyframes", effort.recorded // 21)
        yield opening(path, effort)
        yield seek(path, effort)


def program_of(name: str, iterations: int) -> Program:
    """A built-in experiment that lasts so long."""
    return compile_program(load_experiment(name)).lasting(iterations)


def cost(name: str, store: str, bound: float, directory: Path, effort: Effort) -> Row:
    """An iteration that is recorded, commits included, beside the same one of plain training."""
    program = program_of(name, ENDLESS)
    path = directory / f"{name}-{store}-cost.gradstep"
    writer = Writer(path, program, estimate(program, store, ENDLESS), environment())
    samples = interleave([recorded(writer, program), plain(program)], effort)
    writer.close()
    against = "training without recording"
    return versus(f"record {store}, {name}", program.experiment.dtype, samples, 1, against, bound)


def recorded(writer: Writer, program: Program) -> Run:
    """An iteration that is recorded."""
    steps = record_run(writer, program, ENDLESS)

    def run() -> None:
        next(steps)
        writer.tick(time.monotonic())

    return run


def plain(program: Program) -> Run:
    """The same without a recording."""
    state = {"tensors": program.initial(), "done": 0}

    def run() -> None:
        state["tensors"] = run_iteration(program, state["tensors"], state["done"])
        state["done"] += 1

    return run


def record(path: Path, name: str, store: str, iterations: int) -> Program:
    """A whole recording."""
    program = program_of(name, iterations)
    writer = Writer(path, program, estimate(program, store, iterations), environment())
    for _ in record_run(writer, program, iterations):
        writer.tick(time.monotonic())
    writer.close()
    return program


def size(name: str, store: str, directory: Path, effort: Effort) -> Row:
    """The bytes of a recorded run beside those of everything its ops wrote."""
    path = directory / f"{name}-{store}-size.gradstep"
    iterations = max(20, effort.journey // 100)
    program = record(path, name, store, iterations)
    written = sum(program.tensors[n].nbytes for op in program.ops for n in op.writes)
    ours, naive = path.stat().st_size, written * iterations
    label = f"a recording of {iterations} iterations, {store}, {name}"
    dtype, against = program.experiment.dtype, "all that was written"
    return Row(label, dtype, against, ours, naive, ours / naive, unit="B")


def opening(path: Path, effort: Effort) -> Row:
    """Opening a long recording, up to the first picture."""
    seconds = []
    for _ in range(max(3, effort.starts)):
        begin = time.perf_counter()
        session = open_debugger(Recording(Reader(path)))[0].session
        seconds.append(time.perf_counter() - begin)
        events = session.known
    label = f"open a recording of {events:,} events"
    return Row(label, "float64", "", statistics.median(seconds), nan, nan, limit=OPENING)


def seek(path: Path, effort: Effort) -> Row:
    """Going to random events of a long recording."""
    chance = random.Random(0)
    session = open_debugger(Recording(Reader(path)))[0].session
    seconds = []
    for _ in range(max(3, effort.gotos)):
        target = chance.randrange(session.known + 1)
        begin = time.perf_counter()
        session.goto(target)
        seconds.append(time.perf_counter() - begin)
    label = f"seek among {session.known:,} events"
    return Row(label, "float64", "", statistics.median(seconds), nan, nan, limit=SEEK)
