"""The session: a cursor in a run, with what can be asked there and what can be changed."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from engine.arrays import Array, keep_memory
from engine.errors import GradstepError
from engine.program.program import CAPTURED, Program
from engine.run.event import Event, State
from engine.run.op import Op
from engine.run.position import Granularity, Position
from engine.run.position_text import format_position
from engine.run.run import Run
from engine.run.source import Ability
from engine.run.timeline import Listing
from engine.session.branches import Branches
from engine.session.cursor import Cursor
from engine.session.history import DEFAULT_BUDGET
from engine.session.journal import Edit, Entered, Index, Skip
from engine.session.past import happened
from engine.session.undo import Undo


class Session(Cursor):
    """A run that can be stepped both ways; ``budget`` bounds the memory of its past, in bytes.

    Whatever moves the cursor raises GradstepError where an op cannot run, and leaves it there.
    """

    def __init__(self, run: Run, budget: int = DEFAULT_BUDGET) -> None:
        keep_memory(max((one.nbytes for one in run.tensors.values()), default=0))
        super().__init__(run, budget)
        self.branches = Branches(self, self.branch)
        self.undo = Undo(self)

    def __repr__(self) -> str:
        loss = "no loss yet" if self.loss is None else f"loss {self.loss:.6g}"
        place = f"#{self._event} {format_position(self.run, self._event)}"
        return f"<Session {self.run.name!r} at {place}, {loss}>"

    @property
    def program(self) -> Program:
        """The compiled program that is run; a GradstepError where the run was captured."""
        if not isinstance(self.run, Program):
            raise GradstepError(CAPTURED)
        return self.run

    @property
    def position(self) -> Position:
        """The place of the cursor."""
        return self.timeline.position(self._event)

    @property
    def op(self) -> Op | None:
        """The op about to run; None at the end of the run."""
        return None if self._event >= self.timeline.end else self.timeline.op(self._event)

    @property
    def listing(self) -> Listing:
        """The ops of the iteration that the cursor is in."""
        return self.timeline.listing(self.timeline.iteration(self._event))

    @property
    def tensors(self) -> Mapping[str, Array]:
        """Every tensor at the cursor, by name: a view that moves with it."""
        return MappingProxyType(self._tensors)

    @property
    def state(self) -> State:
        """Every tensor at the cursor: a snapshot that stays as it is when the cursor moves on."""
        return State(MappingProxyType(dict(self._tensors)), self._event)

    @property
    def losses(self) -> Array:
        """The loss of every iteration whose loss op is past; NaN where it was skipped.

        (losses,) of float64: an iteration of a captured run may have none, or several.
        """
        # A copy: while a view of an array.array is about, it cannot grow.
        return np.array(self.branch.losses[: self.losses_at(self._event)])

    @property
    def losses_known(self) -> Array:
        """The loss of every iteration that is known, also beyond the cursor: (losses,)."""
        return np.array(self.branch.losses)

    @property
    def loss(self) -> float | None:
        """The last loss computed at the cursor; None before the first, NaN where it was skipped."""
        count = self.losses_at(self._event)
        return self.branch.losses[count - 1] if count else None

    def tensor(self, name: str) -> Array | None:
        """A tensor by its name or alias; None while it has not been computed."""
        return self._tensors.get(self.run.resolve(name))

    def last_event(self) -> Event | None:
        """The event that led to the cursor; None where its past is beyond the window."""
        return self.event_at(self._event - 1)

    def event_at(self, event: int) -> Event | None:
        """An event of the window; None for others."""
        written = self.history.events.get(event)
        if written is None:
            return None
        return happened(self.timeline, event, written)

    def step(self, count: int = 1, granularity: Granularity = Granularity.OP) -> int:
        """Move ``count`` steps of a size, backwards where it is negative; the new event."""
        return self.goto(self.timeline.boundary(self._event, granularity, count))

    def goto(self, event: int) -> int:
        """Move to an event, forwards or backwards, at most to an end of the run; the new event."""
        if self.known <= self._event < event <= self._event + self.chunk:
            return self.forward(event)  # nothing to look for: as most steps are
        for _ in self.travel(event):
            pass
        return self._event

    def set(
        self, target: str, value: Entered, index: Index = (), branch: str | None = None
    ) -> Edit:
        """Set a tensor, or the part of it at ``index``, to a number, nested list or expression.

        In the past this starts a new branch, and the current one stays whole. Raises GradstepError
        for an unknown tensor, an index outside, a value that does not fit, or a run that cannot be
        edited.
        """
        from engine.session.edits import edited_tensor  # most sessions are never edited

        self.need(Ability.EDIT)
        edit = Edit(self._event, target, value, index)
        edited_tensor(edit, self.run, self._tensors)  # refused before anything changes
        with self.undo.changing(str(edit)):
            self._diverge(branch)
            self.branch.journal = self.journal.add(edit)
            self._apply((edit,))
        return edit

    def skip(
        self, *targets: str, always: bool = False, branch: str | None = None
    ) -> tuple[Skip, ...]:
        """Leave out phases, or ops as ``phase:name``, in this iteration or from here on.

        In the past this starts a new branch. Raises GradstepError where another op would lack its
        inputs, and for a run that must stay as it is.
        """
        from engine.session.edits import skip_entries

        self.need(Ability.SKIP)
        entries = skip_entries(self.run, self.journal, self._event, targets, always)
        with self.undo.changing(", ".join(map(str, entries))):
            self._diverge(branch)
            for entry in entries:
                self.branch.journal = self.journal.add(entry)
        return entries

    def unskip(self, target: str, branch: str | None = None) -> None:
        """Let what is skipped from here on run again.

        In the past this starts a new branch. Raises GradstepError where the target is not skipped
        here, or needs a phase that is.
        """
        from engine.session.edits import unskipped

        unskipped(self.journal, self._event, target)  # refused before anything changes
        with self.undo.changing(f"unskip {target}"):
            self._diverge(branch)
            self.branch.journal = unskipped(self.journal, self._event, target)

    def need(self, ability: Ability) -> None:
        """Raise GradstepError where the source of the run does not allow something."""
        if ability not in self.source.can:
            raise GradstepError(f"no {ability} here: {self.source.why_not}")

    def losses_at(self, event: int) -> int:
        """How many losses have been computed before an event."""
        return min(self.timeline.count(self.loss_key, event), len(self.branch.losses))

    def beside(self, budget: int) -> "Session":
        """Another session on the same run, at its first event."""
        return Session(self.run, budget)

    def _diverge(self, name: str | None) -> None:
        """Make the future open: forget it at the end of a branch, start a new branch elsewhere."""
        if name is not None or self._event < self.known:
            self.branches.split(name)
        self.history.forget_after(self._event)
