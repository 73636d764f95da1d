"""A program in a pseudo-terminal: when it has painted, and how long each key takes it.

A key is answered when its output has come and then nothing more for ``QUIET`` seconds; its time is
that from the writing of the key to the last byte of the answer.
"""

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from types import TracebackType

QUIET = 0.05
PATIENCE = 30.0
COLOURS = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}


class NotAnswering(Exception):
    """A program that ended or stayed silent; it holds the end of its output."""


class Terminal:
    """A program started in a terminal of ``columns`` × ``rows``; leaving it ends the program."""

    def __init__(
        self,
        command: Sequence[str],
        columns: int = 120,
        rows: int = 40,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.output = bytearray()
        self.began = time.perf_counter()
        self.process, self.side = pty.fork()
        if self.process == 0:
            self._become(command, columns, rows, {**COLOURS, **(environment or {})})
        self._size(self.side, columns, rows)

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        os.close(self.side)

    def wait_for(self, text: str) -> float:
        """Seconds from the start of the program until its output has this text."""
        sought, end = text.encode(), self.began + PATIENCE
        while sought not in self.output:
            if self._read(end - time.perf_counter()) is None:
                tail = bytes(self.output[-500:]).decode(errors="replace")
                raise NotAnswering(f"no {text!r} within {PATIENCE:g} s; it ended with {tail!r}")
        return time.perf_counter() - self.began

    def settle(self, quiet: float = 4 * QUIET) -> float | None:
        """Read until nothing comes for a while; when the last byte came."""
        last = None
        while (came := self._read(quiet)) is not None:
            last = came
        return last

    def press(self, key: str) -> float | None:
        """Seconds until the answer to a key is whole; None where nothing is painted."""
        sent = time.perf_counter()
        os.write(self.side, key.encode())
        last = self._read(10 * QUIET)
        if last is None:
            return None
        return (self.settle(QUIET) or last) - sent

    def _read(self, patience: float) -> float | None:
        """Take what comes next, and when; None where nothing comes in time."""
        ready, _, _ = select.select([self.side], [], [], max(0.0, patience))
        if not ready:
            return None
        try:
            chunk = os.read(self.side, 2**16)
        except OSError:
            chunk = b""
        if not chunk:
            raise NotAnswering(f"it ended: {bytes(self.output[-500:]).decode(errors='replace')!r}")
        self.output += chunk
        return time.perf_counter()

    def _become(
        self, command: Sequence[str], columns: int, rows: int, environment: Mapping[str, str]
    ) -> None:
        """In the child: be the program, and nothing else whatever happens."""
        try:
            self._size(0, columns, rows)
            os.execvpe(command[0], list(command), {**os.environ, **environment})
        finally:
            os._exit(127)

    @staticmethod
    def _size(side: int, columns: int, rows: int) -> None:
        fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
