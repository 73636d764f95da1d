"""Running ops: one step as a pure function, and whole stretches as fast as the ops go.

:func:`advance` is the definition that everything else agrees with to the bit. :func:`carry_out` is
the one loop in which ops are executed, but for a session's own, which keeps a past as well.
"""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from engine.arrays import Array, frozen
from engine.run.event import Event, State
from engine.run.op import Op, Tensors
from engine.run.run import Run

Written = tuple[Array, ...]


def initial_state(run: Run) -> State:
    """The State at event 0: the tensors that exist before the first op."""
    return State(MappingProxyType(run.source.initial()), 0)


def execute(op: Op, tensors: Tensors) -> Written:
    """What an op writes, made read-only; nothing else changes. Raises what the op raises."""
    results = op.run(tensors)
    for array in results:
        frozen(array)
    return results


def entered(run: Run, event: int) -> dict[str, Array]:
    """The batch, by name, of the iteration that begins at an event; empty where none begins."""
    timeline = run.timeline
    iteration = timeline.iteration(event)
    begins = event < timeline.end and timeline.begin(iteration) == event
    return present(run.source.enters(iteration)) if begins else {}


def present(batch: Mapping[str, Array | None]) -> dict[str, Array]:
    """The tensors of a batch that are there."""
    return {name: array for name, array in batch.items() if array is not None}


def advance(run: Run, state: State) -> tuple[State, Event]:
    """Execute the next op: the new State and the Event. The old State stays as it was.

    Raises IndexError at the end of the run.
    """
    op = run.timeline.op(state.event)
    # NaN and infinities are results like any other: stops and the doctor look for them.
    with np.errstate(all="ignore"):
        after = execute(op, state.tensors)
    before = tuple(state.tensors.get(name) for name in op.writes)
    # Not strict: an update without a gradient writes less than its op names.
    tensors = {**state.tensors, **dict(zip(op.writes, after, strict=False))}
    # x and y are no op's output. The next batch is there as soon as the last op is past, so that
    # the State between two iterations is the one that the next iteration begins with.
    tensors |= entered(run, state.event + 1)
    done = Event(run.timeline.position(state.event), op, before, after)
    return State(MappingProxyType(tensors), state.event + 1), done


def carry_out(ops: Sequence[Op], tensors: dict[str, Array], freeze: bool = True) -> list[Written]:
    """Execute ops in order and put what they write into ``tensors``; what each of them wrote.

    Unfrozen arrays are for those who keep them to themselves: freezing costs time. Raises what an
    op raises; the ops before it are then in ``tensors``.
    """
    written: list[Written] = []
    append = written.append
    with np.errstate(all="ignore"):  # once for all of them: entering it costs time
        for op in ops:
            after, names = op.run(tensors), op.writes
            append(after)
            if len(after) == 1 == len(names):  # nearly always, and faster
                result = after[0]
                if freeze:
                    result.setflags(False)  # type: ignore[call-arg]  # see ``frozen``
                tensors[names[0]] = result
            else:
                if freeze:
                    for array in after:
                        frozen(array)
                tensors.update(zip(names, after, strict=False))
    return written


def run_iteration(run: Run, tensors: Tensors, iteration: int) -> dict[str, Array]:
    """Every tensor after one iteration, counted from 0; ``tensors`` stays as it was."""
    timeline = run.timeline
    start, stop = timeline.begin(iteration), timeline.begin(iteration + 1)
    after = {**tensors, **present(run.source.enters(iteration))}
    carry_out(timeline.stretch(start, stop), after)
    return after


def happen(run: Run, tensors: dict[str, Array], start: int, stop: int) -> Iterator[Event]:
    """Execute the ops of one iteration from event ``start`` up to ``stop``, each as an Event.

    The batch is among the ``tensors`` already, and what the ops write is put there.
    """
    timeline = run.timeline
    for event, op in enumerate(timeline.stretch(start, stop), start):
        before = tuple(tensors.get(name) for name in op.writes)
        (after,) = carry_out((op,), tensors)
        yield Event(timeline.position(event), op, before, after)
