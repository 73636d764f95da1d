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
    """The bytes of tensors that wait for the next commit, in ``rows``.

    ``nbytes`` is how many wait. ``open`` is False where no more are to be stored.
    """

    run: int = 0
    open: bool = True
    rows: list[tuple[int, bytes]] = field(default_factory=list)
    nbytes: int = 0
    _known: dict[Digest, int] = field(default_factory=dict)
    _parts: list[bytes] = field(default_factory=list)
    _size: int = 0
    _count: int = 0

    def add(self, digest: Digest, data: bytes) -> int:
        """Store a tensor, once; its reference, or NOWHERE."""
        return self.add_all([digest], [data])[0]

    def add_all(self, digests: Sequence[Digest], datas: Sequence[bytes]) -> list[int]:
        """Store tensors, each once; their references, NOWHERE for one that is not stored."""
        known, references = self._known, []
        for digest, data in zip(digests, datas):  # noqa: B905 - the keyword costs time
            reference = known.get(digest, NOWHERE)
            if reference == NOWHERE and self.open:
                reference = known[digest] = self._append(data)
            references.append(reference)
        # What is forgotten is stored once more when it comes again: the price of a bound on memory.
        if len(known) >= REMEMBERED:
            known.clear()
        return references

    def _append(self, data: bytes) -> int:
        """Put bytes into the row under way, or into the next."""
        # A tensor larger than a row begins one, so that 24 bits are enough for any offset.
        if self._size and self._size + len(data) > ROW_BYTES:
            self.end_row()
        reference = ((self.run << SHIFT | self._count) << SHIFT) | self._size
        self._parts.append(data)
        self._size += len(data)
        self.nbytes += len(data)
        return reference

    def store(self, array: Array) -> tuple[Digest, int]:
        """Store an array; its strong digest and its reference."""
        data = array.tobytes()
        digest = strong(array.dtype.str, array.shape, data)
        return digest, self.add(digest, data)

    def end_row(self) -> None:
        """End the row under way: the next tensor begins a new one."""
        if self._parts:
            self.rows.append((self.run << SHIFT | self._count, b"".join(self._parts)))
            self._count += 1
            self._parts, self._size = [], 0

    def take(self) -> list[tuple[int, bytes]]:
        """The rows that wait, as (id, bytes), for the table ``content``; none waits any more."""
        self.end_row()
        rows, self.rows, self.nbytes = self.rows, [], 0
        return rows


def split(reference: int) -> tuple[int, int]:
    """The id of the row, and the offset in it, of a reference."""
    return reference >> SHIFT, reference & (1 << SHIFT) - 1
