"""The head of the tensor pane: which tensor this is, what it holds, what changed."""

from collections.abc import Sequence

from engine.position import Granularity
from tui.look import Look
from tui.render.change import change_summary, change_text
from tui.render.formula_roles import tensor_role
from tui.render.line import Line, fit_parts, fitted, spread, width_of
from tui.render.numbers import shape_text
from tui.render.summary import summary_text
from tui.render.variables import Summaries
from tui.view import View

EXACT = 2**20  # elements that are compared one by one
SAMPLE = 2**17  # of more, so many are: each lies in another line of the cache
LEAST = 5  # the rank of what is left out first


def tensor_head(
    view: View,
    width: int,
    summaries: Summaries,
    look: Look | None = None,
    under: Sequence[str] = ("",),
) -> list[Line]:
    """Three lines: name and shape; statistics; what the selected level changed.

    The first says how the tensor is looked at where that is unusual, and what is ``under`` the
    cursor: the first of these texts, the longest, for which there is room, else the last.
    """
    parts = head_parts(view, look or Look())
    needed = sum(width_of(line) for rank, line in parts if rank < LEAST) + 2
    text = next((text for text in under if needed + width_of([(text, "")]) <= width), under[-1])
    first = fit_parts(parts, width - width_of([(text, "")]) - 2)
    first = spread(first, [(f" {text} ", "key")] if text else [], width)
    array = view.array
    if array is None:
        return [fitted(line, width) for line in (first, [(" not computed yet", "dim")], [])]
    stats = summary_text(summaries.of(array), max(0, width - 2))
    return [fitted(line, width) for line in (first, [(f" {stats}", "")], change_line(view))]


def head_parts(view: View, look: Look) -> list[tuple[int, Line]]:
    """What is said of the tensor; the least important has the highest rank."""
    info, settings = view.info, "  ".join(look.settings(view))
    where = "" if view.written is None else f"written by #{view.written}"
    follow = "pinned" if view.pinned else "following"
    return [
        (0, [(f" {info.name} ", tensor_role(info))]),
        (2, [(f" {info.symbol} ", tensor_role(info))]),
        (0, [(f" {shape_text(info.shape)}", "shape")]),
        (3, [(f" {info.dtype}", "dim")]),
        (1, [(f"  {settings}", "warn")] if settings else []),
        (LEAST, [(f"  {where}", "dim")] if where else []),
        (4, [(f"  {follow}", "dim")]),
    ]


def change_line(view: View) -> Line:
    """What the selected level did to the tensor."""
    array, unit = view.array, view.level
    assert array is not None
    this = f"this {unit}"
    if view.event == 0:
        return [(" as it is at the start", "dim")]
    if view.before_lost:
        return [(f" the value before {this} is beyond the history", "dim")]
    if view.before is array:
        return [(f" not written by {'the last op' if unit == Granularity.OP else this}", "dim")]
    limit = EXACT if array.size <= EXACT else SAMPLE
    text = change_text(change_summary(view.before, array, limit))
    by = "the last op" if unit == Granularity.OP else this
    return [(" ▸", "changed"), (" " + text.replace("this op", by), "")]
