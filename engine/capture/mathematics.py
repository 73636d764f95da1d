"""Captured ops computed again: those whose function is known here and whose operands were kept."""

from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from engine.arrays import Array
from engine.capture.captured import CapturedRun
from engine.capture.definitions import ENTERS
from engine.capture.known import KNOWN, Unknown, magnitude, viewed
from engine.capture.messages import OpDefinition
from engine.run.position_text import format_position

EPS: Final = {"float64": 2.0**-52, "float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}
ROUNDINGS: Final = 256.0  # of the last digit of the terms: what sums in another order differ by
MOST_ELEMENTS: Final = 2**24  # of the operands of an op that is computed again


@dataclass(frozen=True)
class Wrong:
    """A result that is not what its operands make: event, tensor, index and both values."""

    event: int
    position: str
    op: str
    tensor: str
    index: tuple[int, ...]
    captured: float
    computed: float


@dataclass
class Checked:
    """How many ops were computed again, of how many; why not the others, by function."""

    ops: int = 0
    checked: int = 0
    unknown: Counter[str] = field(default_factory=Counter)
    not_kept: int = 0
    wrong: list[Wrong] = field(default_factory=list)


MOST_WRONG: Final = 10


def check(run: CapturedRun, iterations: int) -> Generator[int, None, Checked]:
    """Compute what can be; yields the iterations done, returns what was found."""
    found = Checked()
    for iteration in range(min(iterations, run.timeline.iterations)):
        numbers = run.stored.shapes[run.stored.index[iteration].shape].ops
        facts = run.stored.facts(iteration)
        begin = run.timeline.begin(iteration)
        for place, number in enumerate(numbers):
            if number >= ENTERS:
                continue
            found.ops += 1
            op = run.stored.ops[number]
            arguments = dict(op.attributes or {}) | facts.get(place, {})
            check_op(run, op, arguments, begin + place, found)
        yield iteration + 1
    return found


def check_op(
    run: CapturedRun, op: OpDefinition, arguments: dict[str, Any], event: int, found: Checked
) -> None:
    """Compute one op again, if that can be."""
    if op.kind not in KNOWN or not op.writes:
        found.unknown[op.kind] += 1
        return
    tensor = run.stored.tensors[op.writes[0]]
    if tensor.dtype not in EPS:
        found.unknown[op.kind] += 1
        return
    operands = operands_of(run, op, event)
    result = run.places.at(run.places.locate(event + 1, tensor.name))
    if operands is None or result is None:
        found.not_kept += 1
        return
    try:
        wide = [viewed(one, view) for one, view in zip(operands, views_of(op), strict=True)]
        wide = [one.astype(np.float64) if one.dtype.kind == "f" else one for one in wide]
        with np.errstate(all="ignore"):
            computed = KNOWN[op.kind](wide, arguments)
            size = magnitude(op.kind, wide, computed)
    except (Unknown, ValueError, IndexError, KeyError, TypeError):
        found.unknown[op.kind] += 1
        return
    if computed.shape != result.shape:
        found.unknown[op.kind] += 1
        return
    found.checked += 1
    at = first_wrong(result, computed, size, EPS[tensor.dtype])
    if at is not None and len(found.wrong) < MOST_WRONG:
        index = tuple(int(i) for i in np.unravel_index(at, result.shape))
        pair = float(result.reshape(-1)[at]), float(computed.reshape(-1)[at])
        place, text = format_position(run, event), run.timeline.op(event).formula
        found.wrong.append(Wrong(event, place, text, tensor.name, index, *pair))


def views_of(op: OpDefinition) -> tuple[str, ...]:
    """The views through which an op has read each of its operands."""
    return op.views if len(op.views) == len(op.reads) else ("",) * len(op.reads)


def operands_of(run: CapturedRun, op: OpDefinition, event: int) -> list[Array] | None:
    """The operands as they were before an op; None where one was not kept, or is too large."""
    tensors = [run.stored.tensors[number] for number in op.reads]
    if sum(one.elements for one in tensors) > MOST_ELEMENTS:
        return None
    found = []
    for tensor in tensors:
        array = run.places.at(run.places.locate(event, tensor.name))
        if array is None or array.shape != tensor.shape:
            return None
        found.append(array)
    return found


def first_wrong(result: Array, computed: Array, size: Array, eps: float) -> int | None:
    """The first element that is further off than rounding may be; None where there is none."""
    with np.errstate(all="ignore"):
        off = np.abs(result.astype(np.float64) - computed) > ROUNDINGS * eps * size
        # What is not finite is right where it is the same; an overflow of float32 is none of ours.
        odd = ~np.isfinite(result) | ~np.isfinite(computed)
        off = np.where(odd, np.isnan(result) != np.isnan(computed), off)
    flat = off.reshape(-1)
    return int(np.argmax(flat)) if flat.any() else None
