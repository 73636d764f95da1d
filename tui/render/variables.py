"""One line for each tensor, shape first; a parameter's gradient stands on the same line."""

import weakref
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from numpy.typing import NDArray

from engine.run.op import TensorInfo
from engine.run.run import Run
from engine.session.badges import Badge, BadgeKind
from tui.render.formula_roles import tensor_role
from tui.render.summary import Summary, shown_mean, spark, summarize
from tui.render.tensor_tree import TreeRow, names_of, shown_name, tree_of
from tui.render.text.line import Line, Span, fitted
from tui.render.text.numbers import compact, shape_text
from tui.render.text.sampling import bounded
from tui.view.snapshot import View

BADGE_ROLES = {
    BadgeKind.FRESH: "good",
    BadgeKind.STALE: "warn",
    BadgeKind.ACCUMULATED: "warn",
    BadgeKind.NONE: "dim",
    BadgeKind.ZEROED: "dim",
}
EMPTY = (BadgeKind.NONE, BadgeKind.ZEROED)  # there is no number to tell of these
NUMBER = 6  # the width of a number
RANGE = 2 * NUMBER + 3
MEAN = NUMBER + 3
COUNTS = 8
BADGE = 7
GRADIENT = 4 + BADGE + NUMBER
SPARK_BINS = 6


class Summaries:
    """Summaries of arrays by their identity: arrays of a session never change.

    Weak references tell whether an id still is that array's, and keep none alive.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[weakref.ref[NDArray[Any]], Summary]] = {}

    def of(self, array: NDArray[Any]) -> Summary:
        """The summary of an array, computed once."""
        known = self._known.get(id(array))
        if known is not None and known[0]() is array:
            return known[1]
        if len(self._known) > 4096:  # arrays that are gone are not taken out one by one
            self._known.clear()
        summary = summarize(array, SPARK_BINS, bounded(array.size))
        self._known[id(array)] = (weakref.ref(array), summary)
        return summary


@dataclass(frozen=True)
class Columns:
    """The widths of the columns in cells; 0 for one that is left out."""

    name: int
    shape: int
    mean: int
    spark: int
    counts: int
    gradient: int

    @classmethod
    def fitting(cls, run: Run, width: int) -> "Columns":
        """The columns for a pane: name, shape and range always, then what matters most."""
        infos = [run.tensors[name] for name in names_of(run)]
        name = min(24, max(len(row.label) + 2 * bool(row.members) for row in tree_of(run)) + 1)
        shape = max(len(shape_text(info.shape)) for info in infos) + 1
        room = width - 1 - name - shape - RANGE
        wanted = {"gradient": GRADIENT, "counts": COUNTS, "spark": SPARK_BINS + 1, "mean": MEAN}
        given = {}
        for column, size in wanted.items():
            given[column] = size if room >= size else 0
            room -= given[column]
        if given["gradient"] and room > SPARK_BINS:
            given["gradient"] += SPARK_BINS + 1
            room -= SPARK_BINS + 1
        if given["counts"]:
            given["counts"] += max(0, min(3, room))
        return cls(name=name, shape=shape, **given)


columns_of = lru_cache(maxsize=8)(Columns.fitting)


def variable_line(
    view: View, name: str, width: int, summaries: Summaries, selected: bool, label: str = ""
) -> Line:
    """The line of one tensor, by its name or another label, and of its gradient if it has one."""
    info = view.run.tensors[name]
    columns = columns_of(view.run, width)
    changed = view.last is not None and name in view.last.op.writes
    line: Line = [
        ("▸" if changed else " ", "changed"),
        *fitted([(label or shown_name(info), tensor_role(info))], columns.name),
        (shape_text(info.shape).ljust(columns.shape), "shape"),
        *values(view.tensors.get(name), summaries, columns, name in view.hidden),
    ]
    gradient = view.run.gradients.get(name)
    if columns.gradient and gradient is not None:
        part = gradient_part(view, info, gradient, summaries, columns.gradient)
        line += fitted(part, columns.gradient)
    line = fitted(line, width)
    return [(text, "cursor" if selected else role) for text, role in line]


def group_line(
    view: View, row: TreeRow, label: str, width: int, summaries: Summaries, selected: bool
) -> Line:
    """The heading of a group: the range of all its tensors, how many, the largest gradient."""
    columns, tensors = columns_of(view.run, width), view.run.tensors
    written = () if view.last is None else view.last.op.writes
    shapes = {tensors[name].shape for name in row.members}
    shape = shape_text(shapes.pop()) if len(shapes) == 1 else ""
    room = RANGE + columns.mean + columns.spark + columns.counts
    line: Line = [
        ("▸" if set(written).intersection(row.members) else " ", "changed"),
        *fitted([(label, tensor_role(tensors[row.members[0]]))], columns.name),
        (shape.ljust(columns.shape), "shape"),
        *fitted(group_values(view, row, summaries), room),
    ]
    gradients = [grad for name in row.members if (grad := view.run.gradients.get(name))]
    known = [summaries.of(view.tensors[name]) for name in gradients if name in view.tensors]
    if columns.gradient and known:
        sizes = [max(-one.minimum, one.maximum) for one in known if not one.nan]
        size = compact(max(sizes), NUMBER) if len(sizes) == len(known) else "NaN"
        line += [("│", "dim"), ("▸" if set(written).intersection(gradients) else " ", "changed")]
        line += [("∇ ", "tensor-gradient"), ("max".ljust(BADGE), "dim"), (size, "")]
    line = fitted(line, width)
    return [(text, "cursor" if selected else role) for text, role in line]


def group_values(view: View, row: TreeRow, summaries: Summaries) -> Line:
    """The range of all tensors of a group that are computed, and how many there are."""
    count: Span = (f" in {len(row.members)}", "dim")
    known = [summaries.of(view.tensors[n]) for n in row.members if n in view.tensors]
    if not known:
        return [("  not computed", "dim"), count]
    if any(one.nan or one.posinf or one.neginf for one in known):
        return [("  not finite".ljust(RANGE), "bad"), count]
    low, high = min(one.minimum for one in known), max(one.maximum for one in known)
    ends = f"{compact(low, NUMBER).rjust(NUMBER)}..{compact(high, NUMBER).ljust(NUMBER + 1)}"
    return [(ends, ""), count]


def values(
    array: NDArray[Any] | None, summaries: Summaries, columns: Columns, hidden: bool = False
) -> Line:
    """Range, mean, distribution and counts of a tensor, each in its column."""
    room = RANGE + columns.mean + columns.spark + columns.counts
    if array is None:
        return fitted([("  hidden" if hidden else "  not computed", "dim")], room)
    s = summaries.of(array)
    if s.nan == s.size > 1:
        return fitted([("   all NaN", "bad")], room)
    if s.size == 1:
        role = "bad" if s.nan or s.posinf or s.neginf else ""
        return fitted([(compact(array.reshape(-1)[0], 10).rjust(NUMBER), role)], room)
    about = "≈" if s.sampled else ""
    line: Line = [
        ((about + compact(s.minimum, NUMBER - len(about))).rjust(NUMBER), ""),
        ("..", "dim"),
        (compact(s.maximum, NUMBER).ljust(NUMBER + 1), ""),
    ]
    if columns.mean:
        line += [("μ ", "dim"), (compact(shown_mean(s), NUMBER).ljust(MEAN - 2), "")]
    if columns.spark:
        line += [(spark(s.histogram).ljust(columns.spark), "curve")]
    return [*line, *fitted(counts(s), columns.counts)] if columns.counts else line


def counts(s: Summary) -> Line:
    """How many values are NaN or infinite, else how many are zero."""
    bad = [(s.nan, "NaN"), (s.posinf + s.neginf, "inf")]
    line: Line = [(f"{compact(n, 4)} {word} ", "bad") for n, word in bad if n]
    return line or ([(f"{compact(s.zeros, 5)} zero", "dim")] if s.zeros else [])


def badge_words(badge: Badge | None) -> str:
    """A badge in BADGE cells: ``fresh``, ``acc×2``."""
    if badge is None:
        return ""
    return f"acc×{badge.count}" if badge.kind == BadgeKind.ACCUMULATED else str(badge.kind)


def gradient_part(
    view: View, info: TensorInfo, gradient: str, summaries: Summaries, room: int
) -> Line:
    """The gradient of a tensor: its badge, its largest magnitude, its distribution."""
    array = view.tensors.get(gradient)
    badge: Badge | None = view.badge(info.name)
    if info.role != "parameter" and badge and badge.kind != BadgeKind.STALE:
        badge = None  # of an activation only what belongs to another iteration is told
    if array is None and badge is None:
        return [("│", "dim")]
    changed = view.last is not None and gradient in view.last.op.writes
    line: Line = [("│", "dim"), ("▸" if changed else " ", "changed"), ("∇ ", "tensor-gradient")]
    role = "warn" if badge is None else BADGE_ROLES[badge.kind]
    line.append((badge_words(badge).ljust(BADGE), role))
    if array is None or (badge and badge.kind in EMPTY):
        return line
    s = summaries.of(array)
    bad = s.nan or s.posinf or s.neginf
    size = "NaN" if s.nan else "inf" if bad else compact(max(-s.minimum, s.maximum), NUMBER)
    line.append((size.ljust(NUMBER), "bad" if bad else ""))
    return [*line, (f" {spark(s.histogram)}", "curve")] if room > GRADIENT else line
