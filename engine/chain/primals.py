"""The values of one iteration as its forward pass used them, for a sample or for the batch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
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

BATCHED = ("input", "target", "activation", "mask")


@dataclass(frozen=True, eq=False)
class Primals:
    """A place in a run, and how to look at it: one sample as columns, or the batch as rows.

    ``past`` gives an event that has happened, or None where it is no longer known. Values are
    fetched when they are needed; reading one that the iteration has not computed yet is a
    GradstepError that says where it will be.
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
        """How many samples are looked at."""
        return len(self.tensors["x"]) if self.sample is None else 1

    @cached_property
    def dtype(self) -> np.dtype[np.floating]:
        """The dtype of the experiment."""
        return np.dtype(self.program.experiment.dtype)

    @property
    def begin(self) -> int:
        """The first event of the iteration."""
        timeline = self.program.timeline
        return timeline.begin(timeline.iteration(self.event))

    @property
    def position(self) -> str:
        """The place in words that parse back."""
        return format_position(self.program, self.event)

    def symbol(self, name: str) -> str:
        """How people write a tensor."""
        return self.program.tensors[name].symbol

    def shape(self, name: str) -> Shape:
        """The shape in this view: an activation of one sample is a column."""
        info = self.program.tensors[name]
        if info.role not in BATCHED:
            return info.shape
        return info.shape[1:] if self.sample is not None else (self.samples, *info.shape[1:])

    def layer_point(self, node: Node) -> Point:
        """Where the Jacobians of a layer are taken."""
        return self.point(node.tensor)

    def loss_point(self) -> Point:
        """Where the Jacobians of the loss are taken."""
        return self.point({"yhat": self.program.network.output, "y": "y"}.__getitem__)

    def point(self, tensor: Callable[[str], str]) -> Point:
        """A Point that reads the tensors behind these roles."""
        single = self.sample is not None
        return Point(self.samples, self.dtype, lambda role: self.read(tensor(role)), single)

    def read(self, name: str) -> Array:
        """A tensor as forward made or used it; activations cut to the sample, as one row."""
        role = self.program.tensors[name].role
        value = self.parameter(name) if role == "parameter" else self.computed(name)
        if self.sample is None or role not in BATCHED:
            return value
        return value[self.sample : self.sample + 1]

    def computed(self, name: str) -> Array:
        """An input, or an activation that this iteration has computed."""
        if self.program.tensors[name].role in ("input", "target"):
            return self.tensors[name]
        op = self.op(Phase.FORWARD, name)
        if op is None:
            raise GradstepError(f"{name} is never computed: this experiment skips forward")
        if self.event <= self.begin + op.index or name not in self.tensors:
            last = max(op.index for op in self.program.ops if op.phase == Phase.FORWARD)
            there = format_position(self.program, self.begin + last + 1)
            raise GradstepError(
                f"{self.symbol(name)} ({name}) is not computed yet at {self.position}: "
                f"the forward phase computes it; go to {there}"
            )
        return self.tensors[name]

    def parameter(self, name: str) -> Array:
        """A parameter as it was before this iteration's update."""
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
        """The op of a phase that writes a tensor."""
        ops = self.program.ops
        return next((op for op in ops if op.phase == phase and name in op.writes), None)


class Standing(Protocol):
    """A session on a program, as far as values are asked of it."""

    @property
    def program(self) -> Program: ...
    @property
    def state(self) -> State: ...

    def event_at(self, event: int) -> Event | None: ...


def primals_of(session: Standing, sample: int | None = None) -> Primals:
    """Where the cursor of a session stands; it stays there when the cursor moves on."""
    state = session.state
    return Primals(session.program, state.tensors, state.event, session.event_at, sample)
