"""Detectors of a captured run: what they are shown, event by event, and what they answer."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from engine.capture.captured import CapturedRun
from engine.capture.messages import Degree, TensorDefinition
from engine.capture.packed import Told
from engine.diagnostics.diagnosis import Card, Found
from engine.run.kept import Statistics
from engine.run.op import Op


@dataclass(frozen=True)
class Seen:
    """An event: its op, what was told of each tensor that it wrote, and other facts.

    ``attributes`` are the op's arguments that are no tensors.
    """

    event: int
    iteration: int
    op: Op
    tensors: tuple[TensorDefinition, ...]
    told: tuple[Told, ...]
    facts: Mapping[str, Any]
    attributes: Mapping[str, Any]

    def values(self) -> Iterator[tuple[TensorDefinition, Told]]:
        """Each tensor that was written and is there."""
        for tensor, told in zip(self.tensors, self.told, strict=True):
            if not told.degree & Degree.GONE:
                yield tensor, told


class CaptureDetector(Protocol):
    """Looks for one kind of mistake in the events of a captured run."""

    card: Card

    def __init__(self, run: CapturedRun) -> None: ...

    def see(self, seen: Seen) -> None:
        """Take notice of an event."""

    def found(self) -> Iterator[Found]:
        """What was found by now."""


def largest(found: Statistics) -> float:
    """The largest magnitude."""
    return max(abs(found.minimum), abs(found.maximum))


def length(tensor: TensorDefinition, found: Statistics) -> float:
    """The Euclidean norm."""
    length: float = found.rms * tensor.elements**0.5
    return length
