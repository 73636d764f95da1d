"""The bytes of tensors on their way into a recording: stored once, in rows of some size.

A reference says where a tensor begins: the id of the row times 2²⁴, plus the offset in it. Ids
begin with the number of the run, so that runs never write to each other's rows.
"""

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
        found = self._known.get(digest)
        if found is not None:
            return found
        if not self.open:
            return NOWHERE
        if self._size and self._size + len(data) > ROW_BYTES:
            self.end_row()
        reference = ((self.run << SHIFT | self._count) << SHIFT) | self._size
        self._parts.append(data)
        self._size += len(data)
        self.nbytes += len(data)
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        self._known[digest] = reference
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
