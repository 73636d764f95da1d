"""A watch in a line: its value, the value before the last op, and its past; a watchpoint."""

import numpy as np

from engine.stops.evidence import Value
from engine.stops.stop import EXPRESSIONS, Stop
from tui.render.charts.curve import block_spark
from tui.render.summary import summarize, summary_text
from tui.render.text.clean import clean
from tui.render.text.line import Line, fitted, spread, width_of
from tui.render.text.numbers import compact, shape_text
from tui.view.snapshot import View

SPARK = 16


def watch_line(view: View, text: str, width: int, selected: bool) -> Line:
    """One watch; where it cannot be evaluated, its error."""
    found, past = view.watched(text)
    name: Line = [("▸" if found.changed else " ", "changed"), (f"{clean(text)} ", "name")]
    if found.error is not None:
        line = fitted([*name, (clean(found.error), "warn")], width)
    else:
        room = max(10, width - width_of(name) - SPARK - 4)
        left: Line = [
            *name,
            ("= ", "dim"),
            (value_text(found.value, room), "changed" if found.changed else ""),
        ]
        if found.changed and found.before is not None and np.size(found.before) == 1:
            left += [(f"  was {value_text(found.before, 12)}", "dim")]
        right: Line = [(block_spark(past, min(SPARK, len(past))) + " ", "curve")] if past else []
        line = spread(left, right, width)
    return [(text, "cursor" if selected else role) for text, role in line]


def watchpoint_line(view: View, stop: Stop, width: int, selected: bool) -> Line:
    """A watchpoint: whether it is enabled, what it waits for, the value now, and its hits."""
    left: Line = [
        (" ● " if stop.enabled else " ○ ", "bad" if stop.enabled else "dim"),
        (f"{stop.number}  ", "dim"),
        (clean(str(stop)), "name"),
    ]
    if stop.kind in EXPRESSIONS:
        found, _ = view.watched(stop.target)
        said = clean(found.error) if found.error else value_text(found.value, 40)
        left += [(" = ", "dim"), (said, "changed" if found.changed else "")]
    right: Line = [(f" {'  '.join(clean(note) for note in stop.notes)} ", "dim")]
    line = spread(left, right if stop.notes else [], width)
    return [(text, "cursor" if selected else role) for text, role in line]


def value_text(value: Value, width: int) -> str:
    """A value as text; of a larger array the shape and a summary that fit into ``width`` cells."""
    if value is None:
        return "not computed yet"
    array = np.asarray(value)
    if array.size == 1 and array.ndim == 0:
        return str(bool(array)) if array.dtype == bool else compact(array.item(), 10)
    if array.size <= 6 and array.ndim == 1:
        return "[" + "  ".join(compact(x, 7) for x in array) + "]"
    return f"{shape_text(array.shape)} {summary_text(summarize(array), max(8, width - 8))}"
