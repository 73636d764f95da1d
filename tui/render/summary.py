"""What a tensor holds, in one line: range, distribution, mean, and counts of special values."""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tui.render.text.line import Line, Span, fitted, width_of
from tui.render.text.numbers import compact, count_text
from tui.render.text.sampling import sample
from tui.render.text.scaling import scaled
from tui.view.versions import difference

FEW = 32  # elements below which a histogram says nothing that the numbers do not
BINS = 12  # of a histogram: two to a cell
# The dots of a column of a braille character, from the bottom: left and right.
DOTS = ((0x40, 0x04, 0x02, 0x01), (0x80, 0x20, 0x10, 0x08))
BRAILLE = 0x2800


@dataclass(frozen=True)
class Summary:
    """Statistics of a tensor; range, mean, standard deviation and histogram of its finite values.

    Those are NaN where no value is finite. `std` is the population's (divisor n). The histogram
    has bins of equal width from minimum to maximum; a constant tensor fills the middle one.
    Where `sampled`, all of it comes from a sample and counts are scaled to the whole.
    """

    size: int
    minimum: float
    maximum: float
    mean: float
    std: float
    nan: int
    posinf: int
    neginf: int
    zeros: int
    histogram: tuple[int, ...]
    sampled: bool


def summarize(array: NDArray[Any], bins: int = BINS, limit: int = 262_144) -> Summary:
    """The summary of an array of booleans, integers or floats of any shape.

    Exact up to `limit` elements; beyond, from an evenly strided sample of at most `limit`.
    """
    taken = array.reshape(-1) if array.size <= limit else sample(array, limit)
    return _summary(taken, array.size, bins)


def summarize_difference(
    after: NDArray[Any], before: NDArray[Any], bins: int = BINS, limit: int = 262_144
) -> Summary:
    """The summary of ``after − before`` of two arrays of one shape and type, sampled alike."""
    return _summary(difference(sample(after, limit), sample(before, limit)), after.size, bins)


def _summary(taken: NDArray[Any], size: int, bins: int) -> Summary:
    """The summary of an array of ``size`` elements, from those that are taken of it."""
    factor = size / taken.size if taken.size else 1.0
    if taken.dtype.kind == "f" and np.isfinite(taken).all():  # as a rule, and cheap to know
        finite = taken.astype(np.float64)
        nan = posinf = neginf = 0
    elif taken.dtype.kind == "f":
        wide = taken.astype(np.float64)
        finite = wide[np.isfinite(wide)]
        special = (np.isnan(wide), np.isposinf(wide), np.isneginf(wide))
        nan, posinf, neginf = (_count(mask, factor) for mask in special)
    else:
        finite = taken.astype(np.int8) if taken.dtype.kind == "b" else taken
        nan = posinf = neginf = 0
    low, high, mean, std, histogram = _shape(finite, bins)
    return Summary(
        size=size,
        minimum=low,
        maximum=high,
        mean=mean,
        std=std,
        nan=nan,
        posinf=posinf,
        neginf=neginf,
        zeros=_count(finite == 0, factor),
        histogram=tuple(round(n * factor) for n in histogram),
        sampled=taken.size < size,
    )


def _count(mask: NDArray[np.bool_], factor: float) -> int:
    return round(int(np.count_nonzero(mask)) * factor)


def _shape(finite: NDArray[Any], bins: int) -> tuple[float, float, float, float, list[int]]:
    """Minimum, maximum, mean, standard deviation, histogram.

    One scaled copy serves them all, and is changed in place: many tensors are summed up at a key.
    """
    if finite.size == 0:
        return math.nan, math.nan, math.nan, math.nan, [0] * max(0, bins)
    low, high = finite.min().item(), finite.max().item()
    exponent = math.frexp(max(abs(float(low)), abs(float(high))))[1]
    unit = scaled(finite, exponent)
    histogram = _histogram(unit, math.ldexp(low, -exponent), math.ldexp(high, -exponent), bins)
    with np.errstate(all="ignore"):
        middle = float(unit.mean())
        unit -= middle
        unit *= unit
        std = math.sqrt(float(unit.mean()))
    # The mean of equal numbers may round to a neighbour of theirs.
    mean = float(min(max(math.ldexp(middle, exponent), low), high))
    return low, high, mean, 0.0 if low == high else math.ldexp(std, exponent), histogram


def _histogram(unit: NDArray[np.float64], low: float, high: float, bins: int) -> list[int]:
    if bins <= 0:
        return []
    if low == high:
        return [unit.size if i == bins // 2 else 0 for i in range(bins)]
    where = unit - low
    where /= high - low
    where *= bins
    index = where.astype(np.intp)
    np.minimum(index, bins - 1, out=index)
    return [int(count) for count in np.bincount(index, minlength=bins)]


def spark(histogram: Sequence[int]) -> str:
    """Thin columns, two bins a cell, the fullest four dots high; one that is not empty has a dot.

    Columns of dots do not touch those of the line above, whatever they show.
    """
    top = max(histogram, default=0)
    levels = [-(-count * len(DOTS[0]) // top) if top else 0 for count in histogram]
    text = ""
    for left in range(0, len(levels), 2):
        pair = zip(DOTS, levels[left : left + 2], strict=False)
        bits = sum(sum(dots[:level]) for dots, level in pair)
        text += chr(BRAILLE + bits) if bits else " "
    return text


def shown_mean(summary: Summary) -> float:
    """The mean, or 0 where it is less than the rounding of the largest element."""
    largest = max(abs(summary.minimum), abs(summary.maximum))
    return 0.0 if abs(summary.mean) <= largest * sys.float_info.epsilon else summary.mean


def summary_text(summary: Summary, width: int) -> str:
    """The summary in at most `width` characters, as :func:`summary_line` has it."""
    return "".join(text for text, _ in summary_line(summary, width))


def summary_line(summary: Summary, width: int) -> Line:
    """The summary in at most `width` cells; what matters least goes first, NaN goes last.

    `≈` leads where the numbers come from a sample.
    """
    parts = _parts(summary)
    line = _joined(parts, summary.sampled)
    while width_of(line) > width and len({rank for rank, _ in parts}) > 1:
        least = max(rank for rank, _ in parts)
        parts = [part for part in parts if part[0] != least]
        line = _joined(parts, summary.sampled)
    return line if width_of(line) <= width else fitted(line, width)


def _joined(parts: list[tuple[int, Span]], sampled: bool) -> Line:
    line: Line = [span for _, span in parts]
    if line:
        line[0] = (line[0][0].lstrip(), line[0][1])
    return [("≈ ", ""), *line] if sampled else line


def _parts(summary: Summary) -> list[tuple[int, Span]]:
    """(rank, span with the gap before it) in the order of reading; rank 0 is never left out."""
    if summary.size == 0:
        return [(0, ("empty", ""))]
    specials = ((summary.nan, "NaN"), (summary.posinf, "+inf"), (summary.neginf, "-inf"))
    bad = [(0, (f"  {count_text(n)} {name}", "")) for n, name in specials if n]
    if math.isnan(summary.minimum):
        return [(0, ("no finite value", "")), *bad]
    if summary.minimum == summary.maximum and not bad:
        name = "value" if summary.size == 1 else "all"
        return [(0, (f"{name} {compact(summary.minimum)}", ""))]
    none = [] if summary.nan else [(6, ("  0 NaN", ""))]
    many = summary.size >= FEW
    histogram = [(3, (f" {spark(summary.histogram)}", "histogram"))] if many else []
    return [
        (1, (f"min {compact(summary.minimum)}", "")),
        *histogram,
        (1, (f" max {compact(summary.maximum)}", "")),
        (2, (f"  mean {compact(shown_mean(summary))}", "")),
        (4, (f" ± {compact(summary.std)}", "")),
        *none,
        *bad,
        (5, (f"  {count_text(summary.zeros)} zero", "")),
    ]
