"""The first iterations of a process, which a person waits for, beside those of plain NumPy."""

import json
import subprocess
import sys
from collections.abc import Iterator

from benchmarks.effort import Effort
from benchmarks.iterations import DTYPES, FLOOR, NUMPY
from benchmarks.measure import Row, Samples, interleave, versus
from benchmarks.networks import DEEP, LARGE, MIDDLE, Sizes, Workload
from benchmarks.plain import ManyLayers, TwoLayers, products

FIRST, LAST = 10, 400  # iterations of the middling network
FEW = 40  # of the large one
THREADS = (1, 2)
LOOPS = {"train": "gradstep train", "session": "Session"}
COLD = {MIDDLE: 1.15, LARGE: 1.10}
# What a rival may take beyond its matrix products: one that copies, or does not update in place,
# is no measure of anything.
SANE = {MIDDLE: 1.3, LARGE: 1.25, DEEP: 2.5}


def cold(effort: Effort) -> Iterator[Row]:
    """Every loop in both number types, with one thread and with two; then the rival itself."""
    for dtype in DTYPES:
        for threads in THREADS:
            yield from beginning(MIDDLE, "middle", dtype, threads, LAST, effort)
        yield from beginning(LARGE, "large", dtype, 1, FEW, effort)
    for network, bound in SANE.items():
        for dtype in DTYPES:
            work = Workload(network.smaller(effort.scale), dtype)
            deep = len(work.network.sizes) > 3
            plain = ManyLayers(work) if deep else TwoLayers(work)
            samples = interleave([plain.iteration, products(work)], effort)
            label = f"plain NumPy itself, {network.name}"
            yield versus(label, dtype, samples, 1, FLOOR, bound)


def beginning(
    network: Sizes, name: str, dtype: str, threads: int, last: int, effort: Effort
) -> Iterator[Row]:
    """Processes of all three in turn, each round beginning with another one."""
    first = min(FIRST, last // 4) if effort.scale == 1 else 1
    last = last if effort.scale == 1 else 4
    who = ["plain", *LOOPS]
    seconds: dict[str, list[float]] = {one: [] for one in who}
    for k in range(max(2, effort.starts)):
        for one in who[k % 3 :] + who[: k % 3]:
            given = [one, name, dtype, str(effort.scale), str(first), str(last)]
            seconds[one].append(process(given, threads))
    for one, called in LOOPS.items():
        samples = Samples((tuple(seconds[one]), tuple(seconds["plain"])))
        label = f"iterations {first} to {last} of a process, {called}, {network.name}"
        label += f", {threads} thread{'s' * (threads > 1)}"
        yield versus(label, dtype, samples, 1, NUMPY, COLD[network])


def process(arguments: list[str], threads: int) -> float:
    """What one process says: seconds an iteration."""
    command = [sys.executable, "-m", "benchmarks.cold_run", *arguments, "--threads", str(threads)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: float = json.loads(done.stdout)
    return found
