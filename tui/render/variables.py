"""One line for each tensor, shape first; a parameter's gradient stands on the same line."""

import math
import weakref
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from numpy.typing import NDArray
from rich.cells import cell_len

from engine.run.op import TensorInfo
from engine.run.run import Run
from engine.session.badges import Badge, BadgeKind
from tui.render.formula_roles import tensor_role
from tui.render.kept import is_odd, kept_range
from tui.render.summary import BINS, FEW, Summary, shown_mean, spark, summarize
from tui.render.tensor_tree import TreeRow, names_of, shown_name, tree_of
from tui.render.text.line import Line, Span, fitted, shortened, width_of
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
LEAST_FIRST, FIRST = 24, 64  # cells of the first numbers, where there is room for them
BADGE = 7
GRADIENT = 4 + BADGE + NUMBER
SPARK = BINS // 2


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
        summary = summarize(array, limit=bounded(array.size))
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
    first: int = 0

    @classmethod
    def fitting(cls, run: Run, width: int) -> "Columns":
        """The columns for a pane: name, shape and range always, then what matters most."""
        infos = [run.tensors[name] for name in names_of(run)]
        longest = max(len(row.label) + 2 * bool(row.members) for row in tree_of(run))
        name = min(max(24, width // 4), longest + 1)
        shape = max(len(shape_text(info.shape)) for info in infos) + 1
        room = width - 1 - name - shape - RANGE
        many = any(math.prod(info.shape) >= FEW for info in run.tensors.values())
        spark = SPARK + 1 if many else 0
        wanted = {"gradient": GRADIENT, "counts": COUNTS, "spark": spark, "mean": MEAN}
        given = {}
        for column, size in wanted.items():
            given[column] = size if room >= size else 0
            room -= given[column]
        if given["gradient"] and room >= spark:
            given["gradient"] += spark
            room -= spark
        if given["counts"]:
            more = max(0, min(3, room))
            given["counts"] += more
            room -= more
        first = min(FIRST, room) if room >= LEAST_FIRST else 0
        return cls(name=name, shape=shape, first=first, **given)


columns_of = lru_cache(maxsize=8)(Columns.fitting)


def heading(run: Run, width: int, title: str, start: int) -> str:
    """The title of the pane with the head of each column over it; ``start`` is its own column.

    A head that would touch the one before is left out.
    """
    columns = columns_of(run, width)
    sizes = (
        ("", 1 + columns.name),
        ("shape", columns.shape),
        ("min..max", RANGE),
        ("mean", columns.mean),
        ("spread", columns.spark),
        ("zeros", columns.counts),
        ("first values", columns.first),
        ("∇ state", 2 + BADGE if columns.gradient else 0),
        ("max|∇|", columns.gradient - BADGE - 2),
    )
    at = 0
    for head, size in sizes:
        gap = at - start - cell_len(title) + (2 if head.startswith("∇") else 0)
        if head and size >= len(head) and gap > 0:
            title += (" " * gap if gap < 3 else f" {'─' * (gap - 2)} ") + head
        at += size
    return title


def variable_line(
    view: View, name: str, width: int, summaries: Summaries, selected: bool, label: str = ""
) -> Line:
    """The line of one tensor, by its name or another label, and of its gradient if it has one."""
    info = view.run.tensors[name]
    columns = columns_of(view.run, width)
    changed = view.last is not None and name in view.last.op.writes
    line: Line = [
        ("▸" if changed else " ", "changed"),
        *named(label or shown_name(info), info, columns.name),
        (shape_text(info.shape).ljust(columns.shape), "shape"),
        *made_when(view, name, values_of(view, name, summaries, columns)),
    ]
    if columns.first:
        line += first_numbers(view.tensors.get(name), columns.first)
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
    room = RANGE + columns.mean + columns.spark + columns.counts + columns.first
    line: Line = [
        ("▸" if set(written).intersection(row.members) else " ", "changed"),
        *named(label, tensors[row.members[0]], columns.name),
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
    told = [kept.statistics for n in row.members if (kept := view.kept(n)) is not None]
    statistics = [one for one in told if one is not None]
    if not known and not statistics:
        return [("  not recorded" if told else "  not computed", "dim"), count]
    odd = any(one.nan or one.posinf or one.neginf for one in known)
    if odd or any(is_odd(one) for one in statistics):
        return [("  not finite".ljust(RANGE), "bad"), count]
    low = min([one.minimum for one in known] + [one.minimum for one in statistics])
    high = max([one.maximum for one in known] + [one.maximum for one in statistics])
    ends = f"{compact(low, NUMBER).rjust(NUMBER)}..{compact(high, NUMBER).ljust(NUMBER + 1)}"
    return [(ends, ""), count]


def named(label: str, info: TensorInfo, width: int) -> Line:
    """A name in its column, cut in the middle where that is too narrow."""
    return fitted([(shortened(label, width - 1), tensor_role(info))], width)


def values_of(view: View, name: str, summaries: Summaries, columns: Columns) -> Line:
    """What there is of a tensor: its values, or what a recording has kept of them."""
    hidden = name in view.hidden
    kept = None if hidden else view.kept(name)
    if kept is None:
        return values(view.tensors.get(name), summaries, columns, hidden)
    return kept_range(kept, RANGE + columns.mean + columns.spark + columns.counts)


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
        line += [(histogram(s).ljust(columns.spark), "histogram")]
    return [*line, *fitted(counts(s), columns.counts)] if columns.counts else line


def made_when(view: View, name: str, shown: Line) -> Line:
    """The values of a tensor; dim, and the iteration said, where that is an earlier one."""
    iteration = view.of_earlier(name)
    if iteration is None:
        return shown
    width = width_of(shown)
    text = "".join(text for text, _ in shown).rstrip()
    said = f" of iter {iteration}"
    return fitted([(fitted([(text, "")], width - len(said))[0][0], "dim"), (said, "dim")], width)


def first_numbers(array: NDArray[Any] | None, width: int) -> Line:
    """The first numbers of a tensor, row by row, as many as fit."""
    if array is None or array.size < 2:
        return [(" " * width, "")]
    text = "["
    for count, value in enumerate(array.flat):
        more = ("" if count == 0 else " ") + compact(value, NUMBER).removesuffix(".0")
        if len(text) + len(more) + 4 > width:
            return fitted([(f"{text} …]", "dim")], width)
        text += more
    return fitted([(f"{text}]", "dim")], width)


def histogram(s: Summary) -> str:
    """The distribution; nothing of a few numbers, which say more than their columns would."""
    return spark(s.histogram) if s.size >= FEW else ""


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
    array, kept = view.tensors.get(gradient), view.kept(gradient)
    badge: Badge | None = view.badge(info.name)
    if info.role != "parameter" and badge and badge.kind != BadgeKind.STALE:
        badge = None  # of an activation only what belongs to another iteration is told
    if array is None and badge is None and kept is None:
        return [("│", "dim")]
    changed = view.last is not None and gradient in view.last.op.writes
    line: Line = [("│", "dim"), ("▸" if changed else " ", "changed"), ("∇ ", "tensor-gradient")]
    role = "warn" if badge is None else BADGE_ROLES[badge.kind]
    line.append((badge_words(badge).ljust(BADGE), role))
    if kept is not None and kept.statistics is not None:
        found = kept.statistics
        size = compact(max(-found.minimum, found.maximum), NUMBER - 1)
        return [*line, (kept.degree.value, "warn"), (size.ljust(NUMBER - 1), "")]
    if array is None or (badge and badge.kind in EMPTY):
        return line
    s = summaries.of(array)
    bad = s.nan or s.posinf or s.neginf
    size = "NaN" if s.nan else "inf" if bad else compact(max(-s.minimum, s.maximum), NUMBER)
    line.append((size.ljust(NUMBER), "bad" if bad else ""))
    return [*line, (f" {histogram(s)}", "histogram")] if room > GRADIENT else line
