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
from engine.diagnostics.diagnosis import Diagnosis, diagnosis
from engine.diagnostics.verdict import concluded

CAPTURE_DETECTORS: Final[tuple[type[CaptureDetector], ...]] = (
    NonFinite,
    ForgottenZeroGrad,
    NeverStepped,
    NeverMoves,
    EvalWhileTraining,
    BatchNormOfOne,
    SkippedSteps,
    AlwaysClipped,
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
    "the loss before training": "what it should be depends on the targets",
    "a rule of the optimizer left out": "a captured op is not executed again",
    "a scheduler before the optimizer": "schedulers run no op",
    "curvature and noise": "a captured op is not executed again",
}


class CaptureDoctor:
    """Looks through a captured run for mistakes."""

    def __init__(self, run: CapturedRun) -> None:
        self.run_ = run
        self.detectors = [make(run) for make in CAPTURE_DETECTORS]

    def run(self, iterations: int) -> Iterator[int]:
        """Look through the first iterations; yields how many are done. Raises Damaged."""
        for iteration in range(min(iterations, self.run_.timeline.iterations)):
            for seen in events_of(self.run_, iteration):
                for detector in self.detectors:
                    detector.see(seen)
            yield iteration + 1

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
