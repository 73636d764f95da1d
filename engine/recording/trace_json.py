"""Events as JSON objects, one for each op, phase or iteration.

A Step is a run of events of one iteration that are told together: a single one, those of a phase,
or all of them. Recordings export the same objects.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine import __version__
from engine.arrays import Array
from engine.program.program import Program
from engine.run.drive import entered, happen
from engine.run.event import Event
from engine.run.phases import Phase
from engine.run.position import Granularity, Position
from engine.run.run import loss_of


@dataclass(frozen=True, eq=False)
class Write:
    """One tensor that a step wrote, before and after; ``before`` is None where there was none."""

    name: str
    before: Array | None
    after: Array


@dataclass(frozen=True, eq=False)
class Step:
    """Events of one iteration that are told together, and the loss after the last of them.

    ``batch`` holds x and y where the step begins an iteration, so that a trace is complete.
    """

    events: tuple[Event, ...]
    granularity: Granularity
    loss: float | None
    batch: Mapping[str, Array] | None = None

    @property
    def position(self) -> Position:
        """The place of the first event."""
        return self.events[0].position

    @property
    def phase(self) -> Phase | None:
        """The phase of the events; None where the step is an iteration."""
        whole = self.granularity == Granularity.ITERATION
        return None if whole else self.events[0].op.phase

    @property
    def reads(self) -> tuple[str, ...]:
        """What was read from outside the step, in the order of reading."""
        names: dict[str, None] = {}
        written: set[str] = set()
        for event in self.events:
            names.update((name, None) for name in event.op.reads if name not in written)
            written.update(event.op.writes)
        return tuple(names)

    @property
    def writes(self) -> tuple[Write, ...]:
        """What was written: each tensor once, with its first ``before`` and its last ``after``."""
        written: dict[str, Write] = {}
        for event in self.events:
            # An update without a gradient writes less than its op names.
            for name, old, new in zip(event.op.writes, event.before, event.after, strict=False):
                before = written[name].before if name in written else old
                written[name] = Write(name, before, new)
        return tuple(written.values())


def steps(program: Program, granularity: Granularity, iterations: int) -> Iterator[Step]:
    """Run the first ``iterations`` of a program and yield what happened, step by step.

    The run ends where the program does. Raises ValueError for steps larger than an iteration.
    """
    if granularity == Granularity.EPOCH:
        raise ValueError("a step of a trace is an op, a phase or an iteration")
    timeline, tensors, event = program.timeline, program.source.initial(), 0
    end = timeline.begin(iterations)
    while event < end:
        batch = entered(program, event)
        tensors.update(batch)
        stop = timeline.boundary(event, granularity, 1)
        events = tuple(happen(program, tensors, event, stop))
        yield Step(events, granularity, loss_of(program, tensors), batch or None)
        event = stop


def values(array: Array | None) -> Any:
    """An array as nested lists; float32 becomes the float64 of the same value."""
    return None if array is None else array.tolist()


def header(program: Program, with_values: bool = False) -> dict[str, Any]:
    """The first line of a trace; with values also those of the parameters at the start."""
    initial = program.source.initial() if with_values else {}
    parameters = [
        {"name": info.name, "shape": list(info.shape)}
        | ({"value": values(initial[info.name])} if with_values else {})
        for info in program.parameters
    ]
    return {
        "gradstep": __version__,
        "experiment": program.experiment.name,
        "parameters": parameters,
        "ops": len(program.ops),
    }


def step_object(step: Step, with_values: bool = False) -> dict[str, Any]:
    """One line of a trace. ``op``, ``layer`` and ``formula`` are null where several ops ran."""
    single = step.events[0].op if step.granularity == Granularity.OP else None
    line: dict[str, Any] = {
        "event": step.position.event,
        "epoch": step.position.epoch,
        "iteration": step.position.iteration,
        "phase": step.phase,
        "op": single and single.name,
        "layer": single and single.layer,
        "formula": single and single.formula,
        "reads": list(step.reads),
        "writes": [write_object(write, with_values) for write in step.writes],
        "loss": step.loss,
    }
    if with_values and step.batch is not None:
        line["batch"] = {name: values(array) for name, array in step.batch.items()}
    return line


def write_object(write: Write, with_values: bool) -> dict[str, Any]:
    """One written tensor: its name, shape and dtype, and with values what it held."""
    about = {"name": write.name, "shape": list(write.after.shape), "dtype": str(write.after.dtype)}
    if not with_values:
        return about
    return about | {"before": values(write.before), "after": values(write.after)}


def trace_lines(
    program: Program, granularity: Granularity, iterations: int, with_values: bool = False
) -> Iterator[dict[str, Any]]:
    """The header, then a line for each step of the first ``iterations``."""
    yield header(program, with_values)
    for step in steps(program, granularity, iterations):
        yield step_object(step, with_values)
