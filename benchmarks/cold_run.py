"""``python -m benchmarks.cold_run WHO NETWORK DTYPE SCALE FROM TO --threads N``: a rival by itself.

Prints the seconds that an iteration took, from iteration FROM up to iteration TO, as it came: a
person starts cold, and has no loop that warmed anything before.
"""

import sys

from benchmarks import threads

threads.fix(threads.wanted(sys.argv))

import json  # noqa: E402 - the threads come first
import time  # noqa: E402
from collections.abc import Callable  # noqa: E402

from benchmarks.measure import Run, settle  # noqa: E402
from benchmarks.networks import LARGE, MIDDLE, Workload  # noqa: E402
from benchmarks.plain import TwoLayers  # noqa: E402

NETWORKS = {"middle": MIDDLE, "large": LARGE}


def plain(work: Workload) -> Run:
    """Plain NumPy. The C library keeps its memory: else it takes twice as long, by accident."""
    settle()
    return TwoLayers(work).iteration


def session(work: Workload) -> Run:
    """Through Session, with events and history."""
    from benchmarks.iterations import stepping

    return stepping(work)


def train(work: Workload) -> Run:
    """What ``gradstep train`` does between two pictures of its bar."""
    from tui.cli.train import Run as Training

    program = work.program
    steps = Training(program, work.iterations, program.initial()).advance()
    return lambda: next(steps)


WHO: dict[str, Callable[[Workload], Run]] = {"plain": plain, "session": session, "train": train}


def main() -> None:
    """Run and print."""
    who, network, dtype, scale, first, last = sys.argv[1:7]
    work = Workload(NETWORKS[network].smaller(int(scale)), dtype, int(last))
    run = WHO[who](work)
    for _ in range(int(first)):
        run()
    clock = time.thread_time if threads.alone() else time.perf_counter
    begin = clock()
    for _ in range(int(last) - int(first)):
        run()
    print(json.dumps((clock() - begin) / (int(last) - int(first))))


if __name__ == "__main__":
    main()
