"""Verification: a recording executed again from the start, and compared at every event.

Where the environment is the recorded one, every bit must be the same. Elsewhere each op is
executed on the recorded tensors, as far as they are stored, and its result must be within a
tolerance of the recorded one; between keyframes results can only be compared by their digests.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.arrays import Array
from engine.errors import GradstepError
from engine.recording.closing import PARTS, changed, recorded
from engine.recording.contents import NOWHERE
from engine.recording.digests import event_digest
from engine.recording.environment import differences
from engine.recording.reader import Damaged
from engine.recording.recorded import Block, Recording
from engine.recording.rerun import Rerun
from engine.recording.runs import RecordedBranch
from engine.recording.soundness import claims, first_of
from engine.recording.ulps import ulps_between
from engine.run.phases import Phase
from engine.run.position_text import format_position
from engine.run.run import loss_key
from engine.run.timeline import begun
from engine.session.changes import first_difference

TOLERANCES = {"float32": 1e-4, "float64": 1e-9}  # of the largest element of a tensor
BOUND = ("edits", "losses", "keyframes")  # by digests of their own, or by the events
PIECE = 64  # iterations between two yields


@dataclass(frozen=True)
class Divergence:
    """The first place where the run is not what was recorded.

    ``recorded`` and ``recomputed`` are None where the recorded tensor is not stored.
    """

    branch: str
    event: int
    position: str
    tensor: str
    index: tuple[int, ...] | None = None
    recorded: float | None = None
    recomputed: float | None = None
    ulps: int | None = None


@dataclass
class Verdict:
    """The outcome: ``exact`` where every bit had to be the same, else within ``tolerance``.

    ``differences`` are those of the environment. ``events`` were compared, ``rounded`` tensors were
    not the same bit by bit, ``uncompared`` ones had a digest alone. ``uncovered`` are the parts of
    the run that nothing binds, and ``why`` says why not.
    """

    exact: bool
    tolerance: float
    differences: list[str]
    events: int = 0
    rounded: int = 0
    uncompared: int = 0
    divergence: Divergence | None = None
    damage: list[str] = field(default_factory=list)
    uncovered: tuple[str, ...] = ()
    why: str = ""

    @property
    def covered(self) -> tuple[str, ...]:
        """The parts of the run that were looked at."""
        return ("events", *(part for part in PARTS if part not in self.uncovered))

    @property
    def good(self) -> bool:
        """Whether the recording is what the experiment gives."""
        return self.divergence is None and not self.damage


class Verification:
    """The comparison of one run of a recording with what its experiment gives here.

    ``environment`` is that of this process; it decides whether bits or a tolerance are asked for.
    """

    def __init__(self, recording: Recording, environment: Mapping[str, Any]) -> None:
        self.recording = recording
        self.program = recording.program
        found = differences(recording.run.environment, environment)
        tolerance = 0.0 if not found else TOLERANCES[self.program.experiment.dtype]
        self.verdict = Verdict(not found, tolerance, found)

    def run(self) -> Generator[int, None, Verdict]:
        """Compare every branch up to the first divergence; yields how many events are done.

        Damage is noted in the Verdict, not raised.
        """
        self.verdict.damage += self.recording.reader.problems(everything=True)
        self.closing()
        for branch in self.recording.branches.values():
            try:
                yield from self.branch(branch)
            except Damaged as problem:
                self.verdict.damage.append(problem.what)
            except GradstepError as problem:
                self.verdict.damage.append(f"branch {branch.name!r}: {problem}")
            if self.verdict.divergence is not None:
                break
        self.verdict.damage = list(dict.fromkeys(self.verdict.damage))  # met twice, told once
        return self.verdict

    def closing(self) -> None:
        """Compare the parts of the run with what was in them when it was closed."""
        reader, run = self.recording.reader, self.recording.run
        self.verdict.damage += changed(reader, run.id)
        try:
            known = recorded(reader, run.id)
        except Damaged:
            return  # it is told already
        if known is None:
            self.verdict.uncovered = tuple(part for part in PARTS if part not in BOUND)
            kept = "it was not closed" if run.status == "recording" else "no digest of them is kept"
            self.verdict.why = kept + reader.hint

    def branch(self, branch: RecordedBranch) -> Iterator[int]:
        """Compare one branch from the iteration of its fork on."""
        timeline = self.program.timeline
        rerun = Rerun(self.program, branch.journal)
        first = first_of(self.recording, branch)
        while rerun.event < timeline.begin(first - 1):  # compared with the parent
            rerun.step()
        self.verdict.damage += [problem.what for problem in claims(self.recording, branch)]
        losses, last = self.recording.losses(branch), begun(timeline, branch.events)
        for iteration in range(first, last + 1):
            if not self.keyframe(branch, iteration, rerun):
                return
            block = self.recording.block(branch, iteration)
            end = min(timeline.begin(iteration), branch.events)
            while rerun.event < end:
                if not self.event(branch, block, rerun):
                    return
            if not self.loss(branch, losses, iteration, rerun):
                return
            if iteration % PIECE == 0:
                yield self.verdict.events

    def keyframe(self, branch: RecordedBranch, iteration: int, rerun: Rerun) -> bool:
        """Compare a keyframe, if there is one; False where it differs.

        Where only a tolerance is asked for, the rerun goes on from it.
        """
        found = self.recording.keyframe_before(branch, iteration)
        if found is None or found[0] != iteration:
            return True
        stored = self.recording.keyframe(branch, iteration)
        for name, array in stored.items():
            here = rerun.tensors.get(name)
            if here is None or not self.same(array, here):
                self.diverge(branch, rerun, name, array, here)
                return False
        if not self.verdict.exact:
            rerun.restart(rerun.event, rerun.tensors | stored)
        return True

    def event(self, branch: RecordedBranch, block: Block, rerun: Rerun) -> bool:
        """Execute and compare one event; False where it differs. Damaged without a digest."""
        op, results = rerun.op, rerun.result()
        first = sum(len(other.writes) for other in self.program.ops[: op.index])
        slots = range(first, first + len(op.writes))
        if slots.stop > len(block.digests):
            raise self.recording.damaged(f"event #{rerun.event} has no digest")
        taken = list(results)
        for place, slot in enumerate(slots):
            digest, name = block.digests[slot], op.writes[place]
            here = results[place] if place < len(results) else None
            if here is None and not any(digest):
                continue
            stored = self.stored(block, slot)
            if here is not None and event_digest(here, self.recording.run.width) == digest:
                continue
            if stored is None and not self.verdict.exact and here is not None:
                self.verdict.uncompared += 1
                continue
            if stored is None or here is None or not self.same(stored, here):
                self.diverge(branch, rerun, name, stored, here)
                return False
            taken[place] = stored  # or roundings would add up from event to event
        rerun.take(tuple(taken))
        self.verdict.events += 1
        return True

    def stored(self, block: Block, slot: int) -> Array | None:
        """The stored tensor of a slot, or None; damage is noted and does not end the comparison."""
        if block.refs[slot] == NOWHERE:
            return None
        try:
            return self.recording.written(block, slot)
        except Damaged as problem:
            self.verdict.damage.append(problem.what)
            return None

    def same(self, recorded: Array, here: Array) -> bool:
        """Whether two tensors are equal, bit by bit or within the tolerance."""
        if recorded.shape != here.shape or recorded.dtype != here.dtype:
            return False
        if recorded.tobytes() == here.tobytes():
            return True
        if self.verdict.exact:
            return False
        with np.errstate(all="ignore"):
            scale = float(np.max(np.abs(recorded), initial=0.0, where=np.isfinite(recorded)))
            near = np.isclose(here, recorded, 0, self.verdict.tolerance * scale, equal_nan=True)
        self.verdict.rounded += 1
        return bool(near.all())

    def loss(
        self, branch: RecordedBranch, losses: Sequence[float], iteration: int, rerun: Rerun
    ) -> bool:
        """Compare the row of a loss with the loss that the events give; False where they differ."""
        timeline, loss = self.program.timeline, self.program.loss
        begin = timeline.begin(iteration - 1)
        event = timeline.next(begin - 1, op=loss_key(self.program))
        if event is None or event >= branch.events or loss not in rerun.tensors:
            return True
        if self.journal_skips(rerun, event):
            return True
        there = np.float64(losses[iteration - 1]) if iteration <= len(losses) else None
        here = np.float64(rerun.tensors[loss])
        if there is not None and self.same(np.asarray(there), np.asarray(here)):
            return True
        if there is not None and np.isnan(there) and np.isnan(here):
            return True
        value = None if there is None else np.asarray(there)
        self.diverge(branch, rerun, loss, value, np.asarray(here), event)
        return False

    def journal_skips(self, rerun: Rerun, event: int) -> bool:
        """Whether the loss of an iteration was skipped."""
        return rerun.journal.skipped(Phase.LOSS, str(self.program.loss), event)

    def diverge(
        self,
        branch: RecordedBranch,
        rerun: Rerun,
        tensor: str,
        recorded: Array | None,
        here: Array | None,
        event: int | None = None,
    ) -> None:
        """Note a divergence, with the first element that differs where both tensors are known."""
        at = rerun.event if event is None else event
        place = (branch.name, at, format_position(self.program, at), tensor)
        index = (
            first_difference(recorded, here) if recorded is not None and here is not None else None
        )
        if recorded is None or here is None or index is None or recorded.shape != here.shape:
            self.verdict.divergence = Divergence(*place)
            return
        left, right = recorded[index], here[index]
        self.verdict.divergence = Divergence(
            *place, index, float(left), float(right), ulps_between(left, right)
        )
