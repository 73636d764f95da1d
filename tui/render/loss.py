"""The loss curve with its limits at the left and the last value at the right."""

import numpy as np
from numpy.typing import NDArray

from tui.render.curve import braille_curve, nonfinite_columns
from tui.render.line import Line, fitted
from tui.render.numbers import compact

AXIS = 9


def loss_lines(losses: NDArray[np.float64], width: int, height: int) -> list[Line]:
    """``height`` lines of a curve over all the losses there are."""
    if len(losses) == 0:
        return [fitted([(" no loss yet: it is computed in the loss step", "dim")], width)]
    finite = losses[np.isfinite(losses)]
    room = max(1, width - AXIS - 1)
    curve = braille_curve(losses, room, height)
    bad = nonfinite_columns(losses, room)
    top = compact(finite.max(), AXIS - 1) if finite.size else "nan"
    low = compact(finite.min(), AXIS - 1) if finite.size else "nan"
    lines: list[Line] = []
    for y, text in enumerate(curve):
        limit = top if y == 0 else low if y == height - 1 else ""
        cells: Line = [(limit.rjust(AXIS - 1) + "│", "dim"), (text, "curve")]
        if y == height - 1 and any(bad):
            cells = [
                cells[0],
                *[("!", "bad") if b else (c, "curve") for c, b in zip(text, bad, strict=True)],
            ]
        lines.append(fitted(cells, width))
    return lines
