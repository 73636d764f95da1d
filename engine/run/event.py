"""State and Event: what is, and what happened. Both are immutable and share all arrays."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from engine.arrays import Array, frozen
from engine.program.program import Program
from engine.run.op import Op
from engine.run.position import Position


@dataclass(frozen=True, eq=False)
class State:
    """Every tensor by name, read-only, and the event that would come next."""

    tensors: Mapping[str, Array]
    event: int


@dataclass(frozen=True, eq=False)
class Event:
    """One executed op: where it stands, and what it wrote, before and after.

    ``before`` has None for a tensor that did not exist.
    """

    position: Position
    op: Op
    before: tuple[Array | None, ...]
    after: tuple[Array, ...]

    @property
    def index(self) -> int:
        """The number of the event in the whole run, from 0."""
        return self.position.event


def initial_state(program: Program) -> State:
    """The State before the first op."""
    return State(MappingProxyType(program.initial()), 0)


def execute(op: Op, tensors: Mapping[str, Array]) -> tuple[Array, ...]:
    """What an op writes, read-only; nothing else changes."""
    results = op.run(tensors)
    for array in results:
        frozen(array)
    return results


def advance(program: Program, state: State) -> tuple[State, Event]:
    """Execute the next op: the new State and the Event. The old State stays as it was.

    Raises IndexError at the end of the run.
    """
    if state.event >= program.events:
        raise IndexError("the run is over")
    op = program.ops[state.event % len(program.ops)]
    with np.errstate(all="ignore"):
        after = execute(op, state.tensors)
    before = tuple(state.tensors.get(name) for name in op.writes)
    tensors = {**state.tensors, **dict(zip(op.writes, after, strict=False))}
    event = state.event + 1
    if event % len(program.ops) == 0 and event < program.events:
        tensors |= program.batch(event // len(program.ops))
    done = Event(program.position(state.event), op, before, after)
    return State(MappingProxyType(tensors), event), done
