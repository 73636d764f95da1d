"""The head of the tensor pane: which tensor this is, what it holds, what changed."""

from engine.position import Granularity
from tui.render.change import change_summary, change_text
from tui.render.formula_roles import tensor_role
from tui.render.line import Line, fit_parts, fitted
from tui.render.numbers import shape_text
from tui.render.summary import summary_text
from tui.render.variables import Summaries
from tui.view import View


def tensor_head(view: View, width: int, summaries: Summaries) -> list[Line]:
    """Three lines: name and shape; statistics; what the selected level changed."""
    info = view.info
    where = "" if view.written is None else f"written by #{view.written}"
    follow = "pinned" if view.pinned else "following"
    first = fit_parts(
        [
            (0, [(f" {info.name} ", tensor_role(info))]),
            (1, [(f" {info.symbol} ", tensor_role(info))]),
            (0, [(f" {shape_text(info.shape)}", "shape")]),
            (2, [(f" {info.dtype}", "dim")]),
            (4, [(f"  {where}", "dim")] if where else []),
            (3, [(f"  {follow}", "dim")]),
        ],
        width,
    )
    array = view.array
    if array is None:
        return [fitted(line, width) for line in (first, [(" not computed yet", "dim")], [])]
    stats = summary_text(summaries.of(array), max(0, width - 2))
    return [fitted(line, width) for line in (first, [(f" {stats}", "")], change_line(view))]


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
    text = change_text(change_summary(view.before, array))
    by = "the last op" if unit == Granularity.OP else this
    return [(" ▸", "changed"), (" " + text.replace("this op", by), "")]
