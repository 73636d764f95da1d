"""The losses of a recording's branches: a row an iteration, the first ones also packed."""

import math
from array import array
from collections.abc import Mapping

import numpy as np

from engine.recording.reader import Damaged, Reader
from engine.recording.runs import RecordedBranch
from engine.recording.schema import PACK
from engine.run.timeline import Timeline, completed

ENDS = (
    "SELECT (SELECT min(iteration) FROM loss WHERE branch = ?),"
    " (SELECT max(iteration) FROM loss WHERE branch = ?)"
)
LOSSES = "SELECT value FROM loss WHERE branch = ? AND iteration >= ? ORDER BY iteration"
PACKS = (
    "SELECT number, CASE WHEN length(losses) = ? THEN losses END FROM pack"
    " WHERE branch = ? ORDER BY number"
)


class LossRows:
    """The losses of a recording by branch, each read once. What is read raises Damaged."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.known: dict[str, array[float]] = {}

    def of(
        self, branch: RecordedBranch, branches: Mapping[str, RecordedBranch], timeline: Timeline
    ) -> "array[float]":
        """The loss of every iteration of a branch, its parents' first; NaN where it was skipped."""
        # No recursion, and each only once: branches may hang on each other a thousand deep.
        chain = [branch]
        while chain[-1].name not in self.known and (parent := chain[-1].parent) is not None:
            chain.append(branches[parent])
        values = self.known.get(chain[-1].name, array("d"))
        for each in reversed(chain):
            if each.name not in self.known:
                own, start = self.own(each, timeline)
                self.known[each.name] = values = values[: start - 1] + own
        return values

    def own(self, branch: RecordedBranch, timeline: Timeline) -> "tuple[array[float], int]":
        """The losses that a branch has rows of, and the iteration of the first."""
        what = f"the losses of branch {branch.name!r}"
        row = self.reader.one(ENDS, (branch.id, branch.id), "II")
        assert row is not None
        first, last = row
        if first is None or last is None:
            return array("d"), completed(timeline, branch.fork) + 1
        count = last - first + 1
        if first < 1 or count > timeline.iterations:
            raise self.damaged(f"{what}: from iteration {first} to {last}")
        values = self.packed(branch, count)
        rows = self.reader.rows(LOSSES, (branch.id, first + len(values)), most=count)
        if len(values) + len(rows) != count:
            said = f"{len(values) + len(rows):,} from iteration {first} to {last}"
            raise self.damaged(f"{what}: {said}")
        try:
            # A long run has a million of them: an addition refuses a text without a call for each.
            values.extend([math.nan if value is None else value + 0.0 for (value,) in rows])
        except TypeError:
            raise self.damaged(f"{what}: something else than a number") from None
        return values, first

    def packed(self, branch: RecordedBranch, most: int) -> "array[float]":
        """The losses of a branch that are packed: its first ones, at most so many."""
        reader, values = self.reader, array("d")
        if not reader.has("pack"):
            return values
        rows = reader.rows(PACKS, (PACK * 8, branch.id), most=most // PACK)
        for number, (found, data) in enumerate(rows):
            if found != number or not isinstance(data, bytes):
                said = f"the losses of branch {branch.name!r}: pack {number}"
                raise self.damaged(said)
            values.frombytes(np.frombuffer(data, "<f8").astype("=f8").tobytes())
        return values

    def damaged(self, what: str) -> Damaged:
        """The Damaged that names the file and what is damaged in it; it is not raised."""
        return Damaged(f"{self.reader.path}: damaged: {what}")
