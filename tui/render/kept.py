"""Tensors that a recording has not kept whole: what there is instead, with its letter."""

import math
from dataclasses import replace

from engine.run.kept import Degree, Kept, Statistics
from tui.render.text.line import Line, fitted
from tui.render.text.numbers import compact
from tui.view.snapshot import View

NUMBER = 6


def kept_lines(kept: Kept) -> list[Line]:
    """Two lines for the head of a tensor: its statistics, and where the whole of it is."""
    letter, role = str(kept.degree), "warn"
    found = kept.statistics
    first: Line = [(f" {letter} ", role)]
    if found is None:
        first.append(("its values were not recorded", "dim"))
    else:
        first += [(statistics_text(found), "bad" if is_odd(found) else "")]
    second: Line = [(f" {kept.degree.words}", "dim")]
    if kept.corner is not None and kept.corner.size:
        rows, cols = (1, *kept.corner.shape)[-2:]
        second = [(f" sampled; here its first {rows}×{cols}", "dim")]
    if kept.nearest is None:
        second.append(("; nowhere whole", "dim"))
    else:
        second += [("; whole: ", "dim"), (f"goto #{kept.nearest + 1}", "key")]
    return [first, second]


def statistics_text(found: Statistics) -> str:
    """``min … max … mean … rms … 12% zero``."""
    parts = [
        f"min {compact(found.minimum)}",
        f"max {compact(found.maximum)}",
        f"mean {compact(found.mean)}",
        f"rms {compact(found.rms)}",
    ]
    if found.zeros:
        parts.append(f"{100 * found.zeros:.3g}% zero")
    return "  ".join(parts)


def is_odd(found: Statistics) -> bool:
    """Whether some element is not finite."""
    return not (math.isfinite(found.minimum) and math.isfinite(found.maximum))


def kept_range(kept: Kept, room: int) -> Line:
    """The letter and the range of a tensor in a list of many."""
    letter = kept.degree.value
    if kept.statistics is None:
        words = " not recorded" if kept.degree == Degree.NOTHING else ""
        return fitted([(f"{letter}", "warn"), (words, "dim")], room)
    found = kept.statistics
    low = compact(found.minimum, NUMBER - 1)
    line: Line = [
        (letter, "warn"),
        (low.rjust(NUMBER - 1), "bad" if is_odd(found) else ""),
        ("..", "dim"),
        (compact(found.maximum, NUMBER).ljust(NUMBER + 1), ""),
        ("μ ", "dim"),
        (compact(found.mean, NUMBER), ""),
    ]
    return fitted(line, room)


def with_corner(view: View | None) -> View | None:
    """The View with the first rows and columns of the selected tensor in the place of the whole.

    The View itself where the tensor is there, or nothing of it is.
    """
    if view is None or view.array is not None:
        return view
    kept = view.kept(view.tensor)
    if kept is None or kept.corner is None:
        return view
    tensors = {**view.tensors, view.tensor: kept.corner}
    return replace(view, tensors=tensors, before=None, before_lost=True)
