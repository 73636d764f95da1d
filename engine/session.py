"""The session: a cursor in the run that goes forwards and backwards, exactly.

The cursor stands before the op about to run. Every method that moves it leaves it at a whole event.
"""

from array import array
from collections.abc import Iterator, Mapping
from types import MappingProxyType

import numpy as np

from engine.arrays import Array
from engine.edits import Journal
from engine.history import DEFAULT_BUDGET, History
from engine.places import Bookmarks, Visited
from engine.position import Granularity, Position
from engine.program import Op, Program
from engine.state import Event, State

CHUNK_BYTES = 2**24  # work between two chances to cancel, measured by what the ops write
CHUNK_EVENTS = 256


class Session:
    """A run that can be stepped both ways; ``budget`` bounds the memory of its past, in bytes."""

    def __init__(self, program: Program, budget: int = DEFAULT_BUDGET) -> None:
        self.program = program
        self.history = History(program, budget)
        self.journal = Journal()
        self.bookmarks = Bookmarks()
        self.visited = Visited()
        self._tensors = program.initial()
        self._event = 0
        self._known = 0
        self._losses = array("d")
        self.history.keyframe(0, self._tensors)
        mean = sum(self.history.costs) // len(program.ops) + 1
        self._chunk = max(1, min(CHUNK_EVENTS, CHUNK_BYTES // mean))

    @property
    def event(self) -> int:
        """The event about to happen: how many ops have run."""
        return self._event

    @property
    def known(self) -> int:
        """The furthest event reached so far."""
        return self._known

    @property
    def position(self) -> Position:
        """The place of the cursor."""
        return self.program.position(self._event)

    @property
    def op(self) -> Op | None:
        """The op about to run; None at the end of the run."""
        if self._event >= self.program.events:
            return None
        return self.program.ops[self._event % len(self.program.ops)]

    @property
    def tensors(self) -> Mapping[str, Array]:
        """Every tensor at the cursor, by name: a view that moves with it."""
        return MappingProxyType(self._tensors)

    @property
    def state(self) -> State:
        """A snapshot that stays as it is when the cursor moves on."""
        return State(MappingProxyType(dict(self._tensors)), self._event)

    @property
    def losses(self) -> Array:
        """The loss of every iteration whose loss has been computed at the cursor."""
        return np.array(self._losses[: self._losses_at(self._event)])

    def tensor(self, name: str) -> Array | None:
        """A tensor by its name or alias; None while it has not been computed."""
        return self._tensors.get(self.program.resolve(name))

    def last_event(self) -> Event | None:
        """The event that led to the cursor; None where its past is beyond the window."""
        return self.event_at(self._event - 1)

    def event_at(self, event: int) -> Event | None:
        """An event of the window; None for others."""
        written = self.history.events.get(event)
        if written is None:
            return None
        op = self.program.ops[event % len(self.program.ops)]
        return Event(self.program.position(event), op, *written)

    def step(self, count: int = 1, granularity: Granularity = Granularity.OP) -> int:
        """Move ``count`` steps, backwards where it is negative; the new event."""
        return self.goto(self.program.boundary(self._event, granularity, count))

    def goto(self, event: int) -> int:
        """Move to an event, forwards or backwards; the new event."""
        for _ in self.travel(event):
            pass
        return self._event

    def travel(self, event: int) -> Iterator[int]:
        """Move to an event piece by piece: yields where the cursor is, may be left at any yield."""
        target = max(0, min(event, self.program.events))
        if target < self._event:
            if target >= self.history.first:
                self._undo(target)
                return
            self._rewind(target)
        elif target <= self._known and target - self._event > self._chunk:
            self._skip(target)
        while self._event < target:
            self._run(min(target, self._event + self._chunk))
            yield self._event

    def _losses_at(self, event: int) -> int:
        """How many losses have been computed before an event."""
        ops = self.program.ops
        whole, rest = divmod(event, len(ops))
        return min(whole + any(op.name == "loss" for op in ops[:rest]), len(self._losses))

    def _undo(self, target: int) -> None:
        """Go back inside the window by putting back what was there before."""
        ops, tensors, events = self.program.ops, self._tensors, self.history.events
        for event in range(self._event - 1, target - 1, -1):
            for name, old in zip(ops[event % len(ops)].writes, events[event][0], strict=False):
                if old is None:
                    tensors.pop(name, None)
                else:
                    tensors[name] = old
        self._enter(target)

    def _rewind(self, target: int) -> None:
        """Go to the nearest keyframe from which re-execution restores every tensor at ``target``.

        A keyframe lacks what its own iteration writes, so that one whole iteration is between.
        """
        iteration = self.history.before(max(0, target // len(self.program.ops) - 1))
        start = self.history.keyframes[iteration] if iteration else self.program.initial()
        self._tensors.clear()  # in place: views of the tensors move with the cursor
        self._tensors.update(start)
        event = iteration * len(self.program.ops)
        self.history.restart(event)
        self._enter(event)
        if iteration:
            self._run(event + len(self.program.ops))
            self.history.restart(self._event)

    def _skip(self, target: int) -> None:
        """Go forwards over known ground by the nearest keyframe, when that saves work."""
        ops = len(self.program.ops)
        iteration = self.history.before(max(0, target // ops - 1))
        if iteration * ops > max(self._event, self.history.first + len(self.history.events)):
            self._rewind(target)

    def _enter(self, event: int) -> None:
        """Set the cursor, with the batch of its iteration."""
        self._event = event
        iteration = min(event // len(self.program.ops), self.program.iterations - 1)
        self._tensors.update(self.program.batch(iteration))

    def _run(self, target: int) -> None:
        """Execute up to an event, or put in place again what the window already knows."""
        ops, tensors, history = self.program.ops, self._tensors, self.history
        count = len(ops)
        with np.errstate(all="ignore"):
            for event in range(self._event, target):
                op = ops[event % count]
                written = history.events.get(event)
                if written is None:
                    after = op.run(tensors)
                    for result in after:
                        result.flags.writeable = False
                    before = tuple([tensors.get(name) for name in op.writes])
                    history.add(event, (before, after))
                else:
                    after = written[1]
                for name, result in zip(op.writes, after, strict=False):
                    tensors[name] = result
                self._event = event + 1
                if self._event > self._known:
                    self._known = self._event
                    if op.name == "loss":
                        self._losses.append(float(tensors["loss"]))
                if self._event % count == 0 and self._event < self.program.events:
                    iteration = self._event // count
                    tensors.update(self.program.batch(iteration))
                    history.keyframe(iteration, tensors)
