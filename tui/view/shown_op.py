"""The op that is looked at: the one that made the tensor shown, or one chosen in the program."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from numpy.typing import NDArray

from engine.run.op import Op
from engine.session.past import Past

Array = NDArray[Any]


class Standing(StrEnum):
    """Whether an op is done, about to be done, still to come in this iteration, or left out."""

    DONE = "done"
    NEXT = "next"
    COMING = "to come"
    SKIPPED = "skipped"


@dataclass(frozen=True, eq=False)
class ShownOp:
    """An op, at an event if it has been done, and the ``operands`` that it read or will read.

    An operand that is not there is not computed yet, no longer known, or still to change.
    ``iteration`` counts from 1; ``earlier`` is whether that is not the cursor's, which has gone on.
    """

    op: Op
    standing: Standing
    event: int
    iteration: int
    earlier: bool = False
    operands: Mapping[str, Array] = field(default_factory=dict)


def done_at(past: Past, event: int) -> ShownOp:
    """The op at an event before the cursor, and what it read there."""
    timeline = past.run.timeline
    op, iteration = timeline.op(event), timeline.iteration(event)
    earlier = iteration != timeline.iteration(past.event) and event < past.event - 1
    skipped = past.journal.skipped(op.phase, op.name, event)
    read = {} if skipped else {name: value_at(past, name, event) for name in op.reads}
    known = {name: value for name, value in read.items() if value is not None}
    standing = Standing.SKIPPED if skipped else Standing.DONE
    return ShownOp(op, standing, event, iteration + 1, earlier, known)


def still_to_do(past: Past, op: Op, event: int) -> ShownOp:
    """An op at the cursor or later in its iteration; what the one at the cursor will read."""
    iteration = past.run.timeline.iteration(past.event) + 1
    if event > past.event:
        return ShownOp(op, Standing.COMING, event, iteration)
    known = {name: past.tensors[name] for name in op.reads if name in past.tensors}
    return ShownOp(op, Standing.NEXT, event, iteration, operands=known)


def value_at(past: Past, name: str, event: int) -> Array | None:
    """A tensor as the op at an event read it; None where that is no longer known."""
    timeline, here = past.run.timeline, past.event
    writer = timeline.next(event - 1, writes=name)
    while writer is not None and writer < here:
        written = past.event_at(writer)
        if written is None or edited(past, name, event, writer):
            return None
        if written.before:  # a skipped op writes nothing
            return written.before[written.op.writes.index(name)]
        writer = timeline.next(writer, writes=name)
    if edited(past, name, event, here):
        return None
    iteration = timeline.iteration(event)
    if name in past.run.entering and iteration != timeline.iteration(here):
        after = past.history.inputs.get(timeline.begin(iteration + 1))
        return (after or past.source.enters(iteration)).get(name)
    return past.tensors.get(name)


def edited(past: Past, name: str, after: int, until: int) -> bool:
    """Whether a person has set a tensor between two events."""
    return any(one.target == name for one in past.journal.edited(after + 1, until + 1))
