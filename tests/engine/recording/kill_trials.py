"""A process of its own: runs that are killed by SIGKILL at moments all over their work.

``python -m tests.engine.recording.kill_trials DIRECTORY TRIALS`` forks a recording run for each
trial, lets it commit some times, kills it in the midst of what it does then, and prints a JSON line
with the file and the number of events that the run had committed for certain.
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from engine.recording.estimate import estimate
from engine.recording.live import record_run
from engine.recording.writer import Writer
from tests.engine.small_experiments import program


def run(path: Path, store: str, pipe: int) -> None:
    """Record without end, telling after each commit how many events are safe."""
    made = program(training={"epochs": 100_000})
    writer = Writer(path, made, estimate(made, store, 1000), {})
    os.write(pipe, b"0\n")
    for done in record_run(writer, made, made.timeline.iterations):
        if done % 7 == 0:
            writer.commit()
            os.write(pipe, f"{done * len(made.ops)}\n".encode())


def trial(path: Path, store: str, commits: int, seconds: float) -> int:
    """Kill a run after some commits and a little while; the events it had committed."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        try:
            run(path, store, write)
        finally:
            os._exit(1)
    os.close(write)
    with os.fdopen(read, "rb") as told:
        lines = [told.readline() for _ in range(1 + commits)]
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
        lines += told.read().splitlines(keepends=True)
    os.waitpid(child, 0)
    return max(int(line) for line in lines if line.endswith(b"\n"))


def main() -> None:
    directory, trials = Path(sys.argv[1]), int(sys.argv[2])
    chance = random.Random(20240229)
    for number in range(trials):
        path = directory / f"{number}.gradstep"
        store = ("full", "keyframes")[number % 2]
        events = trial(path, store, chance.randrange(6), chance.random() * 0.01)
        print(json.dumps({"path": str(path), "events": events}), flush=True)


if __name__ == "__main__":
    main()
