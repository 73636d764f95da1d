"""The [optimizer] table of a rule of one's own, and what it asks of the tables beside it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from engine.errors import Problem
from engine.experiment.spec import (
    LayerSpec,
    LearningSpec,
    LinesSpec,
    OptimizerSpec,
    ScheduleSpec,
)
from engine.optim.lines import COUNT, Lines, field_problem, read_lines
from engine.wording import join, shown, walk

OWN_FIELDS = ("type", "lines", "slots")
PATH = "optimizer"


def rule_of(spec: LinesSpec) -> Lines:
    """The rule that the lines of a table say; those that are wrong are left out."""
    return Lines(read_lines(spec.lines, spec.numbers)[0], spec.numbers)


def read_own_rule(raw: Mapping[str, Any], largest: float) -> tuple[LinesSpec | None, list[Problem]]:
    """The table, None when anything in it is wrong, and every problem of it.

    ``largest`` is the largest number that the experiment's dtype holds.
    """
    lines, slots = raw["lines"], raw.get("slots", {})
    fields = {name: value for name, value in sorted(raw.items()) if name not in OWN_FIELDS}
    problems = list(field_problems(fields, largest))
    if raw.get("type", LinesSpec.type) != LinesSpec.type:
        problems.append(Problem(f"{PATH}.type", "the lines are the rule: leave out the type"))
    if not isinstance(lines, str) or not lines.strip():
        problems.append(Problem(f"{PATH}.lines", f"must be lines of text, not {shown(lines)}"))
        return None, problems
    statements, wrong = read_lines(lines, fields)
    problems += (Problem(f"{PATH}.lines", str(problem)) for problem in wrong)
    if not wrong:
        problems += slot_problems(slots, Lines(statements).slots, largest)
    if problems:
        return None, problems
    numbers = {name: float(value) for name, value in fields.items()}
    return LinesSpec(lines=lines, numbers=numbers, slots=dict(slots)), []


def field_problems(fields: Mapping[str, Any], largest: float) -> Iterator[Problem]:
    """Fields that are no finite numbers, or whose names mean something else in the lines."""
    for name, value in fields.items():
        path = join(PATH, name)
        if said := field_problem(name):
            yield Problem(path, said)
        elif isinstance(value, bool) or not isinstance(value, int | float):
            yield Problem(path, f"must be a number, a name in the lines, not {shown(value)}")
        elif not is_held(value, largest):
            yield Problem(path, f"{shown(value)} is not finite, or too large")


def is_held(value: Any, largest: float) -> bool:
    """Whether a number, or a nested list of rows as long, is finite in the experiment's dtype."""
    if not all(type(one) in (int, float) for one in walk(value)):
        return False
    try:
        found = np.asarray(value, dtype=np.float64)
    except (OverflowError, ValueError):  # beyond float64; rows of different lengths
        return False
    return bool((np.abs(found) <= min(largest, np.finfo(np.float64).max)).all())


def slot_problems(slots: Any, kept: Sequence[str], largest: float) -> Iterator[Problem]:
    """First values of what is no slot, or that are no rectangle of finite numbers."""
    path = f"{PATH}.slots"
    if not isinstance(slots, Mapping):
        yield Problem(path, f"must be a table of first values, {{ v = 0.5 }}, not {shown(slots)}")
        return
    known = [name for name in kept if name != COUNT]
    for name, value in slots.items():
        place = join(path, name)
        if name not in known:
            said = "is no slot: no line reads it before it is assigned"
            yield Problem(place, f"{name} {said}; slots are {', '.join(known) or 'none'}")
            continue
        each = value.items() if isinstance(value, Mapping) else [("", value)]
        for parameter, one in each:
            if not is_held(one, largest):
                said = f"must be a number or an array of finite numbers, not {shown(one)}"
                yield Problem(join(place, parameter) if parameter else place, said)


def asked_of_rule(
    layers: Sequence[LayerSpec], optimizer: OptimizerSpec, schedule: ScheduleSpec | None
) -> Iterator[Problem]:
    """What a schedule, or a layer with numbers of its own, asks of lines that do not read it."""
    if not isinstance(optimizer, LinesSpec):
        return
    read = rule_of(optimizer).hyper
    if schedule is not None and "lr" not in read:
        said = "sets lr, and the lines of [optimizer] read no field lr"
        yield Problem("schedule", f"{said}: write lr = 0.1 there, and lr in the lines")
    for i, layer in enumerate(layers):
        if not isinstance(layer, LearningSpec):
            continue
        for name in ("lr", "weight_decay"):
            if getattr(layer, name) is not None and name not in read:
                said = f"the lines of [optimizer] read no field {name}"
                yield Problem(f"layers[{i}].{name}", said)
        if layer.decay is not None:
            said = "the lines of [optimizer] say what decays; give weight_decay = 0 here"
            yield Problem(f"layers[{i}].decay", said)
