"""A float32 run against a float64 shadow of it: digits that are lost on the way."""

import dataclasses
from collections.abc import Iterator
from functools import cached_property

import msgspec
import numpy as np

from engine.arrays import Array
from engine.diagnostics.detector import Detector, Tensors, norm, number
from engine.diagnostics.diagnosis import Card, Certainty, Found, Limit, Severity
from engine.errors import ExperimentError
from engine.experiment.dataset import Dataset, load_data
from engine.experiment.spec import Experiment
from engine.measure.evaluator import widened
from engine.program.compiler import compile_program
from engine.program.program import Program
from engine.run.drive import carry_out
from engine.run.event import Event
from engine.run.phases import Phase

DIGITS_LOST = Limit(
    1e-3,
    "digits lost",
    "float32 has seven digits: an error of 10⁻³ means that four of them are gone",
)
WRONG_DIGIT = Limit(0.05, "wrong digit", "not even two digits of the result are right")
SHADOWED = frozenset({Phase.FORWARD, Phase.LOSS, Phase.BACKWARD})


class Cancellation(Detector):
    """float32 results that differ from those in float64."""

    card = Card(
        name="float32-cancellation",
        title="float32 loses the digits that matter",
        looks="In the iterations 1, 2, 3, 5, 9, 17, … of a float32 experiment: every activation, "
        "its gradient and the loss against the same ops in float64, from the same parameters and "
        "the data before rounding; the norm of the difference over the largest norm that the "
        "tensor had so far, so that a gradient which goes to 0 as it should is no finding.",
        levels="serious: the loss or a gradient is off by more than 5 %; warning: anything by "
        "more than 0.1 %",
        cause="two numbers that are nearly equal are subtracted, and what they differ in had been "
        "rounded away",
        remedy='dtype = "float64", or subtract the common offset from inputs and targets first',
        limits=(DIGITS_LOST, WRONG_DIGIT),
        example="bug-float32",
    )
    phases = frozenset({Phase.BACKWARD})

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        backward = [op for op in program.ops if op.phase == Phase.BACKWARD]
        shadowed = bool(backward) and program.experiment.dtype == "float32"
        self.last = backward[-1].index if shadowed else -1
        self.added = {op.writes[0] for op in backward if op.adds}
        self.first: tuple[int, str, float] | None = None
        self.worst: tuple[float, str] = (0.0, "")
        self.largest: dict[str, float] = {}

    @cached_property
    def shadow(self) -> Program:
        """The same program in float64, with the data as they were before they were rounded."""
        wide = msgspec.structs.replace(self.program.experiment, dtype="float64")
        return compile_program(wide, exact_data(wide, self.program.data))

    def see(self, event: Event, tensors: Tensors) -> None:
        iteration = event.position.iteration - 1
        # The iterations 0, 1, 2, 4, 8, …: a shadow costs as much as the iteration itself, or more.
        if event.op.index != self.last or (iteration & (iteration - 1)) > 0:
            return
        exact = self.run(tensors, iteration)
        begin = event.index - event.op.index
        for op in self.program.ops:
            # The shadow begins without gradients: what this op adds to cannot be compared.
            # A gradient that other ops go on adding to is not yet what it will be.
            whole = op.writes[0] not in self.added
            if op.phase in SHADOWED and not op.adds and whole:
                name = op.writes[0]
                error = self.apart(name, tensors, exact)
                if self.first is None and error > DIGITS_LOST:
                    self.first = begin + op.index, name, error
                if op.phase != Phase.FORWARD:
                    self.worst = max(self.worst, (error, name))

    def apart(self, name: str, tensors: Tensors, exact: Tensors) -> float:
        """The norm of a tensor's error over the largest norm it had; 0 where that is not finite."""
        size = norm(exact[name])
        if np.isfinite(size):
            self.largest[name] = max(size, self.largest.get(name, 0.0))
        scale = self.largest.get(name, 0.0)
        difference = norm(tensors[name].astype(np.float64) - exact[name])
        return difference / scale if scale > 0 and np.isfinite(difference) else 0.0

    def run(self, tensors: Tensors, iteration: int) -> dict[str, Array]:
        """The tensors of this iteration in float64; gradients as if they had been zero before."""
        given = {n: widened(a) for n, a in tensors.items() if self.carried(n)}
        exact: dict[str, Array] = {**given, **self.shadow.batch(iteration)}
        carry_out([op for op in self.shadow.ops if op.phase in SHADOWED], exact)
        return exact

    def carried(self, name: str) -> bool:
        """Whether the shadow takes a tensor over: a parameter, or what else no op of it makes."""
        made = {n for op in self.program.ops if op.phase in SHADOWED for n in op.writes}
        return name not in made

    def found(self) -> Iterator[Found]:
        if self.first is None:
            return
        event, name, error = self.first
        worst, where = self.worst
        yield Found(
            event,
            name,
            f"{name} is off by {number(100 * error)} % against float64; the worst so far is "
            f"{where} by {number(100 * worst)} %",
            Severity.SERIOUS if worst > WRONG_DIGIT else Severity.WARNING,
            Certainty.CERTAIN,
            numbers={"error": error, "worst": worst, "worst_tensor": where},
        )


def exact_data(wide: Experiment, rounded: Dataset) -> Dataset:
    """The data before they were rounded; the rounded ones where the file has changed or is gone."""
    try:
        data = load_data(wide)
    except ExperimentError:
        data = rounded
    pairs = ((data.x, rounded.x), (data.y, rounded.y))
    if all(np.array_equal(exact.astype(old.dtype), old, equal_nan=True) for exact, old in pairs):
        x, y = widened(data.x), widened(data.y)
    else:
        x, y = widened(rounded.x), widened(rounded.y)
    return dataclasses.replace(rounded, x=x, y=y)
