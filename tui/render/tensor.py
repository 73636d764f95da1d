"""The head of the tensor pane: which tensor this is, what it holds, what changed."""

import math
import weakref
from collections.abc import Sequence

from engine.run.position import Granularity
from tui.render.change import ChangeSummary, change_summary, change_text
from tui.render.formula_roles import tensor_role
from tui.render.kept import kept_lines
from tui.render.summary import Summary, summarize_difference, summary_line
from tui.render.text.line import Line, fit_parts, fitted, shortened, spread, width_of
from tui.render.text.numbers import compact, shape_text
from tui.render.text.sampling import bounded
from tui.render.variables import BADGE_ROLES, Summaries
from tui.view.axes import comparable
from tui.view.display import TensorDisplay, why_nothing
from tui.view.shown_op import Standing
from tui.view.snapshot import View
from tui.view.value_range import ValueRange
from tui.view.versions import Array, Version

LEAST_STATS = 26  # cells
LONGEST = 40  # cells of a tensor's name
LEAST = 5  # the rank from which on parts give way to what is under the cursor


class Differences:
    """The statistics and the change of two values of a tensor: of the last two asked for.

    By weak references: nothing is kept alive for them.
    """

    def __init__(self) -> None:
        self._pair: tuple[weakref.ref[Array], weakref.ref[Array]] | None = None
        self._summary: Summary | None = None
        self._change: ChangeSummary | None = None

    def meet(self, after: Array, before: Array) -> None:
        """Forget what is known of another two."""
        if self._pair is None or self._pair[0]() is not after or self._pair[1]() is not before:
            self._pair = weakref.ref(after), weakref.ref(before)
            self._summary = self._change = None

    def summary(self, after: Array, before: Array) -> Summary:
        """The statistics of ``after − before``, computed once."""
        self.meet(after, before)
        if self._summary is None:
            self._summary = summarize_difference(after, before, limit=bounded(after.size))
        return self._summary

    def change(self, after: Array, before: Array) -> ChangeSummary:
        """How many elements have changed, and the largest change, computed once."""
        self.meet(after, before)
        if self._change is None:
            self._change = change_summary(before, after, bounded(after.size))
        return self._change


def tensor_head(
    view: View,
    width: int,
    summaries: Summaries,
    form: TensorDisplay | None = None,
    under: Sequence[str] = ("",),
    differences: Differences | None = None,
    height: int = 3,
) -> list[Line]:
    """Three lines: name and shape; statistics; what the selected level changed; or two.

    Where there are only two, the statistics have the room beside what was changed.

    The first says how the tensor is displayed where that is not the default, and what is ``under``
    the cursor: the first of these texts, the longest, for which there is room, else the last.
    """
    parts = head_parts(view, form or TensorDisplay())
    needed = sum(width_of(line) for rank, line in parts if rank < LEAST) + 2
    text = next((text for text in under if needed + width_of([(text, "")]) <= width), under[-1])
    first = fit_parts(parts, width - width_of([(text, "")]) - 2)
    first = spread(first, [(f" {text} ", "key")] if text else [], width)
    if view.array is None:
        kept = view.kept(view.tensor)
        missing = "no step yet" if view.info.role == "slot" else "not computed yet"
        missing = missing if view.written is None else "none: there is no tensor now"
        if view.tensor in view.hidden:
            kept, missing = None, "hidden until the lesson reveals it"
        rest: list[Line] = [[(f" {missing}", "dim")], []] if kept is None else kept_lines(kept)
        return [fitted(line, width) for line in (first, *rest)[:height]]
    version, differences = form.version if form else Version.AFTER, differences or Differences()
    summary = summary_of(view, version, summaries, differences)
    delta = "Δ " if version == Version.DIFFERENCE else ""
    change = change_line(view, differences)
    room = width if height > 2 else max(LEAST_STATS, width - width_of(change) - 1)
    stats: Line = [(f" {why_nothing(view, form or TensorDisplay())}", "dim")]
    if summary is not None:
        stats = [(f" {delta}", ""), *summary_line(summary, max(0, room - 2 - len(delta)))]
    lines = [first, stats, change] if height > 2 else [first, [*stats, (" ", ""), *change]]
    return [fitted(line, width) for line in lines]


def summary_of(
    view: View, version: Version, summaries: Summaries, differences: Differences
) -> Summary | None:
    """The statistics of the version shown, of the whole tensor; None where it has none."""
    array, before = view.array, None if view.before_lost else view.before
    if version == Version.AFTER and array is not None:
        return summaries.of(array)
    if array is None or before is None:
        return None
    if version == Version.BEFORE:
        return summaries.of(before)
    return differences.summary(array, before) if comparable(array, before) else None


def head_parts(view: View, form: TensorDisplay) -> list[tuple[int, Line]]:
    """The parts of the first line with their ranks; the least important has the highest."""
    info, settings = view.info, "  ".join(settings_of(view, form))
    kept = view.kept(view.tensor)
    shape = info.shape if kept is None else kept.shape
    shape = shape if view.array is None else view.array.shape
    follow = "pinned" if view.pinned else "following"
    key = view.keys.get("follow")
    again: Line = [(" · ", "dim"), (key, "key"), (" follows", "dim")] if key else []
    symbol = [(f" {info.symbol} ", tensor_role(info))] if info.symbol != info.name else []
    return [
        (0, [(f" {shortened(info.name, LONGEST)} ", tensor_role(info))]),
        (LEAST + 1, symbol),  # the formula has it
        (0, [(f" {shape_text(shape)}", "shape")]),
        (4, [(f" {info.dtype}", "dim")]),
        (1, [(f"  {settings}", "warn")] if settings else []),
        *made_by(view),
        (2, [(f"  {follow}", "dim")]),
        (2, again if view.pinned else []),
    ]


def made_by(view: View) -> list[tuple[int, Line]]:
    """Which event has made the value; that it is not the result of the op that is shown."""
    shown, written = view.shown, view.written
    if shown is None:
        return []
    done = shown.standing in (Standing.DONE, Standing.SKIPPED)
    iteration = view.run.timeline.iteration
    if done and written == shown.event:
        at = f"  done at #{shown.event}"
        part: tuple[int, Line] = (LEAST, [(at, "dim")])
        if shown.earlier:
            part = (1, [(f"{at} of iteration {shown.iteration}", "warn")])
        return [part, (2, badge_of(view))]
    if done:
        said = f"skipped at #{shown.event}" if shown.standing == Standing.SKIPPED else ""
        return [(1, [(f"  {said or f'written again by #{written}'}", "warn")])]
    if written is None:
        return [(1, [("  not done yet", "warn")])]
    of = f"#{written}" if written >= view.begin else f"iteration {iteration(written) + 1}"
    return [(1, [(f"  not done yet: of {of}", "warn")])]


def badge_of(view: View) -> Line:
    """What the gradient of a parameter is at present; nothing of other tensors."""
    parameter = view.info.gradient_of
    if parameter is None or view.run.tensors[parameter].role != "parameter":
        return []
    badge = view.badge(parameter)
    return [(" · ", "dim"), (str(badge), BADGE_ROLES[badge.kind])]


def change_line(view: View, differences: Differences) -> Line:
    """What the op, phase, iteration or epoch selected has changed in the tensor."""
    array, unit = view.array, view.level
    assert array is not None
    this = f"this {unit}"
    if view.event == 0:
        return [(" as it is at the start", "dim")]
    if view.before_lost:
        return [(f" the value before {this} is beyond the history", "dim")]
    if view.before is array:
        return [(f" not written by {'the last op' if unit == Granularity.OP else this}", "dim")]
    if view.before is None:
        change = ChangeSummary(array.size, array.size, first=True)
    else:
        change = differences.change(array, view.before)
    by = "the last op" if unit == Granularity.OP else this
    return [(" ▸", "changed"), (" " + change_text(change, by), "")]


def settings_of(view: View, form: TensorDisplay) -> list[str]:
    """What differs from the default display, the highlighted range included."""
    bounds = [] if form.bounds is None else [f"• {range_text(form.bounds)}"]
    return [*form.settings(view), *bounds]


def range_text(values: ValueRange) -> str:
    """A range as a person may type it: ``-1..1``, ``>0.5``, ``<=0``."""
    if math.isinf(values.high) and values.high > 0:
        return f"{'>' if values.low_open else '>='}{compact(values.low)}"
    if math.isinf(values.low) and values.low < 0:
        return f"{'<' if values.high_open else '<='}{compact(values.high)}"
    return f"{compact(values.low)}..{compact(values.high)}"
