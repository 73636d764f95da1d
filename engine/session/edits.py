"""What an edit makes of a tensor, and which edits are refused."""

import math
import operator
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from engine.arrays import Array, frozen
from engine.errors import GradstepError
from engine.expressions.expression import ExpressionError
from engine.functions.language import compile_expression
from engine.program.update import NORM
from engine.run.op import CLOCK, Op, TensorInfo
from engine.run.phases import NEEDS, Phase
from engine.run.run import Run
from engine.run.timeline import Listing
from engine.session.journal import Edit, Entered, Index, Journal, Skip
from engine.wording import BOUNDS, suggestion

WITHIN = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
SLICE = re.compile(r"([+-]?\d{1,18})?\s*:\s*([+-]?\d{1,18})?(?:\s*:\s*([+-]?\d{1,18})?)?", re.ASCII)


def tensor_info(name: str, run: Run) -> TensorInfo:
    """What is known of a tensor by its name or alias; a GradstepError suggests the right one."""
    info = run.tensors.get(run.resolve(name))
    if info is None:
        raise GradstepError(f"no tensor {name!r}{suggestion(name, run.tensors)}")
    return info


def edited_tensor(edit: Edit, run: Run, tensors: Mapping[str, Array]) -> tuple[str, Array]:
    """The tensor's own name and what the edit makes of it, of the same shape and dtype.

    The old array stays as it is. Raises GradstepError for an unknown tensor, an index outside, and
    a value that is none, does not fit, or that the tensor cannot hold.
    """
    info = tensor_info(edit.target, run)
    current = tensors.get(info.name)
    if current is None and edit.index:
        raise GradstepError(f"{info.name} is not computed yet: an element of it cannot be set")
    base = np.zeros(info.shape, info.dtype) if current is None else current
    index = numpy_index(edit.index)
    try:
        part = base[index]
    except IndexError as problem:
        raise GradstepError(f"{info.name} has shape {base.shape}: {problem}") from None
    if edit.index and np.size(part) == 0:
        raise GradstepError(f"{info.name} has shape {base.shape}: the index selects nothing")
    value = entered(edit.value, run, tensors)
    if value.shape not in ((), np.shape(part)):
        where = f"{info.name}{list(edit.index) if edit.index else ''}"
        raise GradstepError(f"{where} has shape {np.shape(part)}, the value has {value.shape}")
    check_value(value, base, info)
    result = base.copy()
    with np.errstate(all="ignore"):  # a value may be too large for float32: it becomes infinite
        result[index] = value
    return info.name, frozen(result)


def numpy_index(index: Index) -> Any:
    """An index as NumPy takes it; empty is everything. GradstepError for a slice that is none."""
    return tuple(i if isinstance(i, int) else parse_slice(i) for i in index) or ...


def parse_slice(text: str) -> slice:
    """A slice as it is written, ``1:3`` or ``:``; a GradstepError for anything else."""
    match = SLICE.fullmatch(text.strip())
    if match is None or (match[3] and int(match[3]) == 0):  # a step of 0, also as -0 and 00
        raise GradstepError(f"index {text!r}: an index has whole numbers and slices, [0, 1:3]")
    return slice(*(None if part is None else int(part) for part in match.groups()))


def parse_index(text: str) -> Index:
    """The index inside brackets, ``0, 1:3``; a GradstepError where a part is none."""
    parts = [part.strip() for part in text.split(",")]
    whole = [re.fullmatch(r"[+-]?\d{1,18}", part, re.ASCII) for part in parts]
    for part, match in zip(parts, whole, strict=True):
        if match is None:
            parse_slice(part)
    return tuple(int(p) if match else p for p, match in zip(parts, whole, strict=True))


def entered(value: Entered, run: Run, tensors: Mapping[str, Array]) -> Array:
    """A number, nested list or expression as an array of numbers.

    Raises GradstepError for an expression without a value, a ragged list, or one of other things.
    """
    if isinstance(value, str):
        try:
            expression = compile_expression(value, visible_names(run))
            result = expression.evaluate(lambda name: tensors.get(run.resolve(name)))
        except ExpressionError as problem:
            raise GradstepError(str(problem)) from problem
        return np.asarray(result)
    try:
        array = np.asarray(value)
    except ValueError:
        raise GradstepError("the rows of the value have different lengths") from None
    if array.dtype.kind not in "biuf":
        raise GradstepError(f"the value must be numbers, not {value!r:.40}")
    return array


def visible_names(run: Run) -> Collection[str]:
    """Every name an expression may use: the tensors and their aliases."""
    return [*run.tensors, *run.aliases]


def check_value(value: Array, base: Array, info: TensorInfo) -> None:
    """Raise GradstepError for a value that the tensor cannot hold.

    Hyper-parameters are finite and within the limits of a file, iterations count from 1, classes
    are whole and below their number.
    """
    if info.role == "hyper" and not math.isfinite(float(value)):
        raise GradstepError(f"{info.name} must be a finite number, not {float(value)}")
    for sign, limit in info.domain:
        if not WITHIN[sign](float(value), limit):
            bound = BOUNDS[sign].format(f"{limit:g}")
            raise GradstepError(f"{info.name}: must be a number {bound}, not {float(value):g}")
    if info.name == CLOCK and not (value == np.floor(value) and value >= 1):
        raise GradstepError(f"{info.name} must be a whole number from 1, not {float(value):g}")
    if base.dtype.kind in "iu":
        classes = info.classes
        with np.errstate(all="ignore"):
            whole = np.isfinite(value).all() and (value == np.floor(value)).all()
        if not whole or (value < 0).any() or (classes is not None and (value >= classes).any()):
            below = "" if classes is None else f" below {classes}"
            raise GradstepError(f"{info.name} holds class indices: whole numbers{below}")


def skip_entries(
    run: Run, journal: Journal, event: int, targets: Sequence[str], always: bool
) -> tuple[Skip, ...]:
    """The entries that leave out these targets; a GradstepError says what cannot be left out."""
    timeline = run.timeline
    iteration = timeline.iteration(event)
    listing, over = timeline.listing(iteration), event >= timeline.end
    begin = event if over else timeline.begin(iteration)
    end = begin + len(listing)
    for target in targets:
        found = skippable(listing, target)
        if not always and all(op.index < event - begin for op in found):
            raise GradstepError(
                f"{target} has already run in this iteration: go back, or skip it always"
            )
    skips = tuple(Skip(event, target, None if always else end) for target in targets)
    # Checked together with the skips there are: backward may be left out already.
    left_out = (*journal.skips, *skips)
    for phase in listing.phases():
        for need in NEEDS[phase]:
            lacks = any(s.target == need for s in skips)
            if lacks and not any(
                s.target == phase and contains(s, event, None if always else end) for s in left_out
            ):
                raise GradstepError(
                    f"{phase} needs {need}: skip {phase} too, `skip {need} {phase}`"
                )
    return skips


def contains(skip: Skip, start: int, end: int | None) -> bool:
    """Whether a skip covers a whole span."""
    return skip.event <= start and (skip.end is None or (end is not None and end <= skip.end))


def skippable(listing: Listing, target: str) -> list[Op]:
    """The ops of a target: a phase, or one op as ``phase:name``.

    Raises GradstepError where there is none, or another op of its phase needs its result.
    """
    phase, _, name = target.partition(":")
    found = [op for op in listing.ops if op.phase == phase and name in ("", op.name)]
    if not found:
        known = listing.phases()
        raise GradstepError(
            f"nothing to skip called {target!r}{suggestion(target, known)}: "
            f"phases are {', '.join(known)}; one op is written update:linear1.weight"
        )
    free = phase in (Phase.ZERO_GRAD, Phase.UPDATE) or found[0].adds
    free = free and name != NORM  # the factor that the clipping after it multiplies with
    if name and not free:
        raise GradstepError(f"{name} is needed by the next op of {phase}: skip the whole phase")
    return found


def unskipped(journal: Journal, event: int, target: str) -> Journal:
    """The journal in which skips of a target end at an event.

    Raises GradstepError where it is not skipped there, or needs a phase that is.
    """
    open_ = [s for s in journal.skips if s.target == target and contains(s, event, event + 1)]
    if not open_:
        skipped = ", ".join(
            sorted({s.target for s in journal.skips if contains(s, event, event + 1)})
        )
        raise GradstepError(f"{target} is not skipped here; skipped are: {skipped or 'none'}")
    if target in list(Phase):
        needed = [need for need in NEEDS[Phase(target)] if journal.skipped(need, "", event)]
        if needed:
            raise GradstepError(f"{target} needs {needed[0]}, which is skipped: unskip it first")
    return Journal(
        tuple(replace(entry, end=event) if entry in open_ else entry for entry in journal)
    )
