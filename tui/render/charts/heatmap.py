"""A matrix as colours, two of its rows in one row of text, or as characters without colour.

A matrix smaller than the picture is enlarged by whole factors; of a larger one each pixel is the
average of its finite values, and a NaN or an infinity among them marks the pixel, never hidden.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tui.render.charts import palette
from tui.render.charts.palette import Rgb
from tui.render.text.numbers import compact
from tui.render.text.scaling import Floats, binary_exponent, position, scaled
from tui.view.versions import Elements

NAN_MARK, POSINF_MARK, NEGINF_MARK = "N", "^", "v"
ABOVE_MARK, BELOW_MARK = "»", "«"
MARKS = {
    NAN_MARK: "NaN",
    POSINF_MARK: "+inf",
    NEGINF_MARK: "-inf",
    ABOVE_MARK: "above",
    BELOW_MARK: "below",
}
POSITIVE_RAMP = ".:+*%#"  # from near zero to the upper limit
NEGATIVE_RAMP = ".,-~=≡"  # from near zero to the lower limit
_BUDGET = 262_144  # elements looked at for one picture
_BITS = {NAN_MARK: 1, POSINF_MARK: 2, NEGINF_MARK: 4, ABOVE_MARK: 8, BELOW_MARK: 16}


@dataclass(frozen=True)
class HeatCell:
    """One character: ▀ with the upper pixel in front and the lower behind, a mark, or a space.

    Without colours it is a character of a ramp, or a mark.
    """

    char: str
    foreground: Rgb | None
    background: Rgb | None


BLANK = HeatCell(" ", None, None)


@dataclass(frozen=True)
class Heat:
    """`cells` row by row, and what the legend must say about them.

    `low` and `high` are the values of the two ends of the palette; `diverging`: centred on zero;
    `averaged`: a pixel stands for several elements; `sampled`: not all of those were looked at;
    `clipped`: how many pixels lie outside the limits.
    """

    cells: list[list[HeatCell]]
    low: float
    high: float
    diverging: bool
    averaged: bool
    sampled: bool
    clipped: int


@dataclass(frozen=True, eq=False)
class _Pixels:
    """What each pixel shows before it is enlarged."""

    means: Floats  # NaN where no element of the pixel is finite
    marks: NDArray[np.uint8]  # which kinds of non-finite values are there
    repeats: tuple[int, int]  # enlargement down and across
    signed: bool  # some element is negative, even where no average is
    averaged: bool
    sampled: bool


@dataclass(frozen=True, eq=False)
class _Spread:
    """One axis: the elements looked at, where the groups of one pixel start, and enlargement."""

    elements: NDArray[np.intp]
    starts: NDArray[np.intp]
    repeat: int
    sampled: bool


def heat_cells(
    matrix: Elements, width: int, height: int, *, scale: tuple[float, float] | None = None
) -> Heat:
    """`height` rows of `width` cells; what the matrix does not fill is blank.

    Signed data is coloured from -m to m (blue, white at zero, orange), non-negative data from its
    minimum to its maximum (dark to bright). `scale` sets the limits instead, so that pictures
    compare; values beyond are marked and counted. Looks at a bounded number of elements.
    """
    width, height = max(0, width), max(0, height)
    pixels = _pixels(matrix, width, 2 * height)
    low, high = _limits(pixels, scale)
    stops = palette.DIVERGING if low < 0 else palette.SEQUENTIAL
    drawn = _drawn(pixels, position(pixels.means, low, high), low, high)
    pairs = [
        [(_pixel_colour(bits, level, stops), _mark(bits)) for bits, level in row] for row in drawn
    ]
    cells = [_text_row(pairs[top : top + 2], width) for top in range(0, 2 * height, 2)]
    return _heat(cells, pixels, low, high)


def ramp_cells(
    matrix: Elements, width: int, height: int, *, scale: tuple[float, float] | None = None
) -> Heat:
    """The same without colours: `.:+*%#` upwards from zero, `.,-~=≡` downwards.

    Without a negative value the ramp runs from the minimum to the maximum.
    """
    width, height = max(0, width), max(0, height)
    pixels = _pixels(matrix, width, height)
    low, high = _limits(pixels, scale)
    levels = position(pixels.means, low, high)
    drawn = _drawn(pixels, 2 * levels - 1 if low < 0 else levels, low, high)
    rows = [[HeatCell(_mark(bits) or _ramp_char(at), None, None) for bits, at in r] for r in drawn]
    rows += [[]] * (height - len(rows))
    return _heat([row + [BLANK] * (width - len(row)) for row in rows], pixels, low, high)


def _heat(cells: list[list[HeatCell]], pixels: "_Pixels", low: float, high: float) -> Heat:
    with np.errstate(invalid="ignore"):
        clipped = int(np.count_nonzero((pixels.means < low) | (pixels.means > high)))
    return Heat(cells, low, high, low < 0, pixels.averaged, pixels.sampled, clipped)


def legend_text(heat: Heat) -> str:
    """The limits of the colours and all that the picture leaves out."""
    notes = [f"{compact(heat.low)} … {compact(heat.high)}"]
    if heat.diverging:
        notes.append("white is 0")
    if heat.averaged:
        notes.append("averages of a sample" if heat.sampled else "averages")
    if heat.clipped:
        notes.append(f"{heat.clipped} beyond the limits")
    return ", ".join(notes)


def ramp_text(matrix: Elements, width: int, height: int) -> list[str]:
    """The picture of `ramp_cells` as `height` strings of `width` characters."""
    return ["".join(cell.char for cell in row) for row in ramp_cells(matrix, width, height).cells]


def _ramp_char(level: float) -> str:
    if math.isnan(level):
        return " "
    ramp = POSITIVE_RAMP if level >= 0 else NEGATIVE_RAMP
    return ramp[min(len(ramp) - 1, math.floor(abs(level) * len(ramp)))]


def _spread(length: int, pixels: int, samples: int) -> _Spread:
    """Elements for each pixel of one axis, at most `samples` for one, spread over its block."""
    groups = min(length, pixels)
    if groups == 0:
        none = np.zeros(0, dtype=np.intp)
        return _Spread(none, none, 1, sampled=False)
    edges = [i * length // groups for i in range(groups + 1)]
    counts = [min(samples, b - a) for a, b in pairwise(edges)]
    elements = [
        edges[g] + np.arange(n, dtype=np.intp) * (edges[g + 1] - edges[g]) // n
        for g, n in enumerate(counts)
    ]
    starts = np.cumsum([0, *counts[:-1]], dtype=np.intp)
    return _Spread(np.concatenate(elements), starts, pixels // groups, sum(counts) < length)


def _samples(rows: int, cols: int, pixel_rows: int, pixel_cols: int) -> tuple[int, int]:
    """Elements per pixel along each axis so that all pixels together stay within the budget."""
    groups = max(1, min(rows, pixel_rows)) * max(1, min(cols, pixel_cols))
    if rows * cols <= _BUDGET:
        return max(1, rows), max(1, cols)
    share = max(1, _BUDGET // groups)
    across = max(1, min(-(-cols // max(1, pixel_cols)), math.isqrt(share)))
    down = max(1, min(-(-rows // max(1, pixel_rows)), share // across))
    return down, max(1, min(-(-cols // max(1, pixel_cols)), share // down))


def _pixels(matrix: Elements, width: int, height: int) -> _Pixels:
    samples = _samples(matrix.shape[0], matrix.shape[1], height, width)
    down = _spread(matrix.shape[0], height, samples[0])
    across = _spread(matrix.shape[1], width, samples[1])
    if down.starts.size == 0 or across.starts.size == 0:
        nothing = np.zeros((0, 0), dtype=np.uint8)
        return _Pixels(np.zeros((0, 0)), nothing, (1, 1), False, False, False)
    taken = matrix[np.ix_(down.elements, across.elements)].astype(np.float64)
    shape = (down.starts.size, across.starts.size)
    return _Pixels(
        _means(taken, down, across),
        _marks(taken, down, across),
        repeats=(down.repeat, across.repeat),
        signed=bool((taken[np.isfinite(taken)] < 0).any()),
        averaged=shape != matrix.shape,
        sampled=down.sampled or across.sampled,
    )


def _enlarged(values: NDArray[Any], pixels: _Pixels) -> list[list[Any]]:
    down, across = pixels.repeats
    enlarged: list[list[Any]] = values.repeat(down, axis=0).repeat(across, axis=1).tolist()
    return enlarged


def _reduced(ufunc: np.ufunc, values: NDArray[Any], down: _Spread, across: _Spread) -> Any:
    return ufunc.reduceat(ufunc.reduceat(values, down.starts, axis=0), across.starts, axis=1)


def _means(taken: Floats, down: _Spread, across: _Spread) -> Floats:
    finite = np.isfinite(taken)
    kept = np.where(finite, taken, 0.0)
    exponent = binary_exponent(kept)
    totals = _reduced(np.add, scaled(kept, exponent), down, across)
    counts = _reduced(np.add, finite.astype(np.intp), down, across)
    means = np.divide(totals, counts, out=np.full(totals.shape, np.nan), where=counts > 0)
    return np.asarray(np.ldexp(means, exponent))


def _marks(taken: Floats, down: _Spread, across: _Spread) -> NDArray[np.uint8]:
    bits = np.isnan(taken) * _BITS[NAN_MARK]
    bits = bits + np.isposinf(taken) * _BITS[POSINF_MARK] + np.isneginf(taken) * _BITS[NEGINF_MARK]
    return np.asarray(_reduced(np.bitwise_or, np.asarray(bits, dtype=np.uint8), down, across))


def _limits(pixels: _Pixels, scale: tuple[float, float] | None) -> tuple[float, float]:
    finite = pixels.means[np.isfinite(pixels.means)]
    if scale is not None and all(math.isfinite(limit) for limit in scale):
        low, high = sorted(scale)
        signed = low < 0
    elif finite.size:
        low, high, signed = float(finite.min()), float(finite.max()), pixels.signed
    else:
        return 0.0, 0.0
    if signed:
        high = max(-low, high)
        return -high, high
    return (0.0, high) if low == high else (low, high)


def _drawn(
    pixels: _Pixels, levels: Floats, low: float, high: float
) -> list[list[tuple[int, float]]]:
    """(marks, level) of every enlarged pixel."""
    with np.errstate(invalid="ignore"):
        above = (pixels.means > high) * _BITS[ABOVE_MARK]
        below = (pixels.means < low) * _BITS[BELOW_MARK]
    marks = pixels.marks + above + below
    rows = zip(_enlarged(marks, pixels), _enlarged(levels, pixels), strict=True)
    return [list(zip(bits, places, strict=True)) for bits, places in rows]


def _pixel_colour(bits: int, level: float, stops: tuple[Rgb, ...]) -> Rgb:
    if bits & _BITS[NAN_MARK]:
        return palette.NOT_A_NUMBER
    if bits & (_BITS[POSINF_MARK] | _BITS[NEGINF_MARK]):
        return palette.INFINITE
    return palette.colour(stops, level)


def _mark(bits: int) -> str:
    return next((mark for mark, bit in _BITS.items() if bits & bit), "") if bits else ""


def _text_row(pairs: list[list[tuple[Rgb, str]]], width: int) -> list[HeatCell]:
    """One row of text from the (colour, mark) of two rows of pixels, of one, or of none."""
    cells = [_cell(list(pixels)) for pixels in zip(*pairs, strict=True)]
    return cells + [BLANK] * (width - len(cells))


def _cell(pixels: list[tuple[Rgb, str]]) -> HeatCell:
    """A mark takes the whole cell, the first of `MARKS` that one of the two pixels has."""
    marked = [pixel for pixel in pixels if pixel[1]]
    if marked:
        colour, mark = min(marked, key=lambda pixel: list(MARKS).index(pixel[1]))
        return HeatCell(mark, palette.contrasting(colour), colour)
    return HeatCell("▀", pixels[0][0], pixels[1][0] if len(pixels) == 2 else None)
