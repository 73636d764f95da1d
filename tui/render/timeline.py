"""The timeline: the loss over the iterations, the five phases of each, the cursor, the marks.

The axis grows in steps (10, 20, 50, 100 … iterations), so that nothing moves while one steps. The
loss of an iteration stands over its first cell.
"""

from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from engine.run.phases import Phase
from engine.run.run import Run, loss_key
from engine.run.timeline import Which, begun
from tui.render.charts.outline import Ends, Grid, Indices, Outline, Outlines, ends_of, needs_log
from tui.render.text.clean import clean
from tui.render.text.keyed import keyed
from tui.render.text.line import Line, Span, fit_parts, fitted
from tui.render.text.numbers import compact, count_text
from tui.view.snapshot import View

AXIS = 9  # the width of the labels at the left
NO_LOSS = "no loss yet: {step-iteration} runs an iteration, which computes it"
BRAILLE = 0x2800
LEGEND_FROM = 10  # lines from which on one is spared for the meaning of the marks
LEGEND = (
    (3, "▼", "key", "here"),
    (1, "▮", "curve", "done"),
    (2, "▸", "phase-forward", "begun"),
    (1, "▯", "dim", "known"),
    (1, "·", "dim", "ahead"),
    (0, "!", "bad", "not finite"),
    (0, "●", "bad", "stop"),
    (0, "'", "name", "bookmark"),
    (0, "✎", "changed", "edit"),
)
CELLS = len(Phase) + 1  # an iteration's cells where each phase has its own, and a gap


@dataclass(frozen=True)
class Losses:
    """The iterations that the losses of a run lie in: some may have none, or several."""

    run: Run

    def of(self, start: int, stop: int) -> NDArray[np.int64]:
        """The iterations of the losses number ``start`` up to ``stop``, (stop − start,)."""
        return self.run.timeline.iterations_of(loss_key(self.run), start, stop)

    def before(self, place: int) -> int:
        """How many losses lie before an iteration."""
        timeline = self.run.timeline
        return timeline.count(loss_key(self.run), timeline.begin(place))

    def over(self, count: int) -> int:
        """How many iterations the first ``count`` losses stretch over."""
        return int(self.of(count - 1, count)[0]) + 1 if count else 0


@dataclass(frozen=True)
class Axis:
    """How iterations lie on columns: ``span`` iterations over ``room`` columns."""

    span: int
    room: int

    @classmethod
    def of(cls, view: View, width: int) -> "Axis":
        """The axis for what is known of the run, in a pane ``width`` cells wide."""
        timeline = view.run.timeline
        behind = 0 if view.other is None else Losses(view.run).over(len(view.other[1]))
        needed = max(1, behind, min(timeline.iterations, begun(timeline, view.known) + 1))
        # A run that grows may have no iteration yet.
        span = max(1, min(timeline.iterations, nice(needed)))
        return cls(span, max(1, width - AXIS - 1))

    def column(self, iteration: int) -> int:
        """The first column of an iteration, counted from 0."""
        return min(self.room - 1, iteration * self.room // self.span)

    @property
    def dots(self) -> Grid:
        """The columns of braille dots of a curve over this axis, two to a cell."""
        return Grid(self.span, 2 * self.room)

    @property
    def wide(self) -> bool:
        """Whether each phase of an iteration has a cell of its own."""
        return self.room // self.span >= CELLS

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


def timeline_lines(view: View, width: int, height: int, known: "Known | None" = None) -> list[Line]:
    """``height`` lines: the curve, the marks, the phases or iterations; where there is room, a key.

    ``known`` remembers what has been read of the losses, and drawn of them.
    """
    axis = Axis.of(view, width)
    known = known or Known()
    lines = [phase_line(view, axis)]
    if height > 1:
        known.meet(view, axis)
        lines = [mark_line(view, axis, known), *lines]
    if height >= LEGEND_FROM:
        lines.append(legend_line(width))
    if height > 2:
        lines = [*known.lines(view, axis, height - len(lines)), *lines]
    return [fitted(line, width) for line in lines[-height:]]


class Known:
    """The curves of the last View: of the next one they are as a rule the same.

    ``broken`` are the stretches of columns without a finite loss, ``log`` says which scale it is.
    """

    def __init__(self) -> None:
        self.outlines = Outlines()
        self.broken: list[tuple[int, int]] = []
        self.log = False
        self._key: tuple[object, ...] = ()
        self._curves: Curves | None = None
        self._place: tuple[object, ...] = ()
        self._lines: list[Line] = []

    def meet(self, view: View, axis: Axis) -> None:
        """Take the curves of a View, where a loss has been added or the axis is another."""
        history, other = view.history, view.other or ("", view.history[:0])
        grown = len(history), history[-1:].tobytes(), other[0], len(other[1])
        key = (view.run, view.lineage, axis, *grown)
        if key == self._key:
            return
        curves = self._curves = Curves.of(view, axis, self.outlines)
        self.broken = broken_runs(curves.own, axis, Losses(view.run).over(len(history)))
        self.log, self._key, self._place = curves.log, key, ()

    def lines(self, view: View, axis: Axis, height: int) -> list[Line]:
        """The lines of the curves met last, made once for a place of the cursor and a height."""
        assert self._curves is not None
        place = (height, len(view.losses), min(view.position.iteration - 1, axis.span - 1))
        if place != self._place:
            self._place, self._lines = place, curve_lines(view, axis, self._curves, height)
        return self._lines


@dataclass(frozen=True, eq=False)
class Curves:
    """The losses of the run and of a compared branch, on one scale. ``ends`` None: no number."""

    own: Outline
    other: Outline
    ends: Ends | None
    log: bool

    @classmethod
    def of(cls, view: View, axis: Axis, outlines: Outlines) -> "Curves":
        """The curves of a view. The whole known run decides the scale, not the cursor."""
        run, dots = view.run, axis.dots
        places = Losses(run)
        own = outlines.of("own", (run, view.lineage), view.history, dots, places)
        name, losses = view.other or ("", view.history[:0])
        other = outlines.of("other", (run, name), losses, dots, places)
        ends = ends_of([own, other])
        return cls(own, other, ends, needs_log(ends))

    def dots(self, outline: Outline, width: int, height: int) -> Indices:
        """An outline as braille bits (height, width) on the common scale."""
        if self.ends is None:
            return np.zeros((height, width), np.intp)
        return outline.dots(self.ends, self.log, width, height)


def curve_lines(view: View, axis: Axis, curves: Curves, height: int) -> list[Line]:
    """The loss of every known iteration; beyond the cursor it is dim, as is a compared branch."""
    if not len(curves.own.columns) and not len(curves.other.columns):
        return [no_loss(view), *[[] for _ in range(height - 1)]]
    own = curves.dots(curves.own, axis.room, height)
    behind = curves.dots(curves.other, axis.room, height)
    reached = Losses(view.run).over(len(view.losses))
    seen = axis.column(reached - 1) + 1 if reached else 0
    here = axis.column(min(view.position.iteration - 1, axis.span - 1))
    labels = labels_of(view, curves.ends, height)
    return [
        [(label.rjust(AXIS - 1) + "│", "dim"), *overlaid(own[y], behind[y], seen, here)]
        for y, label in enumerate(labels)
    ]


def no_loss(view: View) -> Line:
    """The sentence in the place of a curve, before there is any loss."""
    return [(" " * AXIS, ""), *keyed(view.keys, NO_LOSS)]


def overlaid(row: Indices, other: Indices, seen: int, here: int) -> Line:
    """A row of a curve over one of another branch, the cursor behind both.

    Where both have dots they share the cell.
    """
    cells: list[Span] = []
    for x, (own, its) in enumerate(zip(row.tolist(), other.tolist(), strict=True)):
        if own or its:
            cells.append((chr(BRAILLE + (own | its)), "curve" if own and x < seen else "dim"))
        else:
            cells.append(("┊", "key") if x == here else (" ", ""))
    return joined(cells)


def joined(cells: list[Span]) -> Line:
    """Neighbours of the same role as one span."""
    parts = groupby(cells, key=lambda cell: cell[1])
    return [("".join(text for text, _ in group), role) for role, group in parts]


def labels_of(view: View, ends: Ends | None, height: int) -> list[str]:
    """The ends of the axis; between them the name of a compared branch, where there is room."""
    labels = limits(ends, height)
    if view.other is not None and height > 2:
        labels[height // 2] = fitted([(f"┈{clean(view.other[0])}", "")], AXIS - 1)[0][0]
    return labels


def limits(ends: Ends | None, height: int) -> list[str]:
    """The largest and the smallest loss at the ends of the axis; a single one in the middle."""
    labels = [""] * height
    if ends is not None and ends[0] == ends[1]:
        labels[height // 2] = compact(ends[0], AXIS - 1)  # the curve runs through the middle
    elif ends is not None:
        labels[-1] = compact(ends[0], AXIS - 1)
        labels[0] = compact(ends[1], AXIS - 1)
    return labels


def mark_line(view: View, axis: Axis, known: Known) -> Line:
    """Marks over the iterations: losses that are no numbers, stops, bookmarks, edits, the cursor.

    The cursor takes the cell of a mark in reverse, so that neither hides the other.
    """
    cells = marks(view, axis)
    for start, end in known.broken:
        first = next((x for x in range(start, end) if x not in cells), start)
        for x in range(start, end):
            cells.setdefault(x, ("─", "bad"))
        cells[first] = ("!", "bad")
    here = axis.column(min(view.position.iteration - 1, axis.span - 1))
    mark = cells.get(here, ("─", ""))[0]
    cells[here] = ("▼", "key") if mark == "─" else (mark, "cursor")
    line: Line = [("log".rjust(AXIS - 1) if known.log else " " * (AXIS - 1), "dim"), (" ", "")]
    return [*line, *joined([cells.get(x, (" ", "")) for x in range(max(cells) + 1)])]


def marks(view: View, axis: Axis) -> dict[int, Span]:
    """The marks by their columns; of two in a column the later one."""
    timeline, order = view.run.timeline, view.run.order
    here = min(view.position.iteration - 1, axis.span - 1)
    cells: dict[int, Span] = {}
    for op, enabled in view.signs.stops.items():
        if view.hidden_by.next_op and op >= view.position.op:
            continue
        phase = order.index(view.listing.ops[op].phase) if axis.wide else 0
        column = axis.column(here) + phase
        if enabled or column not in cells:
            cells[column] = ("●", "bad") if enabled else ("○", "dim")
    for event, symbol, role in view.signs.marks:
        cells[axis.column(timeline.iteration(event))] = symbol, role
    return cells


def broken_runs(outline: Outline, axis: Axis, count: int) -> list[tuple[int, int]]:
    """The stretches (from, to) of columns without a finite loss, of ``count`` iterations."""
    starts = outline.columns // 2
    after = axis.room if count >= axis.span else axis.column(count)
    ends = np.maximum(np.append(starts[1:], after), starts + 1)
    runs: list[tuple[int, int]] = []
    for start, end in zip(starts[outline.broken], ends[outline.broken], strict=True):
        if runs and start <= runs[-1][1]:
            runs[-1] = runs[-1][0], int(end)
        else:
            runs.append((int(start), int(end)))
    return runs


def legend_line(width: int) -> Line:
    """What the marks mean, the less important left out where there is no room."""
    parts: list[tuple[int, Line]] = [
        (rank, [(f" {symbol}", role), (f" {meaning} ", "dim")])
        for rank, symbol, role, meaning in LEGEND
    ]
    return fit_parts(parts, width)


def phase_line(view: View, axis: Axis) -> Line:
    """The iterations as cells; where there is room each phase has its own."""
    timeline, here = view.run.timeline, view.event
    label = count_text(view.position.iteration).rjust(AXIS - 1)
    line: Line = [(f"{label}▏", "dim")]
    if axis.wide:
        for iteration in range(axis.span):
            size = axis.column(iteration + 1) - axis.column(iteration)
            last = axis.room - axis.column(iteration)
            line += phase_cells(view, iteration, size if iteration < axis.span - 1 else last)
        return line
    done = axis.column(min(timeline.iteration(here), axis.span - 1)) if here else 0
    done = axis.room if here >= timeline.begin(axis.span) else done
    known = axis.column(min(timeline.iteration(view.known), axis.span - 1)) + 1
    known = min(axis.room, known)
    return [
        *line,
        ("▮" * done, "curve"),
        ("▯" * max(0, known - done), "dim"),
        ("·" * max(0, axis.room - max(done, known)), "dim"),
    ]


def phase_cells(view: View, iteration: int, width: int) -> Line:
    """The five phases of one iteration: done, known, or not yet."""
    first, listing = view.run.timeline.begin(iteration), view.run.timeline.listing(iteration)
    line: Line = []
    for phase in view.run.order:
        ops = listing.places(Which(phase=phase))
        end = first + ops[-1] + 1 if ops else first
        if not ops or view.event >= end:
            line.append(("▮" if ops else "-", f"phase-{phase}" if ops else "dim"))
        elif view.event > first + ops[0]:  # not that it goes on, where a lesson hides what comes
            line.append(("▮" if view.hidden_by.next_op else "▸", f"phase-{phase}"))
        else:
            line.append(("▯" if view.known >= end else "·", "dim"))
    return [*line, (" " * max(0, width - len(line)), "")]
