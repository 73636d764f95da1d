"""How much of a value is told, and what of it is kept for later."""

from __future__ import annotations

import math
import struct

from gradstep_tracer.plan import Plan
from gradstep_tracer.ring import Ring
from gradstep_tracer.values import (
    FINGERPRINT,
    FIVE,
    GONE,
    NOTHING,
    PASSING,
    SAMPLE,
    STATISTICS,
    WHOLE,
    Reader,
)

SMALL = 4096  # elements up to which all are told
FEW = 16  # elements up to which they are kept where statistics are wanted
MOST_WHOLE = 2**31 - 2**16  # bytes of a frame
MOST_PRINTED = 2**24  # bytes up to which parameters and their gradients have a fingerprint
AMORTIZED = 2**16  # bytes an iteration that keyframes may cost
ONE = {"float32": struct.Struct("<f"), "float64": struct.Struct("<d")}


class Degrees:
    """Encodes values by the plan."""

    def __init__(self, plan: Plan, reader: Reader) -> None:
        self.plan = plan
        self.reader = reader
        self.ring = Ring()
        self.rings = plan.values == "auto"
        self.whole = plan.in_full(0)
        self.keyframe = plan.values == "auto"
        self.next_keyframe = 0
        self.spacing = 1
        self.kept = 0  # bytes of keyframes, after they were thinned
        self.state = 0  # bytes of parameters and slots in this iteration
        self.beyond = 0  # bytes of parameters and slots, where these are too many for the budget
        self.alarm = False  # something is not finite, for the first time
        self.alarmed = False
        self.scaled = False  # a GradScaler is at work: infinite gradients are expected

    def value(self, tensor, dtype: str, role: str, leaf: bool, event: int, write: int) -> bytes:
        """A value as it goes over the wire. ``event`` −1: it was given, not written."""
        reader = self.reader
        if not reader.readable(tensor):
            return NOTHING
        count = tensor.numel()
        values = self.plan.values
        state = role in ("parameter", "slot", "buffer")
        if values == "light" and not self.whole:
            return self.light(tensor, count, role)
        if count <= SMALL:
            data = reader.raw(tensor)
            if count == 1 and dtype in ONE and role != "slot":
                self.check(ONE[dtype].unpack(data)[0], role)
            if count > FEW and values == "stats" and not self.whole:
                # Copying is cheaper than computing: statistics are made where this is read.
                return bytes((WHOLE | PASSING | (FINGERPRINT if leaf else 0),)) + data
            return bytes((WHOLE,)) + data
        size = count * tensor.element_size()
        if state and event >= 0:
            self.state += size
        # How large all of it is, is known only after the first iteration.
        fits = size <= self.plan.budget // 16 and self.state <= self.plan.budget // 4
        keyframe = state and fits and (self.keyframe or event < 0)
        if (self.whole or (keyframe and values == "auto")) and size < MOST_WHOLE:
            return bytes((WHOLE,)) + reader.raw(tensor)
        return self.parts(tensor, size, role, leaf, event, write)

    def parts(self, tensor, size: int, role: str, leaf: bool, event: int, write: int) -> bytes:
        """Statistics, fingerprint, sample and corner of a large tensor."""
        reader = self.reader
        near = reader.here(tensor)
        sample = reader.sample(near)
        found = reader.statistics(near, sample)
        self.check(found[0], role)
        self.check(found[1], role)
        degree, told = STATISTICS, FIVE.pack(*found)
        if self.plan.digests or (leaf and size <= MOST_PRINTED):
            degree |= FINGERPRINT
            told += reader.fingerprint(near)
        if self.plan.values == "auto":
            degree |= SAMPLE
            told += reader.raw(sample) + reader.raw(reader.corner(near))
            if self.rings and event >= 0 and not self.ring.full:
                self.ring.keep(event, write, near.data_ptr(), size)
        return bytes((degree,)) + told

    def light(self, tensor, count: int, role: str) -> bytes:
        """Only scalars, and fingerprints of parameters."""
        if count == 1:
            return bytes((WHOLE,)) + self.reader.raw(tensor)
        if role == "parameter" and count * tensor.element_size() <= MOST_PRINTED:
            return bytes((FINGERPRINT,)) + self.reader.fingerprint(tensor)
        return NOTHING

    def check(self, number: float, role: str) -> None:
        """Raise the alarm at the first number that is not finite and is not meant to be so."""
        if self.alarmed or math.isfinite(number):
            return
        if number == -math.inf and role not in ("loss", "parameter"):
            return  # a mask
        if self.scaled and role == "gradient":
            return
        self.alarm = self.alarmed = True

    def turn(self, iteration: int) -> None:
        """This iteration begins."""
        if self.keyframe and self.state:
            self.kept += self.state
            if self.kept > self.plan.budget // 2:
                self.spacing, self.kept = self.spacing * 2, self.kept // 2
            self.next_keyframe += max(self.spacing, -(-self.state // AMORTIZED))
        self.keyframe = (
            self.plan.values == "auto"
            and iteration >= self.next_keyframe
            and self.state <= self.plan.budget // 4
        )
        if self.plan.values == "auto" and self.state > self.plan.budget // 4:
            self.beyond = self.state
        self.state = 0
        self.whole = self.plan.in_full(iteration)
        self.ring.turn()


GONE_VALUE = bytes((GONE,))
