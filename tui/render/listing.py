"""The program as a listing: a heading for each phase, a line for each op."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from rich.cells import cell_len

from engine.program.line_network import LineNetwork
from engine.program.program import Program
from engine.run.op import Op
from engine.run.phases import Phase
from engine.run.run import Run
from engine.run.timeline import Listing, Which
from tui.render.text.line import Line, Span, fitted, spread
from tui.render.text.numbers import shape_text
from tui.render.variables import BADGE_ROLES, badge_words
from tui.view.snapshot import View

if TYPE_CHECKING:
    from engine.lines.line import Line as EquationLine

BADGE = 11  # cells that the badge of a gradient needs beside the shapes


@dataclass(frozen=True)
class Row:
    """A line of the listing: an op, or the heading of a phase (no op)."""

    phase: Phase
    op: Op | None


def rows_of(order: tuple[Phase, ...], listing: Listing) -> list[Row]:
    """The rows of the listing, by phase in their order; skipped steps have a heading too."""
    rows: list[Row] = []
    if len(listing.phase_starts) > len(set(listing.phases())):  # some come again: as they came
        for op in listing.ops:
            if op.index in listing.phase_starts:
                rows.append(Row(op.phase, None))
            rows.append(Row(op.phase, op))
        return rows
    for phase in order:
        rows.append(Row(phase, None))
        rows += [Row(phase, listing.ops[place]) for place in listing.places(Which(phase=phase))]
    return rows


def op_rows(listing: Listing) -> list[Row]:
    """The rows of the ops alone, without headings."""
    return [Row(op.phase, op) for op in listing.ops]


def row_line(view: View, row: Row, width: int, selected: bool) -> Line:
    """One row: breakpoint, progress, op, and the shapes that there is room for."""
    if row.op is None:
        skipped = skips_phase(view, row.phase)
        name = view.phase_text(row.phase)
        hidden = name != row.phase
        words = f" {name}{'  skipped' if skipped and not hidden else ''}"
        return fitted([(words, "dim" if skipped or hidden else f"phase-{row.phase}")], width)
    op, at = row.op, view.position.op
    current = op.index == at
    mark = "▶" if current else "✓" if op.index < at else " "
    skipped = op.index in view.signs.skipped
    mark = "⊘" if skipped and not current else mark
    stop = {None: " ", True: "●", False: "○"}[view.signs.stops.get(op.index)]
    role = "current" if current else "dim" if op.index < at else ""
    gutter = "bad" if stop == "●" else "dim"
    left: Line = [(stop, gutter), (f"{mark} ", "key" if current else "dim")]
    left += [(fold_mark(view.run, op), "dim"), (op.label, role)]
    role = "dim" if skipped else role
    whole = width >= natural_width(view.run, view.listing)
    shape = "skipped" if skipped else shapes(view.run, op, whole)
    right: Line = [(f" {shape} ", "shape" if current else "dim")]
    if width >= natural_width(view.run, view.listing) + BADGE:
        right = [*badge_of(view, op), *right]
    return drawn((*left,), (*right,), width, selected)


@lru_cache(maxsize=1024)
def drawn(left: tuple[Span, ...], right: tuple[Span, ...], width: int, selected: bool) -> Line:
    """A row of its two parts; most rows look in the next View as they did in the one before."""
    line = spread(left, right, width)
    return [(text, "cursor" if selected else role) for text, role in line]


def badge_of(view: View, op: Op) -> Line:
    """What the gradient of a parameter is at present, beside the ops that write or use it."""
    tensors = view.run.tensors
    for name in (*op.writes, *op.reads):
        parameter = tensors[name].gradient_of
        if parameter is not None and tensors[parameter].role == "parameter":
            badge = view.badge(parameter)
            return [(f" {badge_words(badge)}", BADGE_ROLES[badge.kind])]
    return []


def skips_phase(view: View, phase: Phase) -> bool:
    """Whether a whole phase is left out, in this iteration or by the experiment."""
    ops = view.listing.places(Which(phase=phase))
    return view.signs.skipped.issuperset(ops)


@lru_cache(maxsize=8)
def natural_width(run: Run, listing: Listing) -> int:
    """The width in cells at which every op has all its shapes."""
    lines = lines_of(run)
    widths = [
        3 + 2 * (op.name in lines) + cell_len(op.label) + 2 + cell_len(shapes(run, op, True))
        for op in listing.ops
    ]
    return max(widths, default=0)  # a run that grows may have no op yet


@lru_cache(maxsize=4)
def lines_of(run: Run) -> "Mapping[str, EquationLine]":
    """The lines of a network that is written so, by the names of their tensors; else none."""
    network = run.network if isinstance(run, Program) else None
    lines = network.graph.lines if isinstance(network, LineNetwork) else ()
    return {one.name: one for one in lines}


def fold_mark(run: Run, op: Op) -> str:
    """What stands before a line as it was written: ``⊞`` where it has several functions.

    They can be unfolded into ops of their own. Ops that are no lines have nothing there.
    """
    line = lines_of(run).get(op.name) if op.phase in (Phase.FORWARD, Phase.LOSS) else None
    return "" if line is None else "⊞ " if several(line) else "  "


@lru_cache(maxsize=4096)
def several(line: "EquationLine") -> bool:
    """Whether a line has more than one function; found for the lines in sight alone."""
    from engine.lines.unfold import unfolded

    return len(unfolded(line)) > 1


def shapes(run: Run, op: Op, whole: bool) -> str:
    """The shape of what an op writes; with all shapes, also what goes into a layer."""
    if not op.writes:  # it has raised, or was skipped
        return ""
    out = shape_text(run.tensors[op.writes[0]].shape)
    if lines_of(run):
        return out  # a line reads as many tensors as it names
    if op.phase == Phase.FORWARD and whole and op.reads:
        return f"{shape_text(run.tensors[op.reads[0]].shape)}→{out}"
    return out
