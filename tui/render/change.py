"""What one op changed in a tensor, in one line."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tui.render.text.numbers import compact, count_text, shape_text
from tui.render.text.sampling import flat_slice, sample_step
from tui.view.axes import changed_bits

_CHUNK = 65_536


@dataclass(frozen=True)
class ChangeSummary:
    """How many elements have other bits than before, and the largest change.

    `max_delta` is |after - before| at `index`, NaN where a value became or ceased to be
    NaN or stayed infinite with another sign, which outranks any number; without a change `index`
    and the two values are None. `old_shape` is set where shape or dtype changed: then every
    element counts as changed. `first`: there was nothing before. `sampled`: count and maximum
    come from an even sample.
    """

    changed: int
    size: int
    max_delta: float = 0.0
    index: tuple[int, ...] | None = None
    before: float | None = None
    after: float | None = None
    old_shape: tuple[int, ...] | None = None
    first: bool = False
    sampled: bool = False


def change_summary(
    before: NDArray[Any] | None, after: NDArray[Any], limit: int = 1_048_576
) -> ChangeSummary:
    """Compare two values bit by bit; beyond `limit` elements a strided sample of that many.

    In chunks, so that no copy of a whole tensor is made. `before` None: there was nothing before.
    """
    if before is None:
        return ChangeSummary(after.size, after.size, first=True)
    if before is after:
        return ChangeSummary(0, after.size)
    if before.shape != after.shape or before.dtype != after.dtype:
        return ChangeSummary(after.size, after.size, old_shape=before.shape)
    step = sample_step(after.size, limit)
    found = ChangeSummary(0, after.size, sampled=step > 1)
    for window in _windows(after.size, step):
        found = _with_chunk(found, before, after, window)
    seen = -(-after.size // step)
    return replace(found, changed=round(found.changed * after.size / seen)) if seen else found


def _windows(size: int, step: int) -> Iterator[slice]:
    span = _CHUNK * step
    return (slice(start, min(size, start + span), step) for start in range(0, size, span))


def _with_chunk(
    found: ChangeSummary, before: NDArray[Any], after: NDArray[Any], window: slice
) -> ChangeSummary:
    old, new = flat_slice(before, window), flat_slice(after, window)
    places = np.flatnonzero(changed_bits(old, new))
    if places.size == 0:
        return found
    found = replace(found, changed=found.changed + places.size)
    with np.errstate(all="ignore"):
        deltas = np.abs(new[places].astype(np.float64) - old[places].astype(np.float64))
    top = int(np.argmax(deltas))  # NaN wins
    if found.index is not None and not _outranks(float(deltas[top]), found.max_delta):
        return found
    place = int(places[top])
    index = np.unravel_index(window.start + place * window.step, after.shape)
    return replace(
        found,
        max_delta=float(deltas[top]),
        index=tuple(int(i) for i in index),
        before=old[place].item(),
        after=new[place].item(),
    )


def _outranks(delta: float, other: float) -> bool:
    return delta > other or (math.isnan(delta) and not math.isnan(other))


def change_text(change: ChangeSummary, by: str = "this op") -> str:
    """`changed by this op: 6 of 8 cells, max |Δ| 1.204 at [0, 3]`."""
    if change.first:
        return "written for the first time"
    about = "≈" if change.sampled else ""
    if change.changed == 0:
        seen = " in the sample" if change.sampled else ""
        return f"unchanged by {by}{seen}: {count_text(change.size)} {_cells(change.size)}"
    total = f"{count_text(change.size)} {_cells(change.size)}"
    if change.old_shape is not None:
        return f"replaced by {by}: {total}, shape before {shape_text(change.old_shape)}"
    text = f"changed by {by}: {about}{count_text(change.changed)} of {total}"
    # A sample's maximum bounds the true one from below.
    delta = f", max |Δ| {'≥' if change.sampled else ''}{compact(change.max_delta)}"
    where = f" at {list(change.index)}" if change.index else ""
    return text + delta + where


def _cells(count: int) -> str:
    return "cell" if count == 1 else "cells"
