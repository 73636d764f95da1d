"""Decision regions as half-block cells with the data on them, or as characters without colour.

Without colour the two sides of a decision have characters of their own, and a line between them.
"""

import math

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Array
from engine.measure.regions import Regions
from tui.render.charts import palette
from tui.render.charts.heatmap import HeatCell
from tui.render.charts.palette import Rgb
from tui.render.charts.plot import SYMBOLS
from tui.render.text.line import Line
from tui.render.text.numbers import compact
from tui.render.text.scaling import Floats, position

RAMP = " .:-=+*%#"  # from the smallest answer to the largest
BELOW, ABOVE = " .:-", "+*%#"  # the same on the two sides of a decision
LETTERS = ".+:#-*=%"  # one for each class, then again
EDGE = "▒"  # where the answer becomes another one
LABELS = 8
MIDDLE = 0.5  # the share at which the decision changes
MANY = 400  # points beyond which only a sample of the data is drawn
Cells = list[list[HeatCell]]


def region_cells(
    found: Regions, data: Array, labels: Array | None, width: int, height: int, colour: bool
) -> Cells:
    """``height`` rows of ``width`` cells with the data as the symbols of their classes."""
    if width <= 0 or height <= 0:
        return [[] for _ in range(max(0, height))]
    levels = shares(found)
    if colour:
        pixels = enlarged(levels, width, 2 * height)
        cells = [
            [
                HeatCell("▀", colour_of(found, top), colour_of(found, bottom))
                for top, bottom in zip(pixels[2 * y], pixels[2 * y + 1], strict=True)
            ]
            for y in range(height)
        ]
    else:
        pixels = enlarged(levels, width, height)
        cells = [[HeatCell(char, None, None) for char in row] for row in letters(found, pixels)]
    for x, y, symbol in points(found, data, labels, width, height):
        ground = cells[y][x].background
        cells[y][x] = HeatCell(symbol, ground and palette.contrasting(ground), ground)
    return cells


def shares(found: Regions) -> Floats:
    """Answers scaled to 0 … 1, ½ where the decision changes; classes as their numbers."""
    if found.classes:
        return np.asarray(found.answers, np.float64)
    finite = found.answers[np.isfinite(found.answers)]
    if finite.size == 0:
        return np.asarray(found.answers, np.float64)
    low, high = float(finite.min()), float(finite.max())
    if found.threshold is not None:
        reach = max(abs(low - found.threshold), abs(high - found.threshold), found.threshold)
        low, high = found.threshold - reach, found.threshold + reach
    return position(found.answers, low, high)


def enlarged(values: Floats, width: int, height: int) -> Floats:
    """A coarse grid as ``height`` × ``width`` pixels, each with the answer of its block."""
    rows = np.arange(height) * values.shape[0] // height
    cols = np.arange(width) * values.shape[1] // width
    return values[np.ix_(rows, cols)]


def colour_of(found: Regions, level: float) -> Rgb:
    """The colour of a share, or of a class."""
    if math.isnan(level):
        return palette.NOT_A_NUMBER
    if found.classes:
        return palette.CLASSES[int(level) % len(palette.CLASSES)]
    stops = palette.SEQUENTIAL if found.threshold is None else palette.DIVERGING
    return palette.colour(stops, level)


def letters(found: Regions, levels: Floats) -> list[list[str]]:
    """The characters of shares, with EDGE between different decisions."""
    edges = boundary(found, levels).tolist()
    return [
        [EDGE if edge else letter(found, level) for level, edge in zip(row, line, strict=True)]
        for row, line in zip(levels.tolist(), edges, strict=True)
    ]


def letter(found: Regions, level: float) -> str:
    """The character of a share, or of a class; N for NaN."""
    if math.isnan(level):
        return "N"
    if found.classes:
        return LETTERS[int(level) % len(LETTERS)]
    inside = min(max(level, 0.0), 1.0)  # also of an infinite answer
    if found.threshold is None:
        return step_of(RAMP, inside)
    return step_of(ABOVE, 2 * inside - 1) if inside > MIDDLE else step_of(BELOW, 2 * inside)


def step_of(ramp: str, share: float) -> str:
    """The character of a ramp for a share between 0 and 1."""
    return ramp[min(len(ramp) - 1, math.floor(share * len(ramp)))]


def boundary(found: Regions, levels: Floats) -> NDArray[np.bool_]:
    """The cells whose right or lower neighbour is decided otherwise; none without a decision."""
    edges = np.zeros(levels.shape, np.bool_)
    if not found.classes and found.threshold is None:
        return edges
    decided = np.where(np.isnan(levels), -1.0, levels if found.classes else levels > MIDDLE)
    edges[:, :-1] |= decided[:, :-1] != decided[:, 1:]
    edges[:-1] |= decided[:-1] != decided[1:]
    return edges


def points(
    found: Regions, data: Array, labels: Array | None, width: int, height: int
) -> list[tuple[int, int, str]]:
    """(column, line, symbol of the class) of the data, at most MANY of them, that are finite."""
    step = max(1, -(-len(data) // MANY))
    kinds = np.zeros(len(data), np.int64) if labels is None else labels.astype(np.int64)
    taken = [
        (row, kind)
        for row, kind in zip(data[::step], kinds[::step], strict=True)
        if np.isfinite(row).all()
    ]
    return [
        (
            place(float(row[0]), found.x, width),
            height - 1 - place(float(row[1]), found.y, height),
            SYMBOLS[int(kind) % len(SYMBOLS)],
        )
        for row, kind in taken
    ]


def place(value: float, limits: tuple[float, float], cells: int) -> int:
    """The cell in which a value between ``limits`` lies; the nearest for one outside."""
    low, high = limits
    return max(0, min(cells - 1, math.floor((value - low) / (high - low) * cells)))


def cells_text(cells: Cells) -> list[str]:
    """The rows as strings, without the colours."""
    return ["".join(cell.char for cell in row) for row in cells]


def region_legend(found: Regions, labels: Array | None, colour: bool = True) -> Line:
    """What the symbols and the colours, or the characters, mean."""
    line: Line = []
    if labels is not None:
        kinds = [int(kind) for kind in np.unique(labels)[: len(SYMBOLS)]]
        line += [(kind_text(found, kind, colour), "") for kind in kinds]
    if found.classes:
        line.append(("  the class of the largest output", "dim"))
    else:
        line.append((answers_text(found, colour), "dim"))
    if found.right is not None:
        line.append((f"  accuracy {found.right:.0%}", "good" if found.right == 1 else "warn"))
    return line


def kind_text(found: Regions, kind: int, colour: bool) -> str:
    """A class: its symbol, its number, and where there are no colours the character around it."""
    ground = f" on {LETTERS[kind % len(LETTERS)]}" if found.classes and not colour else ""
    return f" {SYMBOLS[kind % len(SYMBOLS)]} {kind}{ground} "


def answers_text(found: Regions, colour: bool) -> str:
    """The range of the answers, and how they are shown."""
    finite = found.answers[np.isfinite(found.answers)]
    ends = (finite.min(), finite.max()) if finite.size else (math.nan, math.nan)
    low, high = map(compact, ends)
    if found.threshold is None:
        return f"  ŷ from {low} to {high}" if colour else f"  ŷ from {low} {RAMP} {high}"
    if colour:
        return f"  ŷ from {low} to {high}, decided at {found.threshold:g} (white)"
    return f"  ŷ from {low} to {high}:{BELOW} {EDGE} at {found.threshold:g} {ABOVE}"


def y_labels(found: Regions, height: int) -> list[str]:
    """The second input beside the rows: its limits at the ends."""
    labels = [""] * height
    if height:
        labels[-1] = compact(found.y[0], LABELS - 1)
        labels[0] = compact(found.y[1], LABELS - 1)
    return labels


def x_labels(found: Regions, width: int) -> str:
    """The first input under the columns."""
    left, right = compact(found.x[0]), compact(found.x[1])
    middle = "x₁ →   x₂ ↑"
    gap = width - len(left) - len(right)
    return left + middle.center(gap) + right if gap >= len(middle) else left.ljust(width)
