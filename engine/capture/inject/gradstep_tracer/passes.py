"""Iterations: the passes of the script's own loop.

The frames that led to a step of an optimizer are remembered by code and instruction: a frame itself
would keep everything in it alive, and its id is not its own for ever. A later event lies in the
same pass if the outermost frame that stands elsewhere has gone forward, and in a new one if it has
gone back, or if nothing has moved: the same instruction is executed again.
"""

from __future__ import annotations

from types import CodeType, FrameType

from gradstep_tracer.places import Places

Stack = "list[tuple[CodeType, int]]"


def further(before: list[tuple[CodeType, int]], now: list[tuple[CodeType, int]]) -> bool:
    """Whether a stack stands further down in the same pass as another one."""
    for (code, at), (code_now, at_now) in zip(before, now):
        if code is not code_now:
            return False
        if at != at_now:
            return at_now > at
    return False


class Passes:
    """Tells when a pass is over; ``begin`` is a file and a line where one begins, else None."""

    def __init__(self, places: Places, begin: list | None) -> None:
        self.places = places
        self.begin = begin
        self.number = 0
        self.stepped: list | None = None
        self.updated = False
        self.there = False  # the last event was at the line of ``begin``
        self.met = False

    def step(self, frame: FrameType | None) -> None:
        """Parameters were updated by who stands here."""
        self.updated = True
        self.stepped = self.places.stack(frame)

    def over(self, frame: FrameType | None) -> bool:
        """Whether with an event here a new pass begins; asked before it is told."""
        if self.begin is not None:
            return self.at_line(frame)
        if self.stepped is None or further(self.stepped, self.places.stack(frame)):
            return False
        self.stepped = None
        return True

    def at_line(self, frame: FrameType | None) -> bool:
        """Whether the line that was named has been reached anew."""
        name, line = self.begin
        there = False
        while frame is not None and not there:
            there = frame.f_lineno == line and frame.f_code.co_filename.endswith(name)
            frame = frame.f_back
        new = there and not self.there and self.met
        self.met = self.met or there
        self.there = there
        return new
