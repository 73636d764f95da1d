"""One branch executed in order, with its journal and without a past."""

from collections.abc import Mapping

import numpy as np

from engine.arrays import Array
from engine.errors import GradstepError
from engine.program.program import Program
from engine.run.drive import entered, execute
from engine.run.op import Op
from engine.session.edits import edited_tensor
from engine.session.journal import Journal

Written = tuple[Array, ...]
UNABLE = (ArithmeticError, LookupError, ValueError)  # what an op raises that lacks its inputs


class Rerun:
    """Every tensor at an event, before its edits; ``step`` applies them and goes on by one."""

    def __init__(self, program: Program, journal: Journal | None = None) -> None:
        self.program = program
        self.journal = journal or Journal()
        self.tensors: dict[str, Array] = program.initial()
        self.event = 0
        self._edited = False

    def restart(self, event: int, tensors: Mapping[str, Array]) -> None:
        """Go on from the beginning of an iteration: ``tensors`` are those before its edits."""
        self.tensors = dict(tensors)
        self.event = event
        self.tensors.update(entered(self.program, event))
        self._edited = False

    @property
    def op(self) -> Op:
        """The op about to run."""
        return self.program.timeline.op(self.event)

    @property
    def skipped(self) -> bool:
        """Whether the op about to run does nothing."""
        op = self.op
        return bool(self.journal.skips) and self.journal.skipped(op.phase, op.name, self.event)

    def result(self) -> Written:
        """What the op about to run writes, read-only; it is not taken over yet.

        Raises GradstepError where the op cannot run.
        """
        self.edit()
        op = self.op
        if self.skipped:
            return ()
        try:
            with np.errstate(all="ignore"):
                return execute(op, self.tensors)
        except UNABLE as problem:
            said = f"#{self.event} {op.phase} {op.name} cannot run: {problem}"
            raise GradstepError(said) from problem

    def take(self, written: Written) -> None:
        """Move past the op about to run with what it wrote, now or when it was recorded."""
        self.edit()
        for name, array in zip(self.op.writes, written, strict=False):
            self.tensors[name] = array
        self.event += 1
        self.tensors.update(entered(self.program, self.event))
        self._edited = False

    def step(self) -> Written:
        """Execute one op; what it wrote. Raises GradstepError where it cannot run."""
        written = self.result()
        self.take(written)
        return written

    def edit(self) -> None:
        """Apply the edits that belong to this event, if they are not applied yet."""
        if self._edited or self.event not in self.journal.edits:
            return
        self._edited = True
        for edit in self.journal.edits[self.event]:
            name, value = edited_tensor(edit, self.program, self.tensors)
            self.tensors[name] = value
