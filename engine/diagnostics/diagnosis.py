"""A diagnosis: a finding with its evidence, and the card that declares its kind."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from engine.run.run import Run

NOT_FINITE = "non-finite"  # the name of the finding that is told before all others
Number = float | int | str | None


class Severity(StrEnum):
    """How much a finding matters; a serious one keeps the network from learning as it should."""

    SERIOUS = "serious"
    WARNING = "warning"
    NOTE = "note"


class Certainty(StrEnum):
    """How sure it is that the evidence means what the finding says."""

    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"


class Limit(float):
    """A threshold: a number with its name in messages and the reason for its value."""

    name: str
    reason: str

    def __new__(cls, value: float, name: str, reason: str) -> "Limit":
        """The number; ``reason`` says why it is this one."""
        limit = super().__new__(cls, value)
        limit.name, limit.reason = name, reason
        return limit


@dataclass(frozen=True)
class Card:
    """The declaration of one kind of finding, from which the documentation is made.

    ``looks`` says what is measured, and ``levels`` which severities it may have and when.
    """

    name: str
    title: str
    looks: str
    levels: str
    cause: str
    remedy: str
    certainty: Certainty = Certainty.CERTAIN
    limits: tuple[Limit, ...] = ()
    example: str = ""


@dataclass(frozen=True)
class Diagnosis:
    """One finding about a run, or about an experiment that was refused.

    ``event`` is the first event that shows it, None where the program was refused before any;
    ``place`` says the same in words. ``numbers`` is the evidence for programs, ``evidence`` for
    people. ``subject`` is the tensor or layer it is about. ``follows`` names the finding that
    explains this one: it is then only a note. ``entered``: what shows it stands there before the
    event, which has not made it.
    """

    name: str
    title: str
    severity: Severity
    certainty: Certainty
    subject: str
    evidence: str
    numbers: Mapping[str, Number]
    event: int | None
    place: str
    cause: str
    remedy: str
    follows: str = ""
    entered: bool = False

    def __repr__(self) -> str:
        subject = self.subject or "the run"
        return f"<Diagnosis {self.severity} {self.name!r} of {subject}: {self.place}>"

    @property
    def serious(self) -> bool:
        """Whether its severity is SERIOUS."""
        return self.severity == Severity.SERIOUS

    @property
    def cursor(self) -> int | None:
        """The cursor position at which it shows: behind the event, or at it for what entered."""
        return self.event if self.event is None or self.entered else self.event + 1


@dataclass(frozen=True)
class Found:
    """What a detector has found: the parts of a Diagnosis that its card does not say.

    ``event`` is the first that shows it. Where ``certainty``, ``cause`` or ``remedy`` is missing,
    that of the card holds.
    """

    event: int
    subject: str
    evidence: str
    severity: Severity = Severity.SERIOUS
    certainty: Certainty | None = None
    cause: str = ""
    remedy: str = ""
    numbers: Mapping[str, Number] | None = None
    entered: bool = False


def place_of(program: Run, event: int) -> str:
    """``#41  iteration 2, backward, linear2.weight.grad``."""
    position, op = program.timeline.position(event), program.timeline.op(event)
    return f"#{event}  iteration {position.iteration}, {op.phase}, {op.name}"


def place_before(program: Run, event: int) -> str:
    """``#20  iteration 2, before its first op``."""
    timeline = program.timeline
    position = timeline.position(event)
    begins = event == timeline.begin(timeline.iteration(event))
    before = "its first op" if begins else timeline.op(event).name
    return f"#{event}  iteration {position.iteration}, before {before}"


def diagnosis(card: Card, found: Found, program: Run) -> Diagnosis:
    """The Diagnosis of what was found, with the rest from the card."""
    return Diagnosis(
        name=card.name,
        title=card.title,
        severity=found.severity,
        certainty=found.certainty or card.certainty,
        subject=found.subject,
        evidence=found.evidence,
        numbers=dict(found.numbers or {}),
        event=found.event,
        place=place_before(program, found.event)
        if found.entered
        else place_of(program, found.event),
        cause=found.cause or card.cause,
        remedy=found.remedy or card.remedy,
        entered=found.entered,
    )
