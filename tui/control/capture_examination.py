"""The doctor of a captured script: it looks through the whole of it, in slices between keys."""

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from engine.session.session import Session

if TYPE_CHECKING:
    from engine.diagnostics.capture_doctor import CaptureDoctor
    from engine.diagnostics.diagnosis import Diagnosis

Later = Callable[[float, Callable[[], None]], object]
SLICE, PAUSE = 0.006, 0.002  # seconds of looking, and between two of them
OFTEN = 0.5  # seconds between two times that it is told how far it is


class CaptureExamination:
    """Findings in a captured script by now; ``looked`` are lines that say how far it is.

    It goes on while the pane is ``seen``; ``show`` takes a new View, while nothing runs.
    """

    def __init__(
        self,
        session: Session,
        later: Later,
        resting: Callable[[], bool],
        seen: Callable[[], bool],
        show: Callable[[], None],
    ) -> None:
        self.session = session
        self.later = later
        self.resting = resting
        self.seen = seen
        self.show = show
        self.doctor: CaptureDoctor | None = None
        self.steps: Iterator[None] | None = None
        self.found: tuple[Diagnosis, ...] = ()
        self.told = 0.0
        self.trouble = ""

    @property
    def looked(self) -> tuple[str, ...]:
        """How far the script was looked through, and what its events cannot tell."""
        doctor = self.doctor
        if doctor is None:
            return ()
        from engine.diagnostics.capture_doctor import CANNOT_TELL

        count = doctor.last
        done = f"all {count:,} iterations were looked through"
        if doctor.done < count:
            done = f"looked through {doctor.done:,} of {count:,} iterations"
        lines = [self.trouble or done, "cannot tell from a capture:"]
        return (*lines, *(f"  {what}: {why}" for what, why in CANNOT_TELL.items()))

    def findings(self) -> "tuple[Diagnosis, ...]":
        """What was found by now; the rest is looked at between keys."""
        from engine.capture.captured import CapturedRun
        from engine.diagnostics.capture_doctor import CaptureDoctor

        run = self.session.run
        if not isinstance(run, CapturedRun):
            return ()
        doctor = self.doctor = self.doctor or CaptureDoctor(run)
        if self.steps is None and doctor.done < doctor.last and not self.trouble:
            self.steps = doctor.look()
            self.later(PAUSE, self.go_on)
        return self.found

    def go_on(self) -> None:
        """Look through some more events, while somebody sees the pane."""
        from engine.recording.reader import Damaged

        doctor, steps = self.doctor, self.steps
        if doctor is None or steps is None:
            return
        end = time.perf_counter() + SLICE
        try:
            more = any(time.perf_counter() > end for _ in steps)
        except Damaged as problem:
            more, self.trouble = False, str(problem)
        now = time.perf_counter()
        if not more:
            self.steps = None
        if not more or now - self.told >= OFTEN:
            self.told = now
            self.found = tuple(doctor.findings())
            if self.seen() and self.resting():
                self.show()
        if more and self.seen():
            self.later(PAUSE, self.go_on)
        elif more:
            self.steps = None  # begun again where it stands once somebody looks
