"""What stands in a recording for the tensors that the ops of an iteration wrote."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from engine.arrays import Array
from engine.phases import Phase
from engine.program import Program
from engine.recording.contents import NOWHERE, Contents
from engine.recording.digests import (
    QUICK,
    STRONG,
    Fingerprints,
    kind_hash,
    quick_digest,
    strong,
)

Written = Sequence[tuple[Array, ...]]
Mark = tuple[bytes, str]  # the digests one after the other, and the references as JSON
MOST_LAYOUTS = 4  # batches are full, or the last of an epoch
DTYPES = {"float32": "<f4", "float64": "<f8", "int64": "<i8"}


class Marks(ABC):
    """How the events of an iteration are marked.."""

    @abstractmethod
    def iteration(self, written: Written) -> Mark:
        """The digests and references of an iteration; events may be missing at its end."""

    @abstractmethod
    def gradient(self, written: Written) -> tuple[float | None, str | None]:
        """The largest element of the gradients of parameters, and the gradient it is in."""


class QuickMarks(Marks):
    """Fingerprints alone; those of an iteration at once where it has its usual sizes."""

    def __init__(self, program: Program) -> None:
        self.ops = program.ops
        self.known: dict[tuple[int, ...], Fingerprints] = {}

    def iteration(self, written: Written) -> Mark:
        arrays = [array for after in written for array in after]
        usual = self.usual(written, tuple([array.nbytes for array in arrays]))
        return self.singly(written) if usual is None else usual.digests(arrays), ""

    def usual(self, written: Written, sizes: tuple[int, ...]) -> Fingerprints | None:
        """What works for iterations of these sizes; None for unusual ones."""
        if len(written) < len(self.ops) or not all(written):
            return None
        found = self.known.get(sizes)
        if found is None and len(self.known) < MOST_LAYOUTS and Fingerprints.fits(sizes):
            found = self.known[sizes] = Fingerprints(sizes)
        return found

    def singly(self, written: Written) -> bytes:
        """The digests tensor by tensor."""
        parts = [
            b"".join(map(quick_digest, after)).ljust(QUICK * len(op.writes), b"\0")
            for op, after in zip(self.ops, written, strict=False)
        ]
        return b"".join(parts)

    def gradient(self, written: Written) -> tuple[float | None, str | None]:
        return None, None


class StrongMarks(Marks):
    """Digests, and every tensor stored."""

    def __init__(self, program: Program, contents: Contents) -> None:
        self.contents = contents
        self.kinds = []
        for op in program.ops:
            infos = [program.tensors[name] for name in op.writes]
            self.kinds.append([(i.shape, kind_hash(DTYPES[i.dtype], i.shape)) for i in infos])
        self.gradients = [
            (op.index, op.name)
            for op in program.ops
            if op.phase == Phase.BACKWARD and op.name in program.gradients
        ]

    def iteration(self, written: Written) -> Mark:
        found: list[bytes] = []
        refs: list[int] = []
        add = self.contents.add
        for after, kinds in zip(written, self.kinds, strict=False):
            for array, (shape, known) in zip(after, kinds, strict=False):
                data = array.tobytes()
                if array.shape == shape:
                    hashed = known.copy()
                    hashed.update(data)
                    digest = hashed.digest()
                else:
                    digest = strong(array.dtype.str, array.shape, data)
                found.append(digest)
                refs.append(add(digest, data))
            for _ in range(len(kinds) - len(after)):
                found.append(bytes(STRONG))
                refs.append(NOWHERE)
        return b"".join(found), str(refs)

    def gradient(self, written: Written) -> tuple[float | None, str | None]:
        best: tuple[float | None, str | None] = None, None
        for index, name in self.gradients:
            if index < len(written) and written[index]:
                largest = float(np.abs(written[index][0]).max())
                if best[0] is None or largest > best[0]:
                    best = largest, name
        return best
