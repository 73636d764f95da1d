"""A detector of one kind of finding: it is fed the events of a run, and asked what it found."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import ClassVar

import numpy as np

from engine.arrays import Array
from engine.diagnostics import facts
from engine.diagnostics.diagnosis import Card, Found
from engine.program.program import Program
from engine.run.event import Event
from engine.run.op import Op
from engine.run.phases import Phase

Tensors = Mapping[str, Array]
NEVER = -(2**62)  # before every event


class Needs(Enum):
    """What a detector has to be told of a network, beside its tensors and ops."""

    TENSORS = "nothing more"
    ROWS = "a loss of the table, of outputs (N, K) and their targets"
    LAYERS = "layers in a row"


def offers(program: Program, needs: Needs) -> bool:
    """Whether a network is one of which a detector can say something true.

    A network as lines has no layers in a row, and its loss may be one of the lines, of which
    nothing is known but its value.
    """
    if needs == Needs.LAYERS:
        return bool(program.network.nodes)
    return needs == Needs.TENSORS or facts.outputs(program) is not None


class Detector(ABC):
    """Looks for one kind of finding, which its ``card`` declares.

    One that ``needs`` what a network does not offer is not asked, and one that has nothing to look
    at in this program sets ``watching`` to False, and sees nothing. ``see`` is called after each
    event of ``phases`` with the tensors after it; it keeps little and changes nothing. ``found``
    may be asked at any time. Tensors are only read while ``see`` runs; arrays may be kept, because
    they never change.
    """

    card: ClassVar[Card]
    needs: ClassVar[Needs] = Needs.TENSORS
    phases: ClassVar[frozenset[Phase]] = frozenset()

    def __init__(self, program: Program) -> None:
        self.program = program
        self.watching = True

    def begin(self, tensors: Tensors, event: int) -> None:  # noqa: B027
        """The tensors before the first event that will be seen."""

    def enter(self, event: int, given: Tensors) -> None:  # noqa: B027
        """Tensors that no op has written but that changed before an event: a batch, an edit."""

    def see(self, event: Event, tensors: Tensors) -> None:  # noqa: B027
        """One event has happened."""

    def gap(self) -> None:  # noqa: B027
        """Events were missed: what depends on having seen all of them starts anew."""

    @abstractmethod
    def found(self) -> Iterator[Found]:
        """The findings so far."""

    def first_event(self, phase: Phase, name: str) -> int | None:
        """The event of an op in the first iteration; None where the program does not have it."""
        return next((op.index for op in self.program.ops if is_op(op, phase, name)), None)


def is_op(op: Op, phase: Phase, name: str) -> bool:
    """Whether this is the op of that phase and name."""
    return op.phase == phase and op.name == name


def norm(array: Array) -> float:
    """The Euclidean norm of all elements, in float64."""
    return float(np.linalg.norm(np.asarray(array, dtype=np.float64)))


def number(value: float) -> str:
    """A number with three significant digits, ``2e-5``."""
    return f"{value:.3g}".replace("e-0", "e-").replace("e+0", "e")


def plural(count: int, word: str) -> str:
    """``1 unit``, ``3 units``, ``2 batches``."""
    ending = "es" if word.endswith(("tch", "ss")) else "s"
    return f"{count} {word}" if count == 1 else f"{count} {word}{ending}"
