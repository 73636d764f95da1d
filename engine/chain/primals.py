"""Primals: the values at which Jacobians are taken, as one iteration's forward pass used them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Protocol

import numpy as np

from engine.arrays import Array, Shape
from engine.errors import GradstepError
from engine.jacobian.operator import Point
from engine.program.graph import Node
from engine.program.program import Program
from engine.run.event import Event, State
from engine.run.op import Op
from engine.run.phases import Phase
from engine.run.position_text import format_position


@dataclass(frozen=True, eq=False)
class Primals:
    """The primal values at an event, of the batch (N, d) or, with ``sample``, of one row of it.

    ``past`` gives an event that has happened, or None where it is no longer known. Values are
    fetched when they are needed; reading one that the iteration has not computed yet is a
    GradstepError that says where it will be. So is a sample that the batch has not.
    """

    program: Program
    tensors: Mapping[str, Array]
    event: int
    past: Callable[[int], Event | None] = lambda _: None
    sample: int | None = None

    def __post_init__(self) -> None:
        rows = len(self.tensors["x"])
        if self.sample is not None and not 0 <= self.sample < rows:
            raise GradstepError(
                f"no sample {self.sample}: this batch has {rows}, from 0 to {rows - 1}"
            )

    @property
    def samples(self) -> int:
        """The number of samples N: the rows of the batch, or 1."""
        return len(self.tensors["x"]) if self.sample is None else 1

    @cached_property
    def dtype(self) -> np.dtype[np.floating]:
        """The dtype of the experiment."""
        return np.dtype(self.program.experiment.dtype)

    @property
    def begin(self) -> int:
        """The first event of the iteration that :attr:`event` is in."""
        timeline = self.program.timeline
        return timeline.begin(timeline.iteration(self.event))

    @property
    def position(self) -> str:
        """The position in words that parse back, ``i3:backward``."""
        return format_position(self.program, self.event)

    def symbol(self, name: str) -> str:
        """The symbol of a tensor, ``z₁``, by its name."""
        return self.program.tensors[name].symbol

    def shape(self, name: str) -> Shape:
        """The shape in a Jacobian: (N, d) of an activation, (d,) for one sample, else its own."""
        info = self.program.tensors[name]
        if not info.per_sample:
            return info.shape
        return info.shape[1:] if self.sample is not None else (self.samples, *info.shape[1:])

    def layer_point(self, node: Node) -> Point:
        """The point at which the Jacobians of a layer are taken."""
        return self.point(node.tensor)

    def loss_point(self) -> Point:
        """The point at which the Jacobians of the loss are taken."""
        return self.point({"yhat": self.program.network.output, "y": "y"}.__getitem__)

    def point(self, tensor: Callable[[str], str]) -> Point:
        """A Point that reads the tensors which ``tensor`` names for each role."""
        return Point(
            self.samples,
            self.dtype,
            lambda role: self.read(tensor(role)),
            lambda role: self.shape(tensor(role)),
            self.sample is not None,
        )

    def read(self, name: str) -> Array:
        """A tensor as forward made or used it; of one sample activations are one row, (1, d).

        Raises GradstepError where it is not computed yet, or has moved and is no longer known.
        """
        info = self.program.tensors[name]
        role = info.role
        value = self.parameter(name) if role == "parameter" else self.computed(name)
        if self.sample is None or not info.per_sample:
            return value
        return value[self.sample : self.sample + 1]

    def computed(self, name: str) -> Array:
        """An input, or an activation that this iteration has computed; else a GradstepError."""
        if self.program.tensors[name].role in ("input", "target", "constant", "buffer"):
            return self.tensors[name]
        op = self.op(Phase.FORWARD, name)
        if op is None:
            raise GradstepError(f"{name} is never computed: this experiment skips forward")
        # before its op the name is missing, or still holds what the iteration before computed
        if self.event <= self.begin + op.index or name not in self.tensors:
            last = max(op.index for op in self.program.ops if op.phase == Phase.FORWARD)
            there = format_position(self.program, self.begin + last + 1)
            raise GradstepError(
                f"{self.symbol(name)} ({name}) is not computed yet at {self.position}: "
                f"the forward phase computes it; go to {there}"
            )
        return self.tensors[name]

    def parameter(self, name: str) -> Array:
        """A parameter as forward used it, before this iteration's update; else a GradstepError."""
        op = self.op(Phase.UPDATE, name)
        if op is None or self.event <= self.begin + op.index:
            return self.tensors[name]
        event = self.past(self.begin + op.index)
        before = event.before[op.writes.index(name)] if event else None
        if before is None:
            there = format_position(self.program, self.begin + op.index)
            raise GradstepError(
                f"{self.symbol(name)} ({name}) has moved since forward used it; go back to {there}"
            )
        return before

    def op(self, phase: Phase, name: str) -> Op | None:
        """The op of a phase that writes a tensor; None where there is none."""
        return writers(self.program).get((phase, name))


@lru_cache(maxsize=4)
def writers(program: Program) -> Mapping[tuple[str, str], Op]:
    """The first op of each phase that writes each tensor; a deep network asks for all of them."""
    found: dict[tuple[str, str], Op] = {}
    for op in program.ops:
        for name in op.writes:
            found.setdefault((op.phase, name), op)
    return found


class Standing(Protocol):
    """What Primals need of a session: its program, its state, and the events behind it."""

    @property
    def program(self) -> Program: ...
    @property
    def state(self) -> State: ...

    def event_at(self, event: int) -> Event | None: ...


def primals_of(session: Standing, sample: int | None = None) -> Primals:
    """The Primals at the cursor of a session, which stay there when the cursor moves on.

    Raises GradstepError for a sample that the batch has not.
    """
    state = session.state
    return Primals(session.program, state.tensors, state.event, session.event_at, sample)
