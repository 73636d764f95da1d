"""Where the results of a timeline's ops come from: executed, recorded, or sent by a script."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol, TypeVar

from engine.arrays import Array
from engine.run.kept import Kept
from engine.run.op import Op, Tensors

LIVE = "live"
# Sessions stand above runs: what a branch is, this room does not know.
BranchT_contra = TypeVar("BranchT_contra", contravariant=True)


class Ability(StrEnum):
    """What may be done with a run besides reading it: execute, edit, skip ops, branch."""

    EXECUTE = "execute"
    EDIT = "edit"
    SKIP = "skip"
    BRANCH = "branch"


@dataclass(frozen=True, eq=False)
class Keyframe:
    """The tensors at the beginning of an iteration, without its batch, to start again from.

    Iterations count from 0. Where it is not ``whole``, what its own iteration writes is missing.
    """

    iteration: int
    tensors: Mapping[str, Array]
    whole: bool


class Source(Protocol[BranchT_contra]):
    """Results of events by branch of a session, and keyframes to start from.

    ``can`` is what may be done with the run; ``why_not`` is a sentence for what may not.
    """

    @property
    def can(self) -> frozenset[Ability]: ...
    @property
    def why_not(self) -> str: ...

    @property
    def recorded(self) -> bool:
        """Whether what it gives was written down before, or is made now."""

    @property
    def scripts(self) -> Mapping[str, str]:
        """The texts of the files that the run is written in, by path; none of an experiment."""

    def printed(self, event: int, most: int) -> Sequence[str]:
        """The last lines that a script had printed before an event, at most so many."""

    def initial(self) -> dict[str, Array]:
        """Every tensor that exists before the first op, the first batch too."""

    def enters(self, iteration: int) -> Mapping[str, Array | None]:
        """The tensors that an iteration, counted from 0, begins with anew: its batch.

        None for one that is not there, or not to be had, from here on.
        """

    def leaves(self, iteration: int) -> Mapping[str, Array | None]:
        """What an iteration ends with under the names that enter with the next one."""

    def produce(
        self, branch: BranchT_contra, event: int, op: Op, tensors: Tensors
    ) -> tuple[Array | None, ...]:
        """What the op at an event writes, one array for each name; may raise what the op raises.

        None where there is no value: the tensor is gone, or was recorded without its elements.
        """

    def kept(self, event: int, name: str) -> Kept | None:
        """What is known of a tensor at an event whose elements are not all there.

        None for one that is whole, and for one that does not exist there.
        """

    def suspect(self, event: int) -> int:
        """The first event from this one on that may have written something not finite.

        ``event`` itself where that is not known beforehand.
        """

    def keyframe(self, branch: BranchT_contra, event: int, after: int) -> Keyframe | None:
        """The last keyframe that restores an event; None where none lies beyond ``after``.

        ``after`` is an iteration, counted from 0.
        """

    def status(self, branch: BranchT_contra, event: int) -> str:
        """Where the values written at an event come from, in a word: ``live``, ``recorded``, …"""


class Executed:
    """The source of a compiled program: every op is executed, everything may be done."""

    can = frozenset(Ability)
    why_not = ""
    recorded = False
    scripts: Mapping[str, str] = MappingProxyType({})

    def __init__(
        self,
        initial: Callable[[], dict[str, Array]],
        enters: Callable[[int], dict[str, Array]],
    ) -> None:
        self.initial = initial
        self.enters = self.leaves = enters  # no op writes a batch

    def kept(self, event: int, name: str) -> None:
        """None: every tensor is whole."""

    def printed(self, event: int, most: int) -> tuple[str, ...]:
        """Nothing: an experiment prints nothing."""
        return ()

    def suspect(self, event: int) -> int:
        """``event``: an op has to be executed for that."""
        return event

    def produce(self, branch: object, event: int, op: Op, tensors: Tensors) -> tuple[Array, ...]:
        """What the op writes, executed now."""
        return op.run(tensors)

    def keyframe(self, branch: object, event: int, after: int) -> None:
        """None: the session's own keyframes are all there is."""

    def status(self, branch: object, event: int) -> str:
        """``live``, at every event."""
        return LIVE
