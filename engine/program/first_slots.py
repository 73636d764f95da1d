"""What the slots of a rule in lines begin with, and whether the lines fit the parameters."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from engine.arrays import Array, Shape, frozen
from engine.errors import Problem
from engine.experiment.failing import failed
from engine.experiment.spec import Experiment, LinesSpec
from engine.optim.lines import Lines, shape_problem
from engine.optim.optimizers import Optimizer
from engine.program.learned import Learned

PATH = "optimizer.slots"


def first_slots(
    experiment: Experiment, rule: Optimizer, moved: Sequence[Learned]
) -> dict[str, Array]:
    """The slots before the first update, by tensor.

    There are none for a rule of the table: its slots begin with the first update. Raises
    ExperimentError where the lines, or the first values, do not fit the shapes of the parameters.
    """
    spec = experiment.optimizer
    if not isinstance(spec, LinesSpec) or not isinstance(rule, Lines):
        return {}
    problems = [*line_problems(rule, moved, experiment.dtype), *value_problems(spec, moved)]
    if problems:
        raise failed(experiment, problems)
    return {
        f"{one.name}.{slot}": beginning(given(spec, slot, one), shape, experiment.dtype)
        for one in moved
        for slot in rule.slots
        for shape in [rule.shape_of(slot, one.shape)]
    }


def line_problems(rule: Lines, moved: Sequence[Learned], dtype: str) -> Iterator[Problem]:
    """Lines whose results have not the shape of a parameter; of equal shapes the first is named."""
    first: dict[Shape, Learned] = {}
    for one in moved:
        first.setdefault(one.shape, one)
    for shape, one in first.items():
        if (problem := shape_problem(rule, shape, dtype)) is not None:
            yield Problem("optimizer.lines", f"{problem} (for {one.name})")


def value_problems(spec: LinesSpec, moved: Sequence[Learned]) -> Iterator[Problem]:
    """First values that do not broadcast to their parameter, or are of none that is moved."""
    names = [one.name for one in moved]
    for slot, value in spec.slots.items():
        for name in value if isinstance(value, Mapping) else ():
            if name not in names:
                said = f"no parameter that is moved; these are {', '.join(names)}"
                yield Problem(f"{PATH}.{slot}", f"{name} is {said}")
        for one in moved:
            shape = np.shape(given(spec, slot, one))
            if not fits(shape, one.shape):
                said = f"shape {shape} does not broadcast to {one.shape}, that of {one.name}"
                yield Problem(f"{PATH}.{slot}", said)


def given(spec: LinesSpec, slot: str, one: Learned) -> Array:
    """The first value of a slot of a parameter as the file has it; 0 where it has none."""
    value = spec.slots.get(slot, 0.0)
    return np.asarray(value.get(one.name, 0.0) if isinstance(value, Mapping) else value, np.float64)


def fits(shape: Shape, wanted: Shape) -> bool:
    """Whether an array of this shape broadcasts to exactly the shape that is wanted."""
    ends = zip(reversed(shape), reversed(wanted), strict=False)
    return len(shape) <= len(wanted) and all(a in (1, b) for a, b in ends)


def beginning(value: Array, shape: Shape, dtype: str) -> Array:
    """A first value in full, of its own memory and read-only."""
    return frozen(np.broadcast_to(value.astype(dtype), shape).copy())
