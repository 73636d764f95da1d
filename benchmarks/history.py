"""What the past costs: steps back, journeys to anywhere, memory, and training without a past."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial

import numpy as np

from benchmarks.effort import Effort
from benchmarks.iterations import DTYPES, stepping
from benchmarks.measure import Row, Samples, computed, interleave, versus
from benchmarks.networks import MIDDLE, SMALL, Sizes, Workload
from engine.run.drive import run_iteration
from engine.run.position import Granularity
from engine.session.history import DEFAULT_BUDGET
from engine.session.session import Session

STEPS = {Granularity.OP: 100, Granularity.ITERATION: 50}
GOTO_SECONDS = {50: 0.080, 95: 0.200}  # of so many in a hundred


def history(effort: Effort) -> Iterator[Row]:
    """Every row about the past."""
    for network in (SMALL, MIDDLE):
        for dtype in DTYPES:
            work = Workload(network.smaller(effort.scale), dtype)
            yield from steps_back(work, network, effort)
            yield train(work, network, effort)
    for dtype in DTYPES if effort.long else DTYPES[:1]:
        yield from goto(dtype, effort)
    for dtype in DTYPES:
        yield memory(dtype, effort)


def steps_back(work: Workload, network: Sizes, effort: Effort) -> Iterator[Row]:
    """A step back beside the step forward that it takes back; forwards onto new ground."""
    ops = len(work.program.ops)
    for granularity, count in STEPS.items():
        session = Session(work.program)
        session.step(3, Granularity.ITERATION)
        most = room(session) * (1 if granularity == Granularity.ITERATION else ops)
        steps = min(count, most)
        forwards, backwards = [], []
        for _ in range(4 * effort.rounds):
            forwards.append(computed(partial(session.step, 1, granularity), steps))
            backwards.append(computed(partial(session.step, -1, granularity), steps))
            session.step(steps, granularity)
        samples = Samples((tuple(backwards), tuple(forwards)))
        label = f"one {granularity} back, {network.name}"
        yield versus(label, work.dtype, samples, 1, "the step forward", 1.0)


def room(session: Session) -> int:
    """How many iterations the window holds, with some to spare."""
    iteration = session.history.costs(session.listing)[-1]
    return max(1, session.history.window_budget // iteration - 1)


def train(work: Workload, network: Sizes, effort: Effort) -> Row:
    """The loop of ``gradstep train`` beside the same iterations in a session."""
    state = {"tensors": work.program.initial(), "done": 0}

    def run() -> None:
        state["tensors"] = run_iteration(work.program, state["tensors"], state["done"])
        state["done"] += 1

    samples = interleave([run, stepping(work)], effort)
    label = f"train without a screen, {network.name}"
    return versus(label, work.dtype, samples, 1, "the loop through Session", 1.0)


def goto(dtype: str, effort: Effort) -> Iterator[Row]:
    """Journeys to random iterations of a long run, with the default budget and every core."""
    threads = os.cpu_count() or 1
    sizes = [str(number) for number in (effort.scale, effort.journey, effort.gotos)]
    command = [sys.executable, "-m", "benchmarks.journey", dtype, *sizes, "--threads", str(threads)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    half = found["iteration"] * found["spacing"] / 2
    note = (
        f"worst {max(found['seconds']) * 1e3:.0f} ms; keyframes {found['spacing']} iterations apart"
    )
    label = f"goto a random iteration of {effort.journey:,}, {MIDDLE.name}, {threads} threads"
    for share, limit in GOTO_SECONDS.items():
        ours = float(np.percentile(found["seconds"], share))
        which = "median" if share == 50 else f"{share} %"
        yield Row(f"{label}, {which}", dtype, "half a keyframe distance", ours, half, ours / half,
                  limit=limit, note=note)  # fmt: skip


def memory(dtype: str, effort: Effort) -> Row:
    """What a process grows by in a session of many events, beside the budget of its history."""
    command = [sys.executable, "-m", "benchmarks.footprint", dtype, str(effort.events)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    grown = float(done.stdout)
    label = f"memory of a session of {effort.events:,} events, {SMALL.name}"
    return Row(label, dtype, "the budget", grown, DEFAULT_BUDGET, grown / DEFAULT_BUDGET, 1.2,
               unit="B")  # fmt: skip
