"""A learning-rate range test: the rate grows from step to step, and the loss answers.

L. N. Smith, Cyclical Learning Rates for Training Neural Networks, 2017, section 3.3; the rate grows
by the same factor in each iteration. The loss is that of the same rows each time, in evaluation
mode, so that the curve has no noise of batches or dropout and needs no smoothing.
"""

import math
from array import array
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
import numpy as np

from engine.arrays import Array, scalar
from engine.errors import GradstepError
from engine.experiment.dataset import Dataset
from engine.measure.metrics import evaluate
from engine.program.compiler import compile_program
from engine.program.program import Program
from engine.program.update import RATE, Updates
from engine.run.drive import run_iteration

LOWEST, HIGHEST = 1e-6, 10.0
STEPS = 100
ROWS = 256  # that the loss is measured on
BLOWN_UP = 4.0  # times the lowest loss: from here on the rate is too large for anything
FALLEN = 0.98  # of the first loss: less than that is no effect of a rate
AT_ONCE = 10.0  # the rate of the lowest loss over the one to train with


@dataclass(frozen=True, eq=False)
class RangeTest:
    """The curve: ``losses`` (n + 1,), the first before any step, one after each rate (n,).

    ``rate`` is the one to begin with, a tenth of that of the lowest loss; ``steepest`` where the
    loss falls fastest by the logarithm of the rate; both None where no rate lowers the loss.
    ``blown_up`` is the rate at which the loss was four times the lowest, or not finite.
    """

    rates: Array
    losses: Array
    rate: float | None
    steepest: float | None
    lowest: float | None
    blown_up: float | None


class RangeTester:
    """Takes the steps: ``run`` yields how many are done, ``result`` what they show."""

    def __init__(
        self, program: Program, low: float = LOWEST, high: float = HIGHEST, steps: int = STEPS
    ) -> None:
        free = msgspec.structs.replace(program.experiment, schedule=None)
        self.program = compile_program(free, program.data).lasting(steps)
        first = self.program.optimizer.hyper.get("lr")
        if first is None:
            raise GradstepError("optimizer.lines: no line reads lr, so there is no rate to test")
        # A layer's own rate keeps its proportion to the optimizer's.
        own = Updates.of_program(self.program).own.items()
        shares = {name: value / first for name, (_, key, value) in own if key == "lr" and first}
        self.shares = {RATE: 1.0} | shares
        self.rates = np.geomspace(low, high, steps)
        rows = np.linspace(0, len(program.data) - 1, min(ROWS, len(program.data))).astype(np.int64)
        self.probe = Dataset(program.data.x[rows], program.data.y[rows])
        self.losses = array("d")
        self.up = -1.0 if program.network.loss.scale < 0 else 1.0

    def run(self) -> Iterator[int]:
        """One iteration for each rate, until the loss has blown up."""
        tensors: dict[str, Array] = self.program.initial()
        self.losses = array("d", [self.loss(tensors)])
        for i, rate in enumerate(self.rates):
            chosen = {name: scalar(float(rate) * share) for name, share in self.shares.items()}
            tensors = run_iteration(self.program, tensors | chosen, i)
            self.losses.append(self.loss(tensors))
            yield i + 1
            if self.blown_up(self.losses[-1]):
                return

    def loss(self, tensors: dict[str, Array]) -> float:
        """The loss of the same rows as always."""
        return self.up * evaluate(self.program, tensors, data=self.probe)["loss"]

    def blown_up(self, loss: float) -> bool:
        """Whether a loss is not finite, or far above the lowest so far and the first."""
        low, first = min(self.losses), self.losses[0]
        return not math.isfinite(loss) or loss > max(first, low + (BLOWN_UP - 1) * abs(low))

    def result(self) -> RangeTest:
        """What the steps so far show."""
        losses = np.array(self.losses)
        rates = self.rates[: max(len(losses) - 1, 0)]
        ended = len(losses) > 1 and self.blown_up(float(losses[-1]))
        blown = float(rates[-1]) if ended else None
        known = losses[:-1] if ended else losses
        best = int(np.argmin(known)) if len(known) else 0
        fell = len(known) > 1 and best > 0 and fallen(float(known[0]), float(known[best]))
        if not fell:
            return RangeTest(rates, losses, None, None, None, blown)
        slope = np.diff(known[: best + 1])
        steepest = float(rates[int(np.argmin(slope))])
        lowest = float(rates[best - 1])
        return RangeTest(rates, losses, lowest / AT_ONCE, steepest, lowest, blown)


def fallen(first: float, lowest: float) -> bool:
    """Whether a loss has fallen by more than what happens without learning."""
    return lowest < first - (1 - FALLEN) * abs(first)
