"""Can this network learn one batch? What cannot do that will not learn the rest.

A. Karpathy, A Recipe for Training Neural Networks, 2019: “overfit one batch”. Network, loss and
optimizer are the experiment's own; what is there against overfitting or for the long run is left
out: dropout, the schedule, validation, the order of the rows.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import msgspec
import numpy as np

from engine.arrays import Array, frozen
from engine.diagnostics import facts
from engine.diagnostics.diagnosis import Diagnosis
from engine.diagnostics.doctor import Doctor
from engine.diagnostics.line_facts import never_negative
from engine.diagnostics.targets import tail
from engine.experiment.dataset import epoch_order
from engine.functions.losses.as_written import AsWritten
from engine.program.compiler import compile_program
from engine.program.line_network import LineNetwork
from engine.program.line_pass import pass_over
from engine.program.program import Program
from engine.run.drive import run_iteration
from engine.run.run import loss_of

FEWEST_ROWS, MOST_ROWS = 8, 32  # one row says nothing of the inputs, many take long
LEFT = 0.05  # of the way from the best constant answer to the best there is: then it has learnt
ITERATIONS = 2000
WATCHED = 300  # iterations that the doctor looks at


@dataclass(frozen=True, eq=False)
class Overfit:
    """What became of one batch.

    ``floor`` is the lowest loss that any answers could have, with the same answer for equal rows;
    ``constant`` that of one answer for all of them. ``share`` of the way between them is left at
    the lowest loss, 0 to 1; None where the targets have no lowest loss, or where the loss is
    ``written`` as a line of which no lowest value is known.
    """

    rows: int
    iterations: int
    first: float | None
    lowest: float | None
    floor: float | None
    constant: float | None
    share: float | None
    findings: list[Diagnosis]
    written: bool = False

    @property
    def learnt(self) -> bool:
        """Whether next to nothing of the loss is left."""
        return self.share is not None and self.share <= LEFT


def one_batch(program: Program) -> Program:
    """The same network on a few rows of its data, drawn as the first epoch is shuffled."""
    wanted = min(max(program.batches.size, FEWEST_ROWS), MOST_ROWS, len(program.data))
    lines = isinstance(program.network, LineNetwork)
    if lines and pass_over(program, wanted) is None:  # a number of rows is written in the lines
        wanted = program.batches.size
    rows = np.sort(epoch_order(program.experiment.seed, 0, len(program.data))[:wanted])
    x, y = frozen(program.data.x[rows]), frozen(program.data.y[rows])
    data = replace(program.data, x=x, y=y, validation=None)
    old = program.experiment
    spec = msgspec.structs.replace(
        old.data, batch_size=None, shuffle=False, drop_last=False, validation=None
    )
    training = msgspec.structs.replace(old.training, mode="eval")
    alone = msgspec.structs.replace(old, data=spec, training=training, schedule=None)
    return compile_program(alone, data)


class Attempt:
    """The training on one batch: ``run`` yields the iterations done, ``result`` how it went."""

    def __init__(self, program: Program, iterations: int = ITERATIONS) -> None:
        self.program = one_batch(program).lasting(iterations)
        self.iterations = iterations
        self.doctor = Doctor(self.program)
        self.done = 0
        self.first: float | None = None
        self.lowest: float | None = None
        self.floor, self.constant = bounds(self.program)

    def run(self) -> Iterator[int]:
        """Train until it has learnt, the loss is not finite, or the iterations are over."""
        for tensors in self.states():
            loss = loss_of(self.program, tensors)
            if loss is not None:
                self.take(loss)
            yield self.done
            share = self.share
            if loss is None or not math.isfinite(loss) or (share is not None and share <= LEFT):
                return

    def states(self) -> Iterator[Mapping[str, Array]]:
        """The tensors after each iteration; the doctor sees the first of them."""
        for done in self.doctor.run(min(self.iterations, WATCHED)):
            self.done = done
            yield self.doctor.tensors
        tensors: Mapping[str, Array] = self.doctor.tensors
        while self.done < self.iterations:
            tensors = run_iteration(self.program, tensors, self.done)
            self.done += 1
            yield tensors

    def take(self, loss: float) -> None:
        """Note the loss of an iteration."""
        if not math.isfinite(loss):
            return
        if self.first is None:
            self.first = self.lowest = loss
        down = self.program.network.loss.scale >= 0
        assert self.lowest is not None
        self.lowest = min(self.lowest, loss) if down else max(self.lowest, loss)

    @property
    def share(self) -> float | None:
        """What is left of the way from a constant answer to the best; None if that is unknown."""
        if self.floor is None or self.lowest is None or self.first is None:
            return None
        start = self.constant if self.constant is not None else self.first
        if abs(start - self.floor) <= 1e-12 * max(abs(self.floor), 1.0):  # targets all the same
            start = self.first
        if start == self.floor:
            return 0.0
        return max((self.lowest - self.floor) / (start - self.floor), 0.0)

    def result(self) -> Overfit:
        """How it went so far, with what the doctor has seen."""
        return Overfit(
            len(self.program.data),
            self.done,
            self.first,
            self.lowest,
            self.floor,
            self.constant,
            self.share,
            self.doctor.findings(),
            isinstance(self.program.network.loss, AsWritten),
        )


def bounds(program: Program) -> tuple[float | None, float | None]:
    """The lowest loss of any answers to all rows of a program, and that of a constant answer."""
    loss, data, outputs = program.network.loss, program.data, facts.outputs(program)
    if outputs is None:  # the loss is a line
        network = program.network
        return 0.0 if isinstance(network, LineNetwork) and never_negative(network) else None, None
    _, groups = np.unique(data.x, axis=0, return_inverse=True)
    groups = groups.reshape(-1)
    answers: list[Array | None] = [
        facts.best_constant(loss, data.y[groups == group], outputs)
        for group in range(int(groups.max()) + 1)
    ]
    plain = facts.best_constant(loss, data.y, outputs)
    constant = None if plain is None else facts.value_of(loss, plain, data.y)
    known = [answer for answer in answers if answer is not None]
    # Nothing is known of what lines can give.
    low, high = facts.reach([node.layer for node in tail(program)])
    # Without the function that the loss asks for it may fall below every bound.
    endless = (loss.type == "nll" and high > 0) or (
        loss.type == "bce" and not 0 <= low <= high <= 1
    )
    if len(known) < len(answers) or endless:
        return None, constant
    floor = facts.value_of(loss, np.stack(known)[groups], data.y)
    return floor if math.isfinite(floor) else None, constant
