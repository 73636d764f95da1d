"""The timeline: the loss over the iterations, the five phases of each, the cursor, the marks.

The axis grows in steps (10, 20, 50, 100 … iterations), so that nothing moves while one steps.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from engine.phases import Phase
from tui.render.clean import clean
from tui.render.curve import braille_curve
from tui.render.line import Line, Span, fitted
from tui.render.numbers import compact, count_text
from tui.view import View

AXIS = 9  # the width of the labels at the left
NO_DOTS = "⠀"  # a braille character without dots
CELLS = len(Phase) + 1  # an iteration's cells where each phase has its own, and a gap


@dataclass(frozen=True)
class Axis:
    """How iterations lie on columns: ``span`` iterations over ``room`` columns."""

    span: int
    room: int

    @classmethod
    def of(cls, view: View, width: int) -> "Axis":
        """The axis for what is known of the run."""
        per = len(view.program.ops)
        needed = max(1, min(view.program.iterations, -(-view.known // per) + 1))
        return cls(min(view.program.iterations, nice(needed)), max(1, width - AXIS - 1))

    def column(self, iteration: int) -> int:
        """The first column of an iteration, counted from 0."""
        return min(self.room - 1, iteration * self.room // self.span)

    def iteration(self, column: int) -> int:
        """The first iteration of a column."""
        return min(self.span - 1, -(-max(0, column) * self.span // self.room))


def nice(count: int) -> int:
    """The next of 10, 20, 50, 100, 200, 500 …"""
    power = 10
    while True:
        for factor in (1, 2, 5):
            if count <= power * factor:
                return power * factor
        power *= 10


def timeline_lines(view: View, width: int, height: int) -> list[Line]:
    """``height`` lines: the curve, the marks, and the phases or iterations at the bottom."""
    axis = Axis.of(view, width)
    lines = [phase_line(view, axis)]
    if height > 1:
        lines = [mark_line(view, axis), *lines]
    if height > 2:
        lines = [*curve_lines(view, axis, height - 2), *lines]
    return [fitted(line, width) for line in lines[-height:]]


def curve_lines(view: View, axis: Axis, height: int) -> list[Line]:
    """The loss of every known iteration; beyond the cursor it is dim, as is a compared branch."""
    losses = view.history
    others = view.other[1] if view.other is not None else losses[:0]
    both = np.concatenate([losses, others])
    finite = both[np.isfinite(both)]
    if len(both) == 0:
        empty: Line = [(" " * AXIS, ""), ("no loss yet: the loss step computes it", "dim")]
        return [empty, *[[] for _ in range(height - 1)]]
    between = (finite.min(), finite.max()) if finite.size else None
    rows = braille_curve(losses, extent(axis, len(losses)), height, between=between)
    behind = braille_curve(others, extent(axis, len(others)), height, between=between)
    seen = min(
        len(rows[0]), axis.column(max(0, len(view.losses) - 1)) + 1 if view.losses.size else 0
    )
    return [
        [(label.rjust(AXIS - 1) + "│", "dim"), *overlaid(row, other, seen)]
        for label, row, other in zip(labels_of(view, finite, height), rows, behind, strict=True)
    ]


def extent(axis: Axis, count: int) -> int:
    """The columns that the losses of so many iterations take."""
    if count == 0:
        return 0
    return max(1, axis.column(count - 1) + 1) if count < axis.span else axis.room


def overlaid(row: str, other: str, seen: int) -> Line:
    """A row of a curve over one of another branch: where both have dots they share the cell."""
    cells: list[Span] = []
    for x in range(max(len(row), len(other))):
        own = row[x] if x < len(row) else NO_DOTS
        its = other[x] if x < len(other) else NO_DOTS
        role = "curve" if x < seen and own != NO_DOTS else "dim"
        cells.append((chr(ord(own) | ord(its)), role))
    return joined(cells)


def joined(cells: list[Span]) -> Line:
    """Neighbours of the same role as one span."""
    parts = groupby(cells, key=lambda cell: cell[1])
    return [("".join(text for text, _ in group), role) for role, group in parts]


def labels_of(view: View, finite: NDArray[np.float64], height: int) -> list[str]:
    """The ends of the axis; between them the name of a compared branch, where there is room."""
    labels = limits(finite, height)
    if view.other is not None and height > 2:
        labels[height // 2] = fitted([(f"┈{clean(view.other[0])}", "")], AXIS - 1)[0][0]
    return labels


def limits(finite: NDArray[np.float64], height: int) -> list[str]:
    """The largest and the smallest loss at the ends of the axis; a single one in the middle."""
    labels = [""] * height
    if finite.size and finite.min() == finite.max():
        labels[height // 2] = compact(finite.min(), AXIS - 1)  # the curve runs through the middle
    elif finite.size:
        labels[-1] = compact(finite.min(), AXIS - 1)
        labels[0] = compact(finite.max(), AXIS - 1)
    return labels


def mark_line(view: View, axis: Axis) -> Line:
    """Marks over the iterations: non-finite losses, stops, bookmarks, edits; the cursor on top."""
    cells: dict[int, tuple[str, str]] = {}
    for event, symbol, role in marks(view):
        cells[axis.column(event // len(view.program.ops))] = (symbol, role)
    here = axis.column(min(view.position.iteration - 1, axis.span - 1))
    cells[here] = ("▼", "key")
    line: Line = [(" " * AXIS, "")]
    at = 0
    for column in sorted(cells):
        line += [(" " * (column - at), ""), cells[column]]
        at = column + 1
    return line


def marks(view: View) -> Iterator[tuple[int, str, str]]:
    """Every mark: the event, its symbol and its role; later ones lie on top."""
    bad = np.flatnonzero(~np.isfinite(view.history))
    for iteration in bad[:1]:
        yield int(iteration) * len(view.program.ops), "!", "bad"
    yield from view.marks


def phase_line(view: View, axis: Axis) -> Line:
    """The iterations as cells; where there is room each phase has its own."""
    per, here = len(view.program.ops), view.event
    label = count_text(view.position.iteration).rjust(AXIS - 1)
    line: Line = [(f"{label}▏", "dim")]
    if axis.room // axis.span >= CELLS:
        for iteration in range(axis.span):
            size = axis.column(iteration + 1) - axis.column(iteration)
            last = axis.room - axis.column(iteration)
            line += phase_cells(view, iteration * per, size if iteration < axis.span - 1 else last)
        return line
    done = axis.column(min(here // per, axis.span - 1)) if here else 0
    done = axis.room if here >= axis.span * per else done
    known = min(axis.room, axis.column(min(view.known // per, axis.span - 1)) + 1)
    return [
        *line,
        ("▮" * done, "curve"),
        ("▯" * max(0, known - done), "dim"),
        ("·" * max(0, axis.room - max(done, known)), "dim"),
    ]


def phase_cells(view: View, first: int, width: int) -> Line:
    """The five phases of one iteration: done, known, or not yet."""
    line: Line = []
    for phase in view.program.experiment.training.order:
        ops = [op.index for op in view.program.ops if op.phase == phase]
        end = first + ops[-1] + 1 if ops else first
        if not ops or view.event >= end:
            line.append(("▮" if ops else "-", f"phase-{phase}" if ops else "dim"))
        elif view.event > first + ops[0]:
            line.append(("▸", f"phase-{phase}"))
        else:
            line.append(("▯" if view.known >= end else "·", "dim"))
    return [*line, (" " * max(0, width - len(line)), "")]
