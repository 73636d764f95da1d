"""The digests and references of the tensors that the ops of an iteration wrote."""

import math
import operator
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.arrays import Array, Shape
from engine.program.program import Program
from engine.recording.contents import NOWHERE, Contents
from engine.recording.digests import (
    QUICK,
    STRONG,
    Fingerprints,
    kind_hash,
    quick_digest,
    strong,
)
from engine.run.phases import Phase

Written = Sequence[tuple[Array, ...]]
Largest = tuple[float | None, str | None]  # element of a parameter's gradient, and whose
Marked = tuple[bytes, str]  # the digests one after the other, and the references as JSON
MOST_LAYOUTS = 4  # batches are full, or the last of an epoch
DTYPES = {"float32": "<f4", "float64": "<f8", "int64": "<i8", "bool": "|b1"}


class IterationDigests(ABC):
    """Digests of what the ops of an iteration wrote, one for each slot, in their order."""

    @abstractmethod
    def iteration(self, written: Written) -> Marked:
        """The digests and references of an iteration; events may be missing at its end."""

    @abstractmethod
    def gradients_since(self) -> list[Largest]:
        """For each iteration since the last call: the largest element of its gradients."""


# In the thread that runs the ops: in one of their own fingerprints made recording 1.7 to 2.4 times
# as long as training, because the interpreter's lock changes hands for each.
class QuickDigests(IterationDigests):
    """Fingerprints alone; those of an iteration at once where it has its usual sizes."""

    def __init__(self, program: Program) -> None:
        self.ops = program.ops
        self.known: dict[int, Fingerprints | None] = {}
        self.count = 0
        phases = [op.phase for op in program.ops for _ in op.writes]
        first = phases.index(Phase.ZERO_GRAD) if Phase.ZERO_GRAD in phases else 0
        self.zeros = first, first + phases.count(Phase.ZERO_GRAD)
        self.slots = len(phases)
        # All that is as long as the batch is so together: one of them tells the sizes of all.
        self.telling = phases.index(Phase.FORWARD) if Phase.FORWARD in phases else 0
        self.constants: tuple[list[Array], bytes] = [], b""

    def iteration(self, written: Written) -> Marked:
        self.count += 1
        arrays = [array for after in written for array in after]
        if len(arrays) != self.slots:  # some op wrote less, or has not run
            return self.singly(written), ""
        first, end = self.zeros
        zeros = arrays[first:end]
        usual = self.usual(arrays)
        del arrays[first:end]
        found = None if usual is None else usual.digests(arrays)
        if found is None:
            return self.singly(written), ""
        return found[: QUICK * first] + self.constant(zeros) + found[QUICK * first :], ""

    def constant(self, zeros: list[Array]) -> bytes:
        """The digests of what zero_grad writes: the same arrays every time, known by identity."""
        known, digests = self.constants
        if len(known) != len(zeros) or any(map(operator.is_not, known, zeros)):
            digests = b"".join(map(quick_digest, zeros))
            self.constants = zeros, digests
        return digests

    def usual(self, arrays: list[Array]) -> Fingerprints | None:
        """The Fingerprints for all but the zeros of such an iteration; None for unusual ones."""
        told = arrays[self.telling].nbytes
        if told not in self.known and len(self.known) < MOST_LAYOUTS:
            first, end = self.zeros
            sizes = [array.nbytes for array in arrays[:first] + arrays[end:]]
            self.known[told] = Fingerprints(sizes) if Fingerprints.fits(sizes) else None
        return self.known.get(told)

    def singly(self, written: Written) -> bytes:
        """The digests tensor by tensor; zeros for each that an op did not write."""
        parts = [
            b"".join(map(quick_digest, after)).ljust(QUICK * len(op.writes), b"\0")
            for op, after in zip(self.ops, written, strict=False)
        ]
        return b"".join(parts)

    # The columns for gradients are NULL in a recording of keyframes.
    def gradients_since(self) -> list[Largest]:
        count, self.count = self.count, 0
        return [(None, None)] * count


class StrongDigests(IterationDigests):
    """Strong digests, and every tensor stored in ``contents``."""

    def __init__(self, program: Program, contents: Contents) -> None:
        self.contents = contents
        self.counts = [len(op.writes) for op in program.ops]
        infos = [program.tensors[name] for op in program.ops for name in op.writes]
        self.hashes = [kind_hash(DTYPES[info.dtype], info.shape) for info in infos]
        self.shapes = [info.shape for info in infos]
        starts = [sum(self.counts[:i]) for i in range(len(self.counts))]
        self.gradients = {starts[op.index]: op.writes[0] for op in program.ops if op.adds}
        self.dtype = DTYPES[program.experiment.dtype]
        self.waiting: list[list[tuple[str, bytes]]] = []

    def iteration(self, written: Written) -> Marked:
        arrays = [array for after in written for array in after]
        complete = list(map(len, written)) == self.counts
        if not complete:
            return self.incomplete(written)
        datas = [array.tobytes() for array in arrays]
        digests = [
            digest_of(*four) for four in zip(arrays, datas, self.hashes, self.shapes, strict=True)
        ]
        self.waiting.append([(name, datas[slot]) for slot, name in self.gradients.items()])
        return b"".join(digests), str(self.contents.add_all(digests, datas))

    def incomplete(self, written: Written) -> Marked:
        """The same where ops wrote less than usual, or have not run yet.

        What is missing keeps its slot, with zeros and NOWHERE, so that the others keep theirs.
        """
        digests: list[bytes] = []
        refs: list[int] = []
        found: list[tuple[str, bytes]] = []
        for after, count in zip(written, self.counts, strict=False):
            for array in after:
                digest, reference = self.contents.store(array)
                if len(digests) in self.gradients:
                    found.append((self.gradients[len(digests)], array.tobytes()))
                digests.append(digest)
                refs.append(reference)
            digests += [bytes(STRONG)] * (count - len(after))
            refs += [NOWHERE] * (count - len(after))
        self.waiting.append(found)
        return b"".join(digests), str(refs)

    def gradients_since(self) -> list[Largest]:
        # All at once, at a commit: a maximum of each by itself would cost a call an op.
        waiting, self.waiting = self.waiting, []
        datas = [data for found in waiting for _, data in found]
        if not datas:
            return [(None, None)] * len(waiting)
        flat = np.abs(np.frombuffer(b"".join(datas), self.dtype))
        ends = np.cumsum([len(data) // flat.itemsize for data in datas])
        sizes = iter(np.maximum.reduceat(flat, np.concatenate([[0], ends[:-1]])).tolist())
        return [largest([(next(sizes), name) for name, _ in found]) for found in waiting]


def digest_of(array: Array, data: bytes, known: Any, shape: Shape) -> bytes:
    """The strong digest of an array; ``known`` has hashed its dtype and usual shape already."""
    if array.shape != shape:
        return strong(array.dtype.str, array.shape, data)
    hashed = known.copy()
    hashed.update(data)
    digest: bytes = hashed.digest()
    return digest


def largest(found: list[tuple[float, str]]) -> Largest:
    """The largest of some sizes, and whose it is; NaN is larger than anything, and NULL."""
    if not found:
        return None, None
    size, name = max(found, key=lambda pair: math.inf if math.isnan(pair[0]) else pair[0])
    return (None if math.isnan(size) else size), name
