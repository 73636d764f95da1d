"""This tree beside an earlier revision: the same work in turns, in processes of their own.

``python -m benchmarks.revisions REV [--rounds N] [--only WORD]`` prints for each piece of work the
ratio new / old, and old / old of two processes of the earlier revision, which is what the machine
does to equal code. Status 1 where something is slower by more than 3 % and by more than the spread.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
from functools import partial
from io import BytesIO
from pathlib import Path

from benchmarks.kernels import KERNELS
from benchmarks.screen import READY, home
from benchmarks.terminal import Terminal

ROOT = Path(__file__).parent.parent
TOLERANCE = 0.03
STARTS = {
    "import engine and NumPy": ("-c", "import numpy, engine"),
    "gradstep --help": ("-m", "tui", "--help"),
    "gradstep list": ("-m", "tui", "list"),
    "gradstep trace regression": ("-m", "tui", "trace", "regression", "--iterations", "1"),
}


class Worker:
    """A process that does one piece of work whenever it is asked to."""

    def __init__(self, tree: Path, name: str) -> None:
        environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        command = [sys.executable, str(ROOT / "benchmarks" / "kernels.py"), str(tree), name]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, env=environment, text=True, cwd=tree
        )

    def round(self) -> float:
        """Seconds of a round."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def close(self) -> None:
        """End the process."""
        self.process.communicate()


def unpacked(revision: str, folder: Path) -> Path:
    """The packages of a revision in a folder."""
    command = ["git", "archive", revision, "engine", "tui"]
    packed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def started(tree: Path, words: tuple[str, ...]) -> float:
    """Seconds of a whole process, by the processor's own account: user and system."""
    before = os.times()
    subprocess.run(
        [sys.executable, *words],
        cwd=tree,
        env=os.environ | {"PYTHONPATH": str(tree)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    after = os.times()
    return (
        after.children_user + after.children_system - before.children_user - before.children_system
    )


def painted(tree: Path) -> float:
    """Seconds from the start of the debugger to its first paint."""
    # Without a path to start in, Python finds the packages of a tree by this variable alone.
    words = (sys.executable, "-P", "-m", "tui")
    with (
        home() as environment,
        Terminal(words, environment=environment | {"PYTHONPATH": str(tree)}) as terminal,
    ):
        return terminal.wait_for(READY)


def compared(name: str, samples: list[list[float]]) -> bool:
    """Print a row; whether the new tree is not slower. Samples: new, old, old again, in turns."""
    new, old, again = (statistics.median(each) for each in samples)
    both = statistics.median([*samples[1], *samples[2]])
    ratios = sorted(b / a for a, b in zip(samples[1], samples[2], strict=True))
    low, high = ratios[len(ratios) // 4], ratios[-1 - len(ratios) // 4]
    spread = max(abs(again / old - 1), high - 1, 1 - low)
    ratio = new / both
    good = ratio <= 1 + max(TOLERANCE, spread)
    mark = "" if good else "   slower"
    print(f"{name:28} {1e3 * new:9.2f} ms   new/old {ratio:5.3f}   old/old {again / old:5.3f} "
          f"({low:5.3f}–{high:5.3f}){mark}", flush=True)  # fmt: skip
    return good


def main() -> int:
    """Compare everything; the status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("revision")
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    good = True
    with tempfile.TemporaryDirectory() as folder:
        old = unpacked(options.revision, Path(folder))
        for name in KERNELS:
            if options.only in name:
                workers = [Worker(tree, name) for tree in (ROOT, old, old)]
                rounds = [[worker.round() for worker in workers] for _ in range(options.rounds)]
                for worker in workers:
                    worker.close()
                good &= compared(name, [list(column) for column in zip(*rounds, strict=True)])
        processes = {name: partial(started, words=words) for name, words in STARTS.items()}
        for name, run in (processes | {"start to first paint": painted}).items():
            if options.only in name:
                rounds = [[run(tree) for tree in (ROOT, old, old)] for _ in range(options.rounds)]
                good &= compared(name, [list(column) for column in zip(*rounds, strict=True)])
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
