"""A long run and journeys to anywhere in it, for its own threads in a process of its own.

``python -m benchmarks.journey DTYPE SCALE ITERATIONS JOURNEYS --threads N`` prints JSON: the
seconds of each journey, those of one iteration, and the distance of the keyframes.
"""

import sys

from benchmarks import threads

if __name__ == "__main__":
    threads.fix(threads.wanted(sys.argv))

import json
import statistics
from functools import partial

import numpy as np

from benchmarks.measure import timed
from benchmarks.networks import MIDDLE, Workload
from engine.run.position import Granularity
from engine.session.session import Session


def worker(session: Session, count: int) -> list[float]:
    """Seconds of each of some journeys to random iterations of what is known."""
    rng = np.random.default_rng(1)
    targets = rng.integers(session.program.timeline.iterations, size=count) * len(
        session.program.ops
    )
    return [timed(partial(session.goto, int(target)), 1) for target in targets]


def main() -> None:
    """Run, travel, and print what it took."""
    dtype, *numbers = sys.argv[1:5]
    scale, iterations, count = map(int, numbers)
    session = Session(Workload(MIDDLE.smaller(scale), dtype, iterations).program)
    session.goto(session.program.timeline.end - 100 * len(session.program.ops))
    once = partial(timed, partial(session.step, 1, Granularity.ITERATION), 1)
    iteration = statistics.median(once() for _ in range(100))
    found = {
        "seconds": worker(session, count),
        "iteration": iteration,
        "spacing": session.history.spacing,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
