"""Where a session gets what its events write, if not from executing them: a recording."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from engine.arrays import Array
from engine.run.op import Op

if TYPE_CHECKING:
    from engine.session.branches import Branch
    from engine.session.history import Keyframe


class Source(Protocol):
    """Results of events, and keyframes to start from."""

    def results(
        self, branch: "Branch", op: Op, event: int, tensors: Mapping[str, Array]
    ) -> tuple[Array, ...]:
        """What the op at an event writes; may raise what the op raises."""

    def keyframe(self, branch: "Branch", event: int, after: int) -> "Keyframe | None":
        """The last keyframe that restores an event, if it is beyond iteration ``after``."""

    def status(self, branch: "Branch", event: int) -> str:
        """Where the values written at an event come from, in a word."""
