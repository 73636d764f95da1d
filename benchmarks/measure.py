"""Timing rivals side by side: interleaved samples, medians, and the median of paired ratios.

With one thread for everybody, what computes is timed by the processor time of its thread: other
programs on the machine then take nothing away from it. Everything else is timed by the clock.
"""

import gc
import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.effort import Effort
from benchmarks.threads import alone

Run = Callable[[], object]
LARGEST = 2**25 - 2**16  # bytes: below the most that the C library ever takes from the heap


@dataclass(frozen=True)
class Row:
    """One line of the table: ours beside theirs, and the bound on their ratio where there is one.

    ``ours`` and ``theirs`` are in ``unit``: seconds, bytes, or a plain number. ``theirs`` is NaN
    where ours is bounded by a number of its own, ``limit``.
    """

    work: str
    dtype: str
    against: str
    ours: float
    theirs: float
    ratio: float
    bound: float | None = None
    limit: float | None = None
    unit: str = "s"
    note: str = ""

    @property
    def kept(self) -> bool | None:
        """Whether the bound is kept; None where there is none."""
        if self.limit is not None:
            return self.ours <= self.limit
        return None if self.bound is None else self.ratio <= self.bound


@dataclass(frozen=True)
class Samples:
    """The seconds that each rival took for one run, sample by sample, in the same rounds."""

    seconds: tuple[tuple[float, ...], ...]

    def median(self, rival: int = 0) -> float:
        """The median of one rival."""
        return statistics.median(self.seconds[rival])

    def ratio(self, rival: int, other: int) -> float:
        """The median over the rounds of one rival's time in terms of another's.

        Rivals of one round met the same load, which a ratio of two medians would not see.
        """
        pairs = zip(self.seconds[rival], self.seconds[other], strict=True)
        return statistics.median(a / b for a, b in pairs)


def interleave(rivals: Sequence[Run], effort: Effort) -> Samples:
    """Time the rivals in turn, each round beginning with another one."""
    settle()
    counts = [repetitions(run, effort.sample) for run in rivals]
    seconds: list[list[float]] = [[] for _ in rivals]
    end = time.perf_counter() + effort.seconds
    done = 0
    while done < effort.rounds or time.perf_counter() < end:
        for k in range(len(rivals)):
            i = (done + k) % len(rivals)
            seconds[i].append(computed(rivals[i], counts[i]))
        done += 1
    return Samples(tuple(map(tuple, seconds)))


def settle() -> None:
    """Bring memory into the state it has in any process that has worked for a while.

    The C library gives arrays back to the system until it has seen large ones come and go; whether
    it had, by accident, decided whether plain NumPy took 3 or 5 ms for 100 layers.
    """
    np.ones(LARGEST, np.uint8)
    gc.collect()


def repetitions(run: Run, sample: float) -> int:
    """How often a run is repeated in one sample: so that a sample takes ``sample`` seconds."""
    run()
    once = max(min(computed(run, 1) for _ in range(3)), 1e-8)
    return max(1, math.ceil(sample / once))


def timed(run: Run, count: int) -> float:
    """Seconds of one run by the clock, averaged over ``count``."""
    return clocked(time.perf_counter, run, count)


def computed(run: Run, count: int) -> float:
    """Seconds of one computation, averaged over ``count``."""
    return clocked(time.thread_time if alone() else time.perf_counter, run, count)


def clocked(clock: Callable[[], float], run: Run, count: int) -> float:
    """Seconds of one run by this clock, averaged over ``count``."""
    begin = clock()
    for _ in range(count):
        run()
    return (clock() - begin) / count


def versus(
    work: str,
    dtype: str,
    samples: Samples,
    rival: int,
    against: str,
    bound: float | None = None,
    note: str = "",
) -> Row:
    """The row of rival 0 against another one."""
    ratio = samples.ratio(0, rival)
    return Row(
        work, dtype, against, samples.median(), samples.median(rival), ratio, bound, note=note
    )
