"""The last two iterations in full, in memory: told when something happens."""

from __future__ import annotations

import ctypes

MOST = 2**29  # bytes of both


class Half:
    """What the large tensors of one iteration were. Its memory is used again."""

    def __init__(self) -> None:
        self.entries: list[tuple[int, int]] = []
        self.buffers: list[ctypes.Array] = []
        self.size = 0


class Ring:
    """Two halves: the iteration under way and the one before."""

    def __init__(self) -> None:
        self.now, self.before = Half(), Half()
        self.full = False

    def keep(self, event: int, write: int, address: int, size: int) -> None:
        """Copy what an event wrote."""
        half = self.now
        if half.size + size > MOST // 2:
            self.full = True
            return
        place = len(half.entries)
        if place == len(half.buffers):
            half.buffers.append(ctypes.create_string_buffer(size))
        elif len(half.buffers[place]) != size:
            half.buffers[place] = ctypes.create_string_buffer(size)
        ctypes.memmove(half.buffers[place], address, size)
        half.entries.append((event, write))
        half.size += size

    def turn(self) -> None:
        """A new iteration begins."""
        self.now, self.before = self.before, self.now
        del self.now.buffers[len(self.now.entries) :]
        self.now.entries, self.now.size = [], 0

    def empty(self) -> list[tuple[int, int, ctypes.Array]]:
        """Everything that is kept, in its order, and no more from here on."""
        found = [
            (event, write, data)
            for half in (self.before, self.now)
            for (event, write), data in zip(half.entries, half.buffers)
        ]
        self.now, self.before = Half(), Half()
        return found
