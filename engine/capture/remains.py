"""What a process that is gone had kept for the case that something happens: its ring.

It lies in memory that the process shared with this one, laid out by ``gradstep_tracer.ring``. The
process may have ended in the midst of anything, so that nothing of it is believed unseen.
"""

import contextlib
import fcntl
import os
import struct
from collections.abc import Iterator, Sequence
from typing import Final

from engine.capture.messages import Degree, Later, Value

HEAD: Final = struct.Struct("<QQ")  # entries, and how many of them were told
ENTRY: Final = struct.Struct("<QQQQ")  # event, write, where the bytes are, how many
ENTRIES: Final = 2**16
INDEX: Final = 64
MOST: Final = 2**29  # bytes of one tensor
AT_ONCE: Final = 2**26


def remains(descriptors: Sequence[int], events: int) -> Iterator[Later]:
    """What is left of the values of the first so many events, in their order."""
    found = []
    for descriptor in descriptors:
        with contextlib.suppress(OSError, AttributeError):
            fcntl.fcntl(descriptor, fcntl.F_GET_SEALS)  # it is memory, and nothing that can wait
            found += [(*entry, descriptor) for entry in entries(descriptor) if entry[0] < events]
    for event, write, place, size, descriptor in sorted(found):
        data = read(descriptor, place, size)
        if len(data) == size:
            yield Later(event, write, Value(Degree.WHOLE, data))


def entries(descriptor: int) -> Iterator[tuple[int, int, int, int]]:
    """What was kept and not told: event, write, place and size."""
    head = os.pread(descriptor, HEAD.size, 0)
    count, told = HEAD.unpack(head) if len(head) == HEAD.size else (0, 0)
    if not told <= count <= ENTRIES:
        return
    index = os.pread(descriptor, count * ENTRY.size, INDEX)
    end = os.fstat(descriptor).st_size
    for entry in list(ENTRY.iter_unpack(index[: len(index) // ENTRY.size * ENTRY.size]))[told:]:
        event, write, place, size = entry
        if size <= MOST and place + size <= end and write < 2**32:
            yield event, write, place, size


def read(descriptor: int, place: int, size: int) -> bytes:
    """Bytes of the memory; fewer where there are no more."""
    found = bytearray()
    with contextlib.suppress(OSError):
        while len(found) < size:
            part = os.pread(descriptor, min(AT_ONCE, size - len(found)), place + len(found))
            if not part:
                break
            found += part
    return bytes(found)
