"""One branch on its way into a recording: digests of what each op wrote, iteration by iteration."""

import math
from array import array
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from engine.arrays import Array
from engine.program.program import Program
from engine.recording.closing import RunningDigest, encoded
from engine.recording.contents import NOWHERE, Contents
from engine.recording.digests import STRONG, Digest, link
from engine.recording.iteration_digests import IterationDigests, QuickDigests, StrongDigests
from engine.recording.schema import PACK
from engine.run.run import loss_key
from engine.run.timeline import Which, completed

Written = tuple[Array, ...]
BATCH = ("input", "target")  # what a keyframe lacks: it is a function of the position
Row = tuple[Any, ...]


class Lane:
    """Collects the rows of a branch until the next commit.

    ``width`` is the bytes of a digest of the run; at STRONG every tensor is stored too. Keyframes
    are ``spacing`` iterations apart, whole or partial. Rows have the columns of their tables.
    """

    def __init__(
        self, number: int, program: Program, width: int, spacing: int, contents: Contents
    ) -> None:
        self.number = number
        self.program = program
        self.width = width
        self.spacing = spacing
        self.contents = contents
        self.keyframe_names = keyframe_names(program)
        self.link: Digest = b""
        self.events = 0
        self.blocks: list[Row] = []
        self.losses: list[Row] = []
        self.keyframes: list[Row] = []
        self.packs: list[Row] = []
        self.packed = 0
        self.unpacked = array("d")
        self.running = {"losses": RunningDigest(), "keyframes": RunningDigest()}
        self.digests_of: IterationDigests = (
            StrongDigests(program, contents) if width == STRONG else QuickDigests(program)
        )
        self._listing = program.timeline.listing(0)
        self._loss_op = next(iter(self._listing.places(Which(loss_key(program)))), -1)
        self._iteration = 0
        self._under_way: list[Written] = []

    def begin(self, link: Digest, events: int) -> None:
        """Start at event ``events``, where an iteration begins whose link follows on ``link``."""
        self.link, self.events = link, events
        self._iteration = completed(self.program.timeline, events)

    def take(self, written: Sequence[Written]) -> None:
        """What the next events of the current iteration wrote, in order; at most to its end."""
        self._under_way.extend(written)
        self.events += len(written)
        if len(self._under_way) == len(self._listing):
            complete, self._under_way = self._under_way, []
            self._iteration = iteration = self._iteration + 1
            row = self.block(iteration, *self.digests_of.iteration(complete))
            self.link = row[-1]
            self.blocks.append(row)
            if self._loss_op >= 0:
                self.losses.append(loss := self.loss(iteration, complete))
                self.pack(loss[3])

    def pack(self, value: float | None) -> None:
        """Add a loss to those of the next pack, which is made when it is full."""
        self.unpacked.append(math.nan if value is None else value + 0.0)  # no sign of a zero
        if len(self.unpacked) == PACK:
            data = np.array(self.unpacked, "<f8").tobytes()
            self.packs.append((self.number, self.packed, data))
            self.packed += 1
            del self.unpacked[:]

    def block(self, iteration: int, digests: bytes, refs: str) -> Row:
        """The row of an iteration, bound to the ones before it."""
        return self.number, iteration, digests, refs, link(self.link, iteration, digests)

    def loss(self, iteration: int, written: Sequence[Written]) -> Row:
        """The row of a loss, but for its gradient; NULL for NaN and where it was skipped."""
        after = written[self._loss_op]
        value = float(after[0]) if after else None
        event = self.program.timeline.begin(iteration - 1) + self._loss_op
        known = None if value is None or math.isnan(value) else value
        return self.number, iteration, event, known

    def keyframe(self, tensors: Mapping[str, Array], whole: bool = False) -> None:
        """Keep the tensors at the beginning of an iteration, before its edits, if it is due.

        A partial keyframe has what its iteration reads before it writes it.
        """
        iteration = self._iteration
        if iteration % self.spacing or not self.contents.open:
            return
        # In a full recording a whole one costs little: it refers to tensors that are there.
        whole = whole or self.width == STRONG
        live = self.program.live_in
        stored = [
            self.contents.store(tensors[name])
            if name in tensors and (whole or name in live)
            else (bytes(STRONG), NOWHERE)
            for name in self.keyframe_names
        ]
        digests = b"".join(digest for digest, _ in stored)
        refs = str([reference for _, reference in stored])
        self.keyframes.append((self.number, iteration + 1, int(whole), digests, refs))

    def rows(self) -> tuple[list[Row], list[Row], list[Row], list[Row]]:
        """The blocks, losses, keyframes and packs since the last commit.

        Those of the iteration under way stand last.
        """
        blocks, losses, keyframes = self.blocks, self.losses, self.keyframes
        packs, self.packs = self.packs, []
        self.blocks, self.losses, self.keyframes = [], [], []
        complete = len(losses)
        # Written at every commit, and over again at the next, until it is complete: a kill loses no
        # more than what came since the last commit.
        if self._under_way:
            number = self._iteration + 1
            blocks.append(self.block(number, *self.digests_of.iteration(self._under_way)))
            if 0 <= self._loss_op < len(self._under_way):
                losses.append(self.loss(number, self._under_way))
        largest = self.digests_of.gradients_since()
        pairs = zip(losses, largest, strict=False)
        told = [(*row, *gradient) for row, gradient in pairs]
        digest = self.running["losses"]
        digest.take([row[1:] for row in told[:complete]])
        digest.last = b"".join(encoded(row[1:]) for row in told[complete:])
        self.running["keyframes"].take((*row[1:4], "") for row in keyframes)
        return blocks, told, keyframes, packs


def keyframe_names(program: Program) -> list[str]:
    """The tensors of a keyframe, in their order: all but the batch."""
    return [info.name for info in program.tensors.values() if info.role not in BATCH]
