"""The doctor of a session: it looks at what has been done where somebody reads what it finds."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.program.program import Program
from engine.session.session import Session

if TYPE_CHECKING:
    from engine.diagnostics.diagnosis import Diagnosis
    from engine.diagnostics.doctor import Doctor

MANY = 256  # ops: to get to know a network of more takes longer than a key may

Apart = Callable[[Callable[[], None]], None]
"""Does what is given in a thread of its own."""


class Examination:
    """Findings up to the cursor; while a job moves the session, those of the last time.

    ``apart`` works in a thread, ``post`` calls a function on the screen's thread, some time; there
    ``told`` shows the findings, once the doctor of a large network has got to know it.
    """

    def __init__(
        self,
        session: Session,
        resting: Callable[[], bool],
        apart: Apart,
        post: Apart,
        told: Callable[[], None],
    ) -> None:
        self.session = session
        self.resting = resting
        self.apart = apart
        self.post = post
        self.told = told
        self.doctor: Doctor | None = None
        self.called = False

    def findings(self) -> "tuple[Diagnosis, ...] | None":
        """What the doctor has found; None while it gets to know a large network."""
        program = self.session.program
        if self.doctor is None and len(program.ops) > MANY:
            if not self.called:
                self.called = True
                self.apart(lambda: self.meet(program))
            return None
        from engine.diagnostics.doctor import Doctor

        doctor = self.doctor = self.doctor or Doctor(program)
        if self.resting():
            doctor.observe(self.session)
        return tuple(doctor.findings())

    def meet(self, program: Program) -> None:
        """In a thread: what the doctor finds out of a network alone, before anything has run."""
        from engine.diagnostics.doctor import Doctor

        doctor = Doctor(program)
        doctor.findings()

        def there() -> None:
            self.doctor = doctor
            self.told()

        self.post(there)
