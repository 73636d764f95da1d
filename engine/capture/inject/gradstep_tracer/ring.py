"""The last two iterations in full, in memory: told when something happens.

The memory is shared with the process that keeps the recording, which gets its descriptors: when
this one is killed, whatever by, that one takes what is there. No signal has a handler for it.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import struct
from collections.abc import Iterator

MOST = 2**29  # bytes of both
HEAD = struct.Struct("<QQ")  # how many entries there are, and how many of them were told
COUNT = struct.Struct("<Q")
ENTRY = struct.Struct("<QQQQ")  # event, write, where the bytes are, how many
ENTRIES = 2**16
INDEX = 64  # where the entries begin
DATA = INDEX + ENTRIES * ENTRY.size
ALIGNED = 64


class Half:
    """What the large tensors of one iteration were. Its memory is used again."""

    def __init__(self) -> None:
        self.entries: list[tuple[int, int, int, int]] = []
        self.size = DATA
        self.memory: mmap.mmap | None = None
        self.address = 0

    def make(self) -> int:
        """Get the memory, of which no page is taken before it is written; its descriptor, −1 where
        it cannot be shared. Raises OSError or ValueError where there is none."""
        try:
            descriptor = os.memfd_create("gradstep")
            os.ftruncate(descriptor, MOST // 2)
        except (AttributeError, OSError):
            descriptor = -1
        self.memory = mmap.mmap(descriptor, MOST // 2)
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        return descriptor

    def keep(self, event: int, write: int, address: int, size: int) -> None:
        """Copy bytes; an entry counts when it is whole, whenever this ends."""
        place = len(self.entries)
        ctypes.memmove(self.address + self.size, address, size)
        entry = (event, write, self.size, size)
        ENTRY.pack_into(self.memory, INDEX + place * ENTRY.size, *entry)
        COUNT.pack_into(self.memory, 0, place + 1)
        self.entries.append(entry)
        self.size += -(-size // ALIGNED) * ALIGNED

    def clear(self) -> None:
        """Keep nothing."""
        self.entries, self.size = [], DATA
        if self.memory is not None:
            HEAD.pack_into(self.memory, 0, 0, 0)


class Ring:
    """Two halves: the iteration under way and the one before."""

    def __init__(self) -> None:
        self.now, self.before = Half(), Half()
        self.full = False
        self.shared: list[int] = []  # descriptors that are to be handed over

    def keep(self, event: int, write: int, address: int, size: int) -> None:
        """Copy what an event wrote."""
        half = self.now
        if half.size + size > MOST // 2 or len(half.entries) >= ENTRIES:
            self.full = True
            return
        if half.memory is None:
            try:
                descriptor = half.make()
            except (OSError, ValueError):
                self.full = True
                return
            if descriptor >= 0:
                self.shared.append(descriptor)
        half.keep(event, write, address, size)

    def turn(self) -> None:
        """A new iteration begins."""
        self.now, self.before = self.before, self.now
        self.now.clear()

    def empty(self) -> Iterator[tuple[int, int, memoryview]]:
        """Everything that is kept, in its order, and no more from here on."""
        for half in (self.before, self.now):
            for told, (event, write, place, size) in enumerate(half.entries):
                yield event, write, memoryview(half.memory)[place : place + size]
                COUNT.pack_into(half.memory, COUNT.size, told + 1)
            half.clear()
