"""Recording without a session: a run executed and written as fast as its ops go."""

from collections.abc import Iterator

import numpy as np

from engine.arrays import Array
from engine.measure.metrics import evaluate
from engine.program.program import Program
from engine.recording.writer import Writer
from engine.session.branches import MAIN


def record_run(writer: Writer, program: Program, iterations: int) -> Iterator[int]:
    """Run and record whole iterations; yields how many are done. Commits are the caller's."""
    line = writer.branch(MAIN)
    tensors: dict[str, Array] = program.initial()
    writer.metrics(MAIN, evaluate(program, tensors))
    ops = [(op.run, op.writes) for op in program.ops]
    for iteration in range(iterations):
        tensors.update(program.batch(iteration))
        line.keyframe(tensors)
        written: list[tuple[Array, ...]] = []
        with np.errstate(all="ignore"):
            for run, names in ops:
                after = run(tensors)  # nobody else gets to see these: read-only would cost time
                written.append(after)
                if len(after) == 1 == len(names):  # nearly always, and faster
                    tensors[names[0]] = after[0]
                else:
                    tensors.update(zip(names, after, strict=False))
        line.take(written)
        yield iteration + 1
    writer.metrics(MAIN, evaluate(program, tensors))
