"""The size of the steps: a loss that rises or swings, updates too large or too small."""

import math
from array import array
from collections import deque
from collections.abc import Iterator

import numpy as np

from engine.arrays import Array
from engine.diagnostics.detector import Detector, Tensors, norm, number, plural
from engine.diagnostics.diagnosis import Card, Certainty, Found, Limit, Severity
from engine.program.program import Program
from engine.run.event import Event
from engine.run.phases import Phase

RISE = Limit(
    1.5,
    "rise",
    "half as much again as in the first epoch: batches of one epoch differ, whole epochs hardly",
)
LEAP = Limit(
    10,
    "leap",
    "ten times the first loss in a single batch is no noise of sampling; not one "
    "healthy built-in comes near 2",
)
SWING = Limit(
    0.05,
    "swing",
    "a twentieth of the first loss; momentum and small batches make swings of a hundredth once the "
    "loss has fallen",
)
TURNS = Limit(0.5, "turns", "a random walk turns at half of its steps; a falling loss at few")
FEW_EPOCHS = 6
KEPT = 1000  # updates of each weight
FEW_UPDATES = 3  # the first steps are the largest ones
STEP_LARGE = Limit(
    0.1,
    "large step",
    "a tenth of the weight in one update; about 1e-3 is healthy (Karpathy, CS231n, “Ratio of "
    "weights to updates”), two decades either way are still left alone",
)
STEP_SMALL = Limit(1e-5, "small step", "two decades below the healthy 1e-3")


class Losses(Detector):
    """The losses of a run, and the loss of each epoch as the mean of its batches."""

    phases = frozenset({Phase.LOSS})

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self.losses = array("d")
        self.events = array("q")

    def see(self, event: Event, tensors: Tensors) -> None:
        self.losses.append(float(event.after[0]))
        self.events.append(event.index)

    def gap(self) -> None:
        del self.losses[:], self.events[:]

    @property
    def start(self) -> float:
        """The loss that later ones are compared with: the first, or its epoch's mean if larger."""
        first = self.epochs()
        return max(self.losses[0], float(first[0]) if len(first) else -math.inf)

    def epochs(self) -> Array:
        """The mean loss of each whole epoch seen: (epochs,) of float64."""
        count = self.program.batches.count
        whole = len(self.losses) // count * count
        means: Array = np.array(self.losses[:whole]).reshape(-1, count).mean(axis=1)
        return means

    @property
    def watched(self) -> bool:
        """Whether the loss ought to fall from where it began: it is positive and not maximized."""
        maximize = getattr(self.program.optimizer, "maximize", False)
        return bool(self.losses) and not maximize and self.losses[0] > 0


class LossRising(Losses):
    """The loss rises instead of falling."""

    card = Card(
        name="loss-rising",
        title="The loss rises",
        looks="The mean loss of each epoch against the first, and each batch against the first "
        "batch.",
        levels="serious",
        cause="the learning rate is too high: the updates overshoot, and the next gradients are "
        "larger than the last",
        remedy="a smaller learning rate",
        certainty=Certainty.LIKELY,
        limits=(RISE, LEAP),
        example="bug-exploding",
    )

    def found(self) -> Iterator[Found]:
        if not self.watched:
            return
        shown = self.leap() or self.rise()
        if shown is None:
            return
        event, loss, what = shown
        factor = loss / self.start
        rate = self.program.optimizer.hyper.get("lr")
        yield Found(
            event,
            "loss",
            f"{what} {number(loss)}, is {number(factor)} times the first, {number(self.start)}; "
            f"the last is {number(self.losses[-1])}; learning rate {rate:g}",
            numbers={
                "first": self.start,
                "loss": loss,
                "factor": factor,
                "last": self.losses[-1],
                "lr": rate,
            },
        )

    def leap(self) -> tuple[int, float, str] | None:
        """The first batch with a loss beyond LEAP times ``start``: event, loss, and the words."""
        found = np.flatnonzero(np.array(self.losses) > LEAP * self.start)
        if not len(found):
            return None
        return self.events[int(found[0])], self.losses[int(found[0])], "the loss of a batch,"

    def rise(self) -> tuple[int, float, str] | None:
        """The last epoch, if its loss is beyond RISE times the first's: event, loss, and the words.

        The event is where the first such epoch begins.
        """
        epochs = self.epochs()
        if len(epochs) < 2 or not epochs[-1] > RISE * epochs[0]:
            return None
        above = int(np.argmax(epochs > RISE * epochs[0]))
        event = self.events[above * self.program.batches.count]
        return event, float(epochs[-1]), "the mean loss of the last epoch,"


class LossOscillating(Losses):
    """The loss swings up and down."""

    card = Card(
        name="loss-oscillating",
        title="The loss swings up and down",
        looks="The mean loss of each epoch in the second half of the run: how often it turns, and "
        "the mean size of its changes against the first loss.",
        levels="serious",
        cause="the learning rate is too high: each update jumps over the valley",
        remedy="a smaller learning rate, or a schedule that lowers it",
        certainty=Certainty.LIKELY,
        limits=(SWING, TURNS),
        example="bug-oscillating",
    )

    def found(self) -> Iterator[Found]:
        epochs = self.epochs() if self.watched else np.zeros(0)
        late = epochs[len(epochs) // 2 :]
        if len(epochs) < FEW_EPOCHS or not np.isfinite(late).all():
            return
        changes = np.diff(late)
        turns = float(np.mean(changes[1:] * changes[:-1] < 0))
        swing = float(np.mean(np.abs(changes))) / self.start
        if turns < TURNS or swing < SWING:
            return
        up = int(np.argmax(np.diff(epochs) > 0)) + 1
        rate = self.program.optimizer.hyper.get("lr")
        yield Found(
            self.events[up * self.program.batches.count],
            "loss",
            f"from epoch to epoch it turns in {number(100 * turns)} % of the steps, by "
            f"{number(100 * swing)} % of the first loss on average; learning rate {rate:g}",
            numbers={"turns": turns, "swing": swing, "lr": rate},
        )


class UpdateRatio(Detector):
    """‖ΔW‖ / ‖W‖ of every update of a weight."""

    card = Card(
        name="update-ratio",
        title="The updates are out of proportion to the weights",
        looks="‖ΔW‖ / ‖W‖ of each update of a weight; the median of the last thousand updates.",
        levels="serious: all weights move too little; warning: single ones, or too much",
        cause="the learning rate does not fit the gradients",
        remedy="change the learning rate by the factor that leads to about 1e-3",
        certainty=Certainty.LIKELY,
        limits=(STEP_LARGE, STEP_SMALL),
        example="bug-tiny-rate",
    )
    phases = frozenset({Phase.UPDATE})

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        weights = [info.name for info in program.parameters if len(info.shape) == 2]
        self.ratios: dict[str, deque[float]] = {name: deque(maxlen=KEPT) for name in weights}
        self.first: dict[tuple[str, bool], int] = {}

    def see(self, event: Event, tensors: Tensors) -> None:
        name, before = event.op.name, event.before[0]
        if name not in self.ratios or before is None:
            return
        size, step = norm(before), norm(event.after[0] - before)
        if size > 0 and math.isfinite(step / size):
            self.ratios[name].append(step / size)
            for large in (False, True):
                if out_of_range(step / size, large):
                    self.first.setdefault((name, large), event.index)

    def found(self) -> Iterator[Found]:
        known = {name: seen for name, seen in self.ratios.items() if len(seen) >= FEW_UPDATES}
        middle = {name: float(np.median(seen)) for name, seen in known.items()}
        slow = bool(middle) and all(0 < ratio < STEP_SMALL for ratio in middle.values())
        for name, ratio in middle.items():
            large = ratio > STEP_LARGE
            if ratio > 0 and out_of_range(ratio, large):
                yield Found(
                    self.first[name, large],
                    name,
                    f"‖ΔW‖ / ‖W‖ is {number(ratio)} (median of "
                    f"{plural(len(self.ratios[name]), 'update')}); healthy is about 1e-3",
                    Severity.SERIOUS if slow else Severity.WARNING,
                    cause=f"the steps are too {'large' if large else 'small'}: the learning rate, "
                    "or the gradient at this layer",
                    numbers={"median": ratio, "updates": len(self.ratios[name])},
                )


def out_of_range(ratio: float, large: bool) -> bool:
    """Whether a step is too large, or too small."""
    return ratio > STEP_LARGE if large else ratio < STEP_SMALL
