"""The command's stdout and stderr, as what they would be without gradstep in between."""

import codecs
import contextlib
import fcntl
import os
import pty
import termios
from dataclasses import dataclass

from engine.capture.sink import Stream

AT_ONCE = 2**16
WINDOW_SIZE = 8  # bytes of the kernel's struct winsize


@dataclass(eq=False)
class Output:
    """What one or both streams of the command are read from here."""

    stream: Stream
    reads: int  # descriptors
    writes: int
    terminal: bool
    decoder: codecs.IncrementalDecoder
    open: bool = True

    def read(self) -> bytes:
        """What has come; empty, and ``open`` false, at the end."""
        try:
            data = os.read(self.reads, AT_ONCE)
        except BlockingIOError:
            return b""
        except OSError:  # a terminal whose other side is closed
            data = b""
        if not data:
            self.open = False
        return data

    def text(self, data: bytes) -> str:
        """Bytes as text, pieces of characters held back until they are whole."""
        return self.decoder.decode(data)

    def resized(self, descriptor: int) -> None:
        """A terminal gets the size of ours."""
        if self.terminal:
            with contextlib.suppress(OSError):
                size = fcntl.ioctl(descriptor, termios.TIOCGWINSZ, bytes(WINDOW_SIZE))
                fcntl.ioctl(self.reads, termios.TIOCSWINSZ, size)

    def close(self) -> None:
        """Read no more."""
        os.close(self.reads)


def outputs() -> dict[Stream, Output]:
    """Where the command shall write: a terminal where ours is one, a pipe otherwise.

    Both streams are one where ours are one, so that their order stays what it is.
    """
    first = output(Stream.STDOUT, 1)
    if same(1, 2):
        return {Stream.STDOUT: first, Stream.STDERR: first}
    return {Stream.STDOUT: first, Stream.STDERR: output(Stream.STDERR, 2)}


def pipes() -> dict[Stream, Output]:
    """Two pipes, whatever ours are."""
    null = os.open(os.devnull, os.O_RDWR)
    try:
        return {stream: output(stream, null) for stream in Stream}
    finally:
        os.close(null)


def output(stream: Stream, descriptor: int) -> Output:
    """Something to write to, like a descriptor of ours."""
    terminal = os.isatty(descriptor)
    reads, writes = pty.openpty() if terminal else os.pipe()
    if terminal:
        with contextlib.suppress(termios.error):
            settings = termios.tcgetattr(descriptor)
            settings[1] &= ~termios.OPOST  # our own terminal does that
            termios.tcsetattr(writes, termios.TCSANOW, settings)
    os.set_blocking(reads, False)
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    made = Output(stream, reads, writes, terminal, decoder)
    made.resized(descriptor)
    return made


def same(one: int, other: int) -> bool:
    """Whether two descriptors are the same file, pipe or terminal."""
    try:
        first, second = os.fstat(one), os.fstat(other)
    except OSError:
        return False
    return (first.st_dev, first.st_ino) == (second.st_dev, second.st_ino)
