"""The bytes of stored tensors: found by reference, measured before they are read, checked after."""

import math
from collections import OrderedDict

import numpy as np

from engine.arrays import Array, Shape, frozen
from engine.recording.contents import ROW_BYTES, split
from engine.recording.digests import strong
from engine.recording.reader import Damaged, Reader

CACHED_ROWS = 32


class StoredContents:
    """Reads tensors of a recording, and keeps the last small rows at hand."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self._rows: OrderedDict[int, bytes] = OrderedDict()

    def tensor(self, digest: bytes, reference: int, dtype: str, shape: Shape, what: str) -> Array:
        """Stored bytes as a read-only array; Damaged where they do not have the digest."""
        data = self.content(reference, math.prod(shape) * np.dtype(dtype).itemsize, what)
        if strong(dtype, shape, data) != digest:
            raise self.damaged(f"{what}: its bytes are not the ones that were recorded")
        return frozen(np.frombuffer(data, dtype).reshape(shape))

    def content(self, reference: int, size: int, what: str) -> bytes:
        """So many bytes at a reference; a Damaged where they are not there."""
        number, offset = split(reference)
        data = self._rows.get(number)
        if data is None:
            data = self.row(number, offset, size, what)
        if offset + size > len(data):
            raise self.damaged(f"{what}: its bytes are not there")
        return data[offset : offset + size]

    def row(self, number: int, offset: int, size: int, what: str) -> bytes:
        """The bytes of a row; Damaged where it has not the size that it should have."""
        query = "SELECT length(data), typeof(data) FROM content WHERE id = ?"
        row = self.reader.one(query, (number,), "Is")
        if row is None or row[1] != "blob" or offset + size > row[0]:
            raise self.damaged(f"{what}: its bytes are not there")
        # Only a single tensor makes a row larger than that: a forged one could take all the memory.
        if row[0] > max(ROW_BYTES, size):
            raise self.damaged(f"{what}: {row[0]:,} bytes where {size:,} are expected")
        ((data,),) = self.reader.rows("SELECT data FROM content WHERE id = ?", (number,), "b")
        if len(data) <= ROW_BYTES:
            self._rows[number] = data
            if len(self._rows) > CACHED_ROWS:
                self._rows.popitem(last=False)
        return bytes(data)

    def damaged(self, what: str) -> Damaged:
        """The Damaged that names the file and what is damaged in it; it is not raised."""
        return Damaged(f"{self.reader.path}: damaged: {what}")
