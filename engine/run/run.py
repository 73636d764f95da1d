"""A run as a session steps through it, whatever made it."""

from collections.abc import Mapping
from typing import Any, Protocol

from engine.run.op import Op, TensorInfo, Tensors
from engine.run.phases import Phase
from engine.run.source import Source
from engine.run.timeline import Timeline


class Run(Protocol):
    """Which ops there are and when, where their results come from, and what the tensors are.

    A compiled program is one; a captured run is another.
    """

    @property
    def name(self) -> str:
        """Its name, as it is shown."""

    @property
    def order(self) -> tuple[Phase, ...]:
        """The phases in their order, those without ops too."""

    @property
    def timeline(self) -> Timeline:
        """The ops by event."""

    @property
    def source(self) -> Source[Any]:
        """Where their results come from."""

    @property
    def tensors(self) -> Mapping[str, TensorInfo]:
        """What is known of each tensor, by name."""

    @property
    def aliases(self) -> Mapping[str, str]:
        """Short names, each with the tensor's own."""

    @property
    def gradients(self) -> Mapping[str, str]:
        """Each tensor that has a gradient, with the name of its gradient."""

    @property
    def loss(self) -> str | None:
        """The name of the loss; None where none is known."""

    @property
    def loss_op(self) -> str | None:
        """The name of the op that computes the loss; None where none is known."""

    @property
    def entering(self) -> tuple[str, ...]:
        """The tensors that no op writes, and that every iteration begins with anew."""

    @property
    def live_in(self) -> frozenset[str]:
        """The tensors that an iteration reads before it writes them, or never writes.

        They are what a keyframe has to hold.
        """

    def __hash__(self) -> int: ...

    def resolve(self, name: str) -> str:
        """A tensor's own name for an alias, any other name as it is."""

    def nbytes(self, op: Op) -> int:
        """Bytes that one execution of an op leaves behind in a history."""


def loss_key(run: Run) -> str:
    """The key of the op that computes the loss; no op has it where there is none."""
    return f"{Phase.LOSS}:{run.loss_op}"


def loss_of(run: Run, tensors: Tensors) -> float | None:
    """The loss computed last, a tensor of shape (), as a number; None before the first."""
    found = None if run.loss is None else tensors.get(run.loss)
    return None if found is None else float(found)
