"""The size of the steps beside that of the weights."""

import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from engine.diagnostics.detector import Detector, Tensors, norm, number, plural
from engine.diagnostics.diagnosis import Card, Certainty, Found, Limit, Severity
from engine.program.program import Program
from engine.run.event import Event
from engine.run.phases import Phase

KEPT = 1000  # updates of each weight
FEW_UPDATES = 3  # the first steps are the largest ones
STEP_LARGE = Limit(
    0.1,
    "large step",
    "a tenth of the weight in one update; about 1e-3 is healthy (Karpathy, CS231n, “Ratio of "
    "weights to updates”), two decades either way are still left alone",
)
STEP_SMALL = Limit(1e-5, "small step", "two decades below the healthy 1e-3")
STILL_THERE = Limit(
    0.1, "gradient left", "of the largest gradient of the weight: below it there is little to gain"
)
STRONG = Limit(
    100,
    "strong gradient",
    "‖∂ℓ/∂W‖ / ‖W‖ a hundred times above, or below, 1: then the gradient is the odd one, not the "
    "learning rate",
)


@dataclass(frozen=True)
class Update:
    """One update of a weight: ‖ΔW‖ / ‖W‖, and the gradient that was there for it."""

    ratio: float
    gradient: float
    size: float


class UpdateRatio(Detector):
    """‖ΔW‖ / ‖W‖ of every update of a weight."""

    card = Card(
        name="update-ratio",
        title="The updates are out of proportion to the weights",
        looks="‖ΔW‖ / ‖W‖ of each update of a weight; the median of the last thousand updates. "
        "Small ones count only while there is gradient left: what has converged is not slow.",
        levels="serious: all weights move too little; warning: single ones, or too much",
        cause="the learning rate does not fit the gradients",
        remedy="change the learning rate by the factor that leads to about 1e-3",
        certainty=Certainty.LIKELY,
        limits=(STEP_LARGE, STEP_SMALL, STILL_THERE, STRONG),
        example="bug-tiny-rate",
    )
    phases = frozenset({Phase.UPDATE})

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        weights = [info.name for info in program.parameters if len(info.shape) == 2]
        if not program.network.nodes:  # of lines a column or a row that begins at 0 is a bias
            initial = program.network.initial(program.experiment)
            weights = [name for name in weights if initial[name].any()]
        self.updates: dict[str, deque[Update]] = {name: deque(maxlen=KEPT) for name in weights}
        self.most = dict.fromkeys(weights, 0.0)
        self.first: dict[tuple[str, bool], int] = {}

    def see(self, event: Event, tensors: Tensors) -> None:
        name, before = event.op.name, event.before[0]
        if name not in self.updates or before is None:
            return
        size, step = norm(before), norm(event.after[0] - before)
        if size > 0 and math.isfinite(step / size):
            gradient = norm(tensors[self.program.gradients[name]])
            self.most[name] = max(self.most[name], gradient)
            self.updates[name].append(Update(step / size, gradient, size))
            for large in (False, True):
                if out_of_range(step / size, large):
                    self.first.setdefault((name, large), event.index)

    def counted(self, name: str) -> list[Update]:
        """The updates of a weight while there was gradient left."""
        least = STILL_THERE * self.most[name]
        return [one for one in self.updates[name] if one.gradient >= least]

    def found(self) -> Iterator[Found]:
        known = {name: list(kept) for name, kept in self.updates.items()}
        every = {name: kept for name, kept in known.items() if len(kept) >= FEW_UPDATES}
        left = {name: self.counted(name) for name in every}
        slow = bool(left) and all(0 < middle(kept) < STEP_SMALL for kept in left.values())
        for name, whole in every.items():
            large = middle(whole) > STEP_LARGE
            kept = whole if large else left[name]
            ratio = middle(kept)
            if ratio > 0 and len(kept) >= FEW_UPDATES and out_of_range(ratio, large):
                cause, remedy = self.why(kept, large)
                yield Found(
                    self.first[name, large],
                    name,
                    f"‖ΔW‖ / ‖W‖ is {number(ratio)} (median of "
                    f"{plural(len(kept), 'update')}); healthy is about 1e-3; ‖∂ℓ/∂W‖ / ‖W‖ is "
                    f"{number(relative(kept))}",
                    Severity.SERIOUS if slow else Severity.WARNING,
                    cause=cause,
                    remedy=remedy,
                    numbers={"median": ratio, "updates": len(kept)},
                )

    def why(self, kept: list[Update], large: bool) -> tuple[str, str]:
        """Which factor makes the steps too large or too small, and what to change."""
        rate, kind = self.program.optimizer.hyper.get("lr"), self.program.optimizer.type
        gradient = relative(kept)
        if rate is None:
            return "", ""
        if self.program.optimizer.normalizes:
            return (
                f"{kind} divides by the size of the gradient, so that the learning rate, {rate:g}, "
                f"alone is the size of a step, too {'large' if large else 'small'} for the weights",
                "",
            )
        if large and gradient >= STRONG and rate <= 1:
            return (
                "the gradient is too large for these weights",
                "a smaller learning rate, or [clip] norm = 1",
            )
        if not large and gradient < 1 / STRONG and rate >= STEP_SMALL:
            return (
                "the gradient itself is small at this layer",
                "look at what comes before it on the way back; then the learning rate",
            )
        return (
            f"the learning rate, {rate:g}, is too {'large' if large else 'small'} for the gradient",
            "",
        )


def relative(kept: Sequence[Update]) -> float:
    """The median of ‖∂ℓ/∂W‖ / ‖W‖."""
    return float(np.median([one.gradient / one.size for one in kept]))


def middle(kept: Sequence[Update]) -> float:
    """The median of ‖ΔW‖ / ‖W‖; 0 of none."""
    return float(np.median([one.ratio for one in kept])) if kept else 0.0


def out_of_range(ratio: float, large: bool) -> bool:
    """Whether a step is too large, or too small."""
    return ratio > STEP_LARGE if large else ratio < STEP_SMALL
