"""Recording without a session: a run executed and written as fast as its ops go."""

import time
from collections.abc import Iterator
from pathlib import Path

from engine.arrays import Array
from engine.errors import GradstepError
from engine.measure.metrics import evaluate
from engine.program.program import Program
from engine.recording.environment import environment
from engine.recording.estimate import STORES, estimate
from engine.recording.file import exists
from engine.recording.writer import Writer
from engine.run.drive import carry_out
from engine.session.branches import MAIN


def record_run(writer: Writer, program: Program, iterations: int) -> Iterator[int]:
    """Run and record whole iterations; yields how many are done.

    The caller commits (:meth:`Writer.tick`) and closes.
    """
    lane = writer.branch(MAIN)
    tensors: dict[str, Array] = program.initial()
    writer.metrics(MAIN, evaluate(program, tensors))
    timeline = program.timeline
    for iteration in range(iterations):
        tensors.update(program.source.enters(iteration))
        lane.keyframe(tensors)
        ops = timeline.stretch(timeline.begin(iteration), timeline.begin(iteration + 1))
        lane.take(carry_out(ops, tensors, freeze=False))  # nobody else gets to see the arrays
        yield iteration + 1
    writer.metrics(MAIN, evaluate(program, tensors))


def record(
    program: Program, path: str | Path, iterations: int | None = None, store: str = "auto"
) -> Path:
    """Run a program from its beginning and record it; where the recording lies.

    ``iterations`` are by default those of the experiment. ``store`` is "full" (every tensor),
    "keyframes", or "auto", which is the former where it takes little room. Raises GradstepError for
    a file that exists or cannot be written, a full disk, another store, and less than 1 iteration.
    """
    path = Path(path)
    if exists(path):
        raise GradstepError(f"{path}: exists already")
    if store not in (*STORES, "auto"):
        raise GradstepError(f"store {store!r}; allowed: {', '.join((*STORES, 'auto'))}")
    wanted = program.timeline.iterations if iterations is None else iterations
    if wanted < 1:
        raise GradstepError(f"iterations is {wanted}; at least 1 is needed")
    program = program.lasting(wanted)
    writer, status = Writer(path, program, estimate(program, store, wanted), environment()), ""
    try:
        for _ in record_run(writer, program, wanted):
            writer.tick(time.monotonic())
            if writer.failed:
                break
        status = "closed"
    finally:  # what was recorded up to an interrupt stays
        writer.close(status or "interrupted")
    if writer.failed:
        raise GradstepError(writer.failed)
    return path
