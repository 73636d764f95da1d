"""State and Event: what is, and what happened. Both are immutable and share all arrays."""

from collections.abc import Mapping
from dataclasses import dataclass

from engine.arrays import Array
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

    ``before`` has None for a tensor that did not exist. ``after`` is shorter than ``op.writes``
    where the op wrote less: a skipped one writes nothing.
    """

    position: Position
    op: Op
    before: tuple[Array | None, ...]
    after: tuple[Array, ...]

    @property
    def index(self) -> int:
        """The number of the event in the whole run, from 0."""
        return self.position.event
