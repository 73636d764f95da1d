"""The doctor of captured runs: it looks at events, and says what it cannot tell from them."""

from collections.abc import Iterator, Mapping
from typing import Final

from engine.capture.captured import CapturedRun
from engine.diagnostics.capture_detector import CaptureDetector, Seen
from engine.diagnostics.capture_loop import (
    AlwaysClipped,
    BatchNormOfOne,
    EvalWhileTraining,
    ForgottenZeroGrad,
    NeverMoves,
    NeverStepped,
    Raised,
    SchedulerFirst,
    SkippedSteps,
)
from engine.diagnostics.capture_numbers import (
    DeadReLU,
    Exploding,
    Gradients,
    LossRising,
    NonFinite,
    Saturated,
)
from engine.diagnostics.capture_sizes import InitialLoss, UpdateRatio
from engine.diagnostics.diagnosis import Diagnosis, diagnosis
from engine.diagnostics.verdict import concluded

CAPTURE_DETECTORS: Final[tuple[type[CaptureDetector], ...]] = (
    NonFinite,
    Raised,
    ForgottenZeroGrad,
    NeverStepped,
    NeverMoves,
    EvalWhileTraining,
    BatchNormOfOne,
    SkippedSteps,
    AlwaysClipped,
    SchedulerFirst,
    InitialLoss,
    UpdateRatio,
    LossRising,
    Exploding,
    Gradients,
    DeadReLU,
    Saturated,
)
# What the doctor of experiments looks for, and events alone do not show.
CANNOT_TELL: Final[Mapping[str, str]] = {
    "the data (scales, order, targets)": "the script's data set is not in the recording",
    "the loss of an answer that ignores the input": "the loss function is known by name alone",
    "the loss before training, but of classes": "what it should be depends on the targets",
    "a rule of the optimizer left out": "a captured op is not executed again",
    "curvature and noise": "a captured op is not executed again",
}


FEW: Final = 32  # events between two looks at the clock


class CaptureDoctor:
    """Looks through a captured run for mistakes."""

    def __init__(self, run: CapturedRun) -> None:
        self.run_ = run
        self.detectors = [make(run) for make in CAPTURE_DETECTORS]
        self.done = 0  # iterations
        self.events: Iterator[Seen] | None = None  # of the iteration that is looked through

    @property
    def last(self) -> int:
        """The iterations that are there whole."""
        timeline = self.run_.timeline
        return timeline.iterations - (not timeline.over)

    def run(self, iterations: int) -> Iterator[int]:
        """Look through the first iterations; yields how many are done. Raises Damaged."""
        while self.done < min(iterations, self.run_.timeline.iterations):
            for _ in self.one():
                pass
            yield self.done

    def look(self) -> Iterator[None]:
        """Look through all iterations that are there whole; yields after a few events.

        It may be left at any yield, and goes on where it was left. Raises Damaged.
        """
        while self.done < self.last:
            yield from self.one()

    def one(self) -> Iterator[None]:
        """Look through the next iteration, or what is left of it."""
        if self.events is None:
            self.events = events_of(self.run_, self.done)
        for i, seen in enumerate(self.events):
            for detector in self.detectors:
                detector.see(seen)
            if i % FEW == FEW - 1:
                yield
        self.events = None
        self.done += 1
        yield

    def findings(self) -> list[Diagnosis]:
        """What was found, serious things first."""
        found = [
            diagnosis(detector.card, one, self.run_)
            for detector in self.detectors
            for one in detector.found()
        ]
        return concluded(found, None)


def events_of(run: CapturedRun, iteration: int) -> Iterator[Seen]:
    """The events of an iteration with what was told of them."""
    stored = run.stored
    block, facts = stored.block(iteration), stored.facts(iteration)
    begin = run.timeline.begin(iteration)
    numbers = stored.shapes[stored.index[iteration].shape].ops
    for place, op in enumerate(run.timeline.listing(iteration).ops):
        slots = range(block.starts[place], block.starts[place + 1])
        number = numbers[place]
        attributes = stored.ops[number].attributes if number < len(stored.ops) else None
        yield Seen(
            begin + place,
            iteration,
            op,
            tuple(stored.tensors[block.numbers[slot]] for slot in slots),
            tuple(block.values.told(slot) for slot in slots),
            facts.get(place, {}),
            attributes or {},
        )
