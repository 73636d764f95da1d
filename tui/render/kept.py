"""Tensors that a recording has not kept whole: what there is instead, with its letter."""

import math
from dataclasses import replace

from engine.run.kept import Degree, Kept, Statistics
from tui.render.text.line import Line, fitted
from tui.render.text.numbers import compact
from tui.view.snapshot import View

NUMBER = 6


def kept_lines(kept: Kept) -> list[Line]:
    """A line for the head of a tensor, what matters most first, and an empty one below it.

    Its range, where the whole of it is, the other statistics, what of it is shown.
    """
    found = kept.statistics
    line: Line = [(f" {kept.degree} ", "warn")]
    if found is None:
        line.append(("not recorded", "dim"))
    else:
        ends = f"min {compact(found.minimum)} max {compact(found.maximum)}"
        line.append((ends, "bad" if is_odd(found) else ""))
    if kept.nearest is None:
        line.append((" · nowhere whole", "dim"))
    else:
        line += [(" · whole: ", "dim"), (f"goto #{kept.nearest + 1}", "key")]
    if found is not None:
        zeros = f" {100 * found.zeros:.3g}% zero" if found.zeros else ""
        line.append((f" · mean {compact(found.mean)} rms {compact(found.rms)}{zeros}", ""))
    if kept.corner is not None and kept.corner.size:
        rows, cols = (1, *kept.corner.shape)[-2:]
        line.append((f" · its first {rows}×{cols}", "dim"))
    return [line, []]


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
