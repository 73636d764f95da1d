"""How time and memory grow with width, depth, batch, iterations, keyframe distance and screen."""

import statistics
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from benchmarks.effort import Effort
from benchmarks.iterations import stepping
from benchmarks.journey import worker
from benchmarks.measure import computed, interleave
from benchmarks.networks import Sizes, Workload
from benchmarks.screen import GRADSTEP, READY, presses
from engine.run.position import Granularity
from engine.session.session import Session

DTYPE = "float32"
WIDTHS = (64, 128, 256, 512, 1024, 2048)
DEPTHS = (5, 10, 20, 40, 80, 160)
BATCHES = (16, 64, 256, 1024, 4096)
ITERATIONS = (1_000, 2_000, 4_000, 8_000, 16_000)
BUDGETS = (4, 8, 16, 32, 64)  # MiB
SCREENS = ((80, 24), (120, 40), (160, 50), (240, 60), (320, 100))
REASONS = {
    "width": "the matrix products and the update grow with width², the calls of an op do not grow",
    "depth": "ops are proportional to the layers; their tensors leave a cache at some 100 layers",
    "batch": "the matrix products grow with the batch, the update of the parameters does not",
    "width, bytes": "parameters and their gradients are width², activations are width",
    "depth, bytes": "what an op writes is kept, and the ops are proportional to the layers",
    "batch, bytes": "activations grow with the batch, parameters and their gradients do not",
    "iterations": "an iteration costs the same at any time of the run",
    "iterations, bytes": "beyond the budget old events go, and keyframes move apart",
    "keyframe distance": "re-execution begins at the keyframe before, half a distance on average",
    "cells": "lines that did not change are not painted again, and those that did are longer",
}


@dataclass(frozen=True)
class Fit:
    """Measured points, and the exponent p of the power law c·sizeᵖ fitted to the later half."""

    what: str
    against: str
    points: tuple[tuple[int, float], ...]
    unit: str
    exponent: float
    why: str


def fitted(what: str, against: str, points: Sequence[tuple[int, float]], unit: str) -> Fit:
    """Least squares of the logarithms, over the larger sizes, where constants matter less."""
    last = points[len(points) // 2 - 1 :] if len(points) > 3 else points
    sizes, values = np.log([p[0] for p in last]), np.log([max(p[1], 1e-12) for p in last])
    exponent = float(np.polyfit(sizes, values, 1)[0])
    why = REASONS[against if unit == "s" else f"{against}, bytes"]
    return Fit(what, against, tuple(points), unit, exponent, why)


def scaling(effort: Effort) -> Iterator[Fit]:
    """Every fit."""
    few = effort.scale > 1

    def some(sizes: tuple[int, ...]) -> tuple[int, ...]:
        return sizes[:2] if few else sizes

    widths = {w: Sizes((w, w, w), 64) for w in some(WIDTHS)}
    depths = {d: Sizes((64,) * (d + 1), 32) for d in some(DEPTHS)}
    batches = {b: Sizes((256, 256, 256), b) for b in some(BATCHES)}
    for against, networks in (("width", widths), ("depth", depths), ("batch", batches)):
        works = {size: Workload(network, DTYPE) for size, network in networks.items()}
        yield fitted("an iteration", against, times(works, effort), "s")
        yield fitted("history of an iteration", against, list(kept(works)), "B")
    yield from lengths(some(ITERATIONS))
    yield distances(some(BUDGETS), effort)
    yield screens(SCREENS[:2] if few else SCREENS, effort)


def times(works: dict[int, Workload], effort: Effort) -> list[tuple[int, float]]:
    """Seconds of an iteration by size, measured in turns."""
    samples = interleave([stepping(work) for work in works.values()], effort)
    return [(size, samples.median(i)) for i, size in enumerate(works)]


def kept(works: dict[int, Workload]) -> Iterator[tuple[int, float]]:
    """Bytes that one more iteration leaves behind, by size."""
    for size, work in works.items():
        session = Session(work.program, budget=2**40)
        session.step(2, Granularity.ITERATION)
        yield size, grown(partial(session.step, 1, Granularity.ITERATION))


def grown(run: Callable[[], object]) -> float:
    """Bytes that are still allocated after a run."""
    tracemalloc.start()
    try:
        run()
        return float(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()


def lengths(counts: tuple[int, ...]) -> Iterator[Fit]:
    """Seconds and bytes of whole sessions by their number of iterations, with 1 MiB of history."""
    work = Workload(Sizes((2, 16, 1), 32), DTYPE)
    seconds, sizes = [], []
    for count in counts:
        steps = partial(Session.step, count=count, granularity=Granularity.ITERATION)
        first, second = (Session(work.program, budget=2**20) for _ in range(2))
        seconds.append((count, computed(partial(steps, first), 1)))
        sizes.append((count, grown(partial(steps, second))))
    yield fitted("a session", "iterations", seconds, "s")
    yield fitted("a session with a budget of 1 MiB", "iterations", sizes, "B")


def distances(budgets: tuple[int, ...], effort: Effort) -> Fit:
    """Seconds of a journey to a random iteration by the distance of the keyframes."""
    points = []
    for budget in sorted(budgets, reverse=True):
        work = Workload(Sizes((256, 256, 256), 64), DTYPE, max(64, effort.journey // 25))
        session = Session(work.program, budget * 2**20)
        session.goto(work.program.timeline.end)
        points.append((session.history.spacing, statistics.median(worker(session, effort.gotos))))
    return fitted("goto a random iteration", "keyframe distance", points, "s")


def screens(sizes: Sequence[tuple[int, int]], effort: Effort) -> Fit:
    """Seconds from a key press to the painted screen by the cells of the terminal."""
    command = (*GRADSTEP, "run", "regression")
    points = []
    for columns, rows in sizes:
        seconds = presses(command, READY, "s", effort.presses, (columns, rows))
        points.append((columns * rows, statistics.median(seconds)))
    return fitted("key press s to painted screen", "cells", points, "s")
