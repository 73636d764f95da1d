"""Recording without a session: a run executed and written as fast as its ops go."""

from collections.abc import Iterator

from engine.arrays import Array
from engine.measure.metrics import evaluate
from engine.program.program import Program
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
