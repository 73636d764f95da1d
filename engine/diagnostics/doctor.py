"""The doctor: feeds every detector with the events of a run, and collects their findings."""

from collections.abc import Iterator

import numpy as np

from engine.arrays import Array
from engine.diagnostics.account import Ascent, OversizedSteps, StepFactor, WeightDecay
from engine.diagnostics.broadcasts import PairedSamples
from engine.diagnostics.detector import Detector, Tensors, offers
from engine.diagnostics.diagnosis import Diagnosis, diagnosis
from engine.diagnostics.finite import LogOfZero, NonFinite
from engine.diagnostics.gradients import ExplodingGradients, VanishingGradients
from engine.diagnostics.loop import AccumulatedGradients, Frozen, NeverMoves
from engine.diagnostics.losses import Losses, LossOscillating, LossRising
from engine.diagnostics.order import SortedBatches
from engine.diagnostics.outputs import DoubleSoftmax, WrongOutput
from engine.diagnostics.precision import Cancellation
from engine.diagnostics.progress import Converged, NoProgress, NothingCounts
from engine.diagnostics.rates import UpdateRatio
from engine.diagnostics.samples import ClassImbalance, InitialLoss, InputScales, LargeInputs
from engine.diagnostics.steps import LearningRate, SummedLoss
from engine.diagnostics.structure import DropoutPlace, LinearInARow, MissingBias
from engine.diagnostics.targets import (
    AbsentClass,
    TargetDomain,
    TargetScale,
    UnreachableTargets,
)
from engine.diagnostics.units import DeadReLU, Saturated, SymmetricUnits
from engine.diagnostics.validation import Overfitting
from engine.diagnostics.verdict import concluded
from engine.program.program import Program
from engine.run.drive import carry_out, entered, happen, present
from engine.run.event import Event
from engine.run.phases import Phase
from engine.run.run import loss_key
from engine.run.timeline import Which, completed
from engine.session.branches import first_divergence
from engine.session.journal import Journal
from engine.session.recent import put
from engine.session.session import Session

WATCHING: tuple[type[Detector], ...] = (
    PairedSamples,
    TargetDomain,
    UnreachableTargets,
    TargetScale,
    AbsentClass,
    NothingCounts,
    LinearInARow,
    MissingBias,
    DropoutPlace,
    SortedBatches,
    Ascent,
    StepFactor,
    OversizedSteps,
    WeightDecay,
    AccumulatedGradients,
    NeverMoves,
    Frozen,
    SymmetricUnits,
    DeadReLU,
    Saturated,
    VanishingGradients,
    ExplodingGradients,
    LossRising,
    LossOscillating,
    UpdateRatio,
    NoProgress,
    Converged,
    Overfitting,
    SummedLoss,
    NonFinite,
    LogOfZero,
    DoubleSoftmax,
    WrongOutput,
    InputScales,
    LargeInputs,
    ClassImbalance,
    InitialLoss,
)
THOROUGH: tuple[type[Detector], ...] = (LearningRate, Cancellation)
MOST_EVENTS = 4096  # looked at in one call of observe; of a longer leap the end


class Doctor:
    """All detectors over one run. ``thorough`` adds those that cost as much as many iterations.

    ``seen`` is the event up to which they have been fed; ``kept`` are findings of the common past,
    after a change of branch.
    """

    def __init__(self, program: Program, thorough: bool = False) -> None:
        self.program = program
        every = (*WATCHING, *THOROUGH) if thorough else WATCHING
        self.kinds = tuple(kind for kind in every if offers(program, kind.needs))
        self.kept: list[Diagnosis] = []
        self.journal = Journal()
        self._restart(program.initial(), 0)

    def _restart(self, tensors: dict[str, Array], event: int) -> None:
        """Begin anew with the tensors before an event."""
        self.tensors = dict(tensors)
        self.detectors = [kind(self.program) for kind in self.kinds]
        self.by_phase = {
            phase: [one for one in self.detectors if phase in one.phases and one.watching]
            for phase in Phase
        }
        self.watching_losses = [one for one in self.detectors if isinstance(one, Losses)]
        self.seen = event
        for one in self.detectors:
            one.begin(self.tensors, event)

    def _enter(self, event: int, given: Tensors) -> None:
        """These values stand there before an event, and no op has written them."""
        self.tensors.update(given)
        with np.errstate(all="ignore"):
            for one in self.detectors:
                one.enter(event, given)

    def findings(self) -> list[Diagnosis]:
        """All findings so far: the serious ones first, then by event."""
        with np.errstate(all="ignore"):
            found = [
                diagnosis(one.card, each, self.program)
                for one in self.detectors
                for each in one.found()
            ]
        # What the common past has shown stands, also where the new branch shows it again.
        kept = {(one.name, one.subject) for one in self.kept}
        found = [one for one in found if (one.name, one.subject) not in kept]
        rate = next((one for one in self.detectors if isinstance(one, LearningRate)), None)
        progress = next(one for one in self.detectors if isinstance(one, NoProgress))
        with np.errstate(all="ignore"):
            return concluded([*self.kept, *found], rate, progress.learnt)

    def see(self, event: Event) -> None:
        """One event has happened; those before it have been seen."""
        self.tensors.update(zip(event.op.writes, event.after, strict=False))
        self.seen = event.index + 1
        if event.after:  # a skipped op has written nothing to look at
            with np.errstate(all="ignore"):
                for one in self.by_phase[event.op.phase]:
                    one.see(event, self.tensors)

    def observe(self, session: Session) -> None:
        """Look at what a session has done since the last call; the session stays as it is.

        Going back shows nothing new. On another branch findings from before the place where it
        parts stay, and the rest begins anew.
        """
        self._follow(session)
        if session.event - self.seen > MOST_EVENTS:
            self._skip(session, session.event - MOST_EVENTS)
        for index in range(self.seen, session.event):
            self._prepare(session, index)
            event = session.event_at(index)
            if event is None:
                self._skip(session, index + 1)
            else:
                self.see(event)
        if session.event >= self.seen:
            self._prepare(session, session.event)

    def _follow(self, session: Session) -> None:
        """Begin anew where what the session has done now parts from what was seen."""
        parted = first_divergence(self.journal, session.journal)
        self.journal = session.journal
        if parted >= self.seen:
            return
        start, tensors = rewound(session, parted)
        self.kept = [one for one in self.findings() if (one.event or 0) < parted]
        self._restart(tensors, start)

    def _skip(self, session: Session, event: int) -> None:
        """Go on at an event, with the session's own tensors: those before it are not known."""
        self.tensors.update(session.tensors)
        self.seen = event
        for one in self.detectors:
            one.gap()

    def _prepare(self, session: Session, event: int) -> None:
        """Enter what is no op's doing: the batch of a new iteration, and edits."""
        # The batch first: an edit at the beginning of an iteration is made on it.
        batch = entered(self.program, event)
        if batch:
            self._enter(event, batch)
        edits = session.history.edited.get(event, ())
        if edits:
            self._enter(event, {name: value for name, _, value in edits})

    def run(self, iterations: int, closely: int | None = None) -> Iterator[int]:
        """Run the program for so many iterations and watch; yields how many are done.

        After the first ``closely`` of them only the losses are looked at, if a number is given.
        """
        timeline = self.program.timeline
        first = completed(timeline, self.seen)
        for iteration in range(first, min(iterations, timeline.iterations)):
            begin, end = timeline.begin(iteration), timeline.begin(iteration + 1)
            if closely is not None and iteration >= closely:
                self._glance(iteration, begin, end)
                yield iteration + 1
                continue
            self._enter(begin, self.program.source.enters(iteration))
            for event in happen(self.program, self.tensors, begin, end):
                self.see(event)
            yield iteration + 1

    def _glance(self, iteration: int, begin: int, end: int) -> None:
        """Run an iteration, and show its loss to the detectors of losses."""
        timeline, loss = self.program.timeline, loss_key(self.program)
        self.tensors.update(self.program.source.enters(iteration))
        start = begin
        for place in timeline.listing(iteration).places(Which(loss)):
            # Up to there and no further: detectors look at the parameters that made this loss.
            *_, after = carry_out(timeline.stretch(start, begin + place + 1), self.tensors)
            start = begin + place + 1
            event = Event(timeline.position(start - 1), timeline.op(start - 1), (None,), after)
            with np.errstate(all="ignore"):
                for one in self.watching_losses:
                    one.see(event, self.tensors)
        carry_out(timeline.stretch(start, end), self.tensors)
        self.seen = end


def rewound(session: Session, event: int) -> tuple[int, dict[str, Array]]:
    """The tensors at an event before the cursor, or as far back as the window goes.

    Returns the event reached and the tensors there; the session itself stays where it is.
    """
    tensors: dict[str, Array] = dict(session.tensors)
    timeline, place = session.timeline, session.event
    while place > max(event, session.event - MOST_EVENTS):
        done = session.event_at(place - 1)
        if done is None:
            break
        iteration = timeline.iteration(place - 1)
        if timeline.begin(iteration + 1) == place:
            tensors.update(present(session.source.enters(iteration)))
        changes = list(zip(done.op.writes, done.before, strict=False)) if done.after else []
        edits = [(name, old) for name, old, _ in session.history.edited.get(place, ())]
        for name, old in (*reversed(edits), *changes):
            put(tensors, name, old)
        place -= 1
    return place, tensors


def diagnose(program: Program, iterations: int) -> list[Diagnosis]:
    """Run a program for so many iterations: the findings of all detectors, thorough ones too."""
    doctor = Doctor(program, thorough=True)
    for _ in doctor.run(iterations):
        pass
    return doctor.findings()
