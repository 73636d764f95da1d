"""The bytes of tensors on their way into a recording: stored once, in rows of some size.

A reference says where a tensor begins: the id of the row times 2²⁴, plus the offset in it. Ids
begin with the number of the run, so that runs never write to each other's rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.arrays import Array
from engine.recording.digests import Digest, strong

SHIFT = 24
ROW_BYTES = 2**16  # small tensors share a row up to this size
REMEMBERED = 100_000  # tensors that are recognized when they come again
NOWHERE = -1  # the reference of a tensor that is not stored


@dataclass(eq=False)
class Contents:
    """Tensors that wait for the next commit. ``open`` is False where no more are to be stored."""

    run: int = 0
    open: bool = True
    rows: list[tuple[int, bytes]] = field(default_factory=list)
    nbytes: int = 0
    _known: dict[Digest, int] = field(default_factory=dict)
    _parts: list[bytes] = field(default_factory=list)
    _size: int = 0
    _count: int = 0

    def add(self, digest: Digest, data: bytes) -> int:
        """Store a tensor, once; where it is."""
        return self.add_all([digest], [data])[0]

    def add_all(self, digests: Sequence[Digest], datas: Sequence[bytes]) -> list[int]:
        """Store tensors, each once; where they are."""
        known, references = self._known, []
        for digest, data in zip(digests, datas):  # noqa: B905 - the keyword costs time
            reference = known.get(digest, NOWHERE)
            if reference == NOWHERE and self.open:
                reference = known[digest] = self._append(data)
            references.append(reference)
        if len(known) >= REMEMBERED:
            known.clear()
        return references

    def _append(self, data: bytes) -> int:
        """Put bytes into the row under way, or into the next."""
        if self._size and self._size + len(data) > ROW_BYTES:
            self.end_row()
        reference = ((self.run << SHIFT | self._count) << SHIFT) | self._size
        self._parts.append(data)
        self._size += len(data)
        self.nbytes += len(data)
        return reference

    def store(self, array: Array) -> tuple[Digest, int]:
        """Store an array; its digest, and where it is."""
        data = array.tobytes()
        digest = strong(array.dtype.str, array.shape, data)
        return digest, self.add(digest, data)

    def end_row(self) -> None:
        """The next tensor begins a new row."""
        if self._parts:
            self.rows.append((self.run << SHIFT | self._count, b"".join(self._parts)))
            self._count += 1
            self._parts, self._size = [], 0

    def take(self) -> list[tuple[int, bytes]]:
        """The rows to be written now."""
        self.end_row()
        rows, self.rows, self.nbytes = self.rows, [], 0
        return rows


def split(reference: int) -> tuple[int, int]:
    """The row and the offset of a reference."""
    return reference >> SHIFT, reference & (1 << SHIFT) - 1
