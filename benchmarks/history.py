"""What the past costs: steps back, journeys to anywhere, memory, and training without a past."""

import statistics
import subprocess
import sys
from collections.abc import Iterator
from functools import partial

import numpy as np

from benchmarks.effort import Effort
from benchmarks.iterations import DTYPES, stepping
from benchmarks.measure import Row, Samples, computed, interleave, timed, versus
from benchmarks.networks import MIDDLE, SMALL, Sizes, Workload
from engine.history import DEFAULT_BUDGET
from engine.position import Granularity
from engine.session import Session
from engine.training import run_iteration

STEPS = {Granularity.OP: 100, Granularity.ITERATION: 50}
GOTO_SECONDS = 0.1


def history(effort: Effort) -> Iterator[Row]:
    """Every row about the past."""
    for network in (SMALL, MIDDLE):
        for dtype in DTYPES:
            work = Workload(network.smaller(effort.scale), dtype)
            yield from steps_back(work, network, effort)
            yield train(work, network, effort)
    for dtype in DTYPES:
        yield goto(dtype, effort)
    for dtype in DTYPES:
        yield memory(dtype, effort)


def steps_back(work: Workload, network: Sizes, effort: Effort) -> Iterator[Row]:
    """A step back beside the step forward that it takes back; forwards onto new ground."""
    for granularity, count in STEPS.items():
        session = Session(work.program)
        session.step(3, Granularity.ITERATION)
        count = min(count, room(session) if granularity == Granularity.ITERATION else count)
        forwards, backwards = [], []
        for _ in range(4 * effort.rounds):
            forwards.append(computed(partial(session.step, 1, granularity), count))
            backwards.append(computed(partial(session.step, -1, granularity), count))
            session.step(count, granularity)
        samples = Samples((tuple(backwards), tuple(forwards)))
        label = f"one {granularity} back, {network.name}"
        yield versus(label, work.dtype, samples, 1, "the step forward", 1.0)


def room(session: Session) -> int:
    """How many iterations the window holds, with some to spare."""
    return max(1, session.history.budget // 4 // sum(session.history.costs))


def train(work: Workload, network: Sizes, effort: Effort) -> Row:
    """The loop of ``gradstep train`` beside the same iterations in a session."""
    state = {"tensors": work.program.initial(), "done": 0}

    def run() -> None:
        state["tensors"] = run_iteration(work.program, state["tensors"], state["done"])
        state["done"] += 1

    samples = interleave([run, stepping(work)], effort)
    label = f"train without a screen, {network.name}"
    return versus(label, work.dtype, samples, 1, "the loop through Session", 1.0)


def goto(dtype: str, effort: Effort) -> Row:
    """Journeys to random events of a long run, with the default budget."""
    work = Workload(MIDDLE.smaller(effort.scale), dtype, effort.journey)
    session = Session(work.program)
    session.goto(work.program.events)
    iteration = timed(stepping(work), 20)
    seconds = journeys(session, effort.gotos)
    spacing = session.history.spacing
    note = (
        f"worst {max(seconds) * 1e3:.0f} ms; keyframes {spacing} iterations apart, "
        f"{iteration * 1e6:.0f} µs an iteration"
    )
    label = f"goto a random iteration of {work.program.iterations:,}, {MIDDLE.name}"
    ours = statistics.median(seconds)
    ideal = iteration * spacing / 2
    return Row(label, dtype, "half a keyframe distance", ours, ideal, ours / ideal,
               limit=GOTO_SECONDS, note=note)  # fmt: skip


def journeys(session: Session, count: int) -> list[float]:
    """Seconds of each of some journeys to random iterations of what is known."""
    rng = np.random.default_rng(1)
    targets = rng.integers(session.program.iterations, size=count) * len(session.program.ops)
    return [timed(partial(session.goto, int(target)), 1) for target in targets]


def memory(dtype: str, effort: Effort) -> Row:
    """What a process grows by in a session of many events, beside the budget of its history."""
    command = [sys.executable, "-m", "benchmarks.footprint", dtype, str(effort.events)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    grown = float(done.stdout)
    label = f"memory of a session of {effort.events:,} events, {SMALL.name}"
    return Row(label, dtype, "the budget", grown, DEFAULT_BUDGET, grown / DEFAULT_BUDGET, 1.2,
               unit="B")  # fmt: skip
