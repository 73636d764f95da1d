"""Where what a traced command tells goes to, as it comes: a recording's writer, or a count."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from engine.capture.messages import Frame


class Stream(StrEnum):
    """Where the command wrote text to."""

    STDOUT = "stdout"
    STDERR = "stderr"


class Reason(StrEnum):
    """Why no more comes from a process."""

    ENDED = "ended"  # it said so: Ended or Raised was its last word
    CUT = "cut"  # it went without a word: killed, out of memory, a fault
    UNTRUSTWORTHY = "untrustworthy"  # it sent what no tracer sends
    LEFT = "left"  # gradstep stopped listening while it went on


@dataclass(frozen=True, slots=True)
class End:
    """How a process ended, as far as this side knows.

    ``signal`` where one is known to have ended it; ``text`` says what was wrong with a message.
    """

    reason: Reason
    signal: int | None = None
    text: str = ""


class Sink(Protocol):
    """What is told of a command, in the order in which it came; one thread calls.

    Processes are numbered from 0 in the order of their first frame, which is a Hello: that says
    which rank it is. A launcher that starts a rank again makes another process of the same rank.
    A GradstepError out of any of these ends the recording; the command goes on to its end.
    """

    def frame(self, process: int, frame: Frame) -> None:
        """A frame of a process, believed; its Hello first."""

    def text(self, stream: Stream, text: str) -> None:
        """What the command wrote since the last frame, in pieces as they came, undecodable bytes
        as U+FFFD. Whose text it is among several processes, nobody knows."""

    def ended(self, process: int, end: End) -> None:
        """No more frames of a process come."""

    def tick(self, now: float) -> None:
        """Called at least every 0.1 s (``now`` is time.monotonic()): time to bring to the disk."""

    def close(self, status: int) -> None:
        """The command is over, with this exit status (128 + n after signal n). Called once."""
