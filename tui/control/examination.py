"""The doctor of a session: it looks at what has been done where somebody reads what it finds."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.session.session import Session

if TYPE_CHECKING:
    from engine.diagnostics.diagnosis import Diagnosis
    from engine.diagnostics.doctor import Doctor


class Examination:
    """Findings up to the cursor; while a job moves the session, those of the last time."""

    def __init__(self, session: Session, resting: Callable[[], bool]) -> None:
        self.session = session
        self.resting = resting
        self.doctor: Doctor | None = None

    def findings(self) -> "tuple[Diagnosis, ...]":
        """What the doctor has found; what it has not watched yet takes time."""
        from engine.diagnostics.doctor import Doctor

        doctor = self.doctor = self.doctor or Doctor(self.session.program)
        if self.resting():
            doctor.observe(self.session)
        return tuple(doctor.findings())
