"""The numbers of an op's operands as small blocks of text, from the whole down to a corner."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from numpy.typing import NDArray

from tui.render.summary import Summary
from tui.render.text.numbers import compact
from tui.render.variables import Summaries
from tui.view.shown_op import ShownOp, Standing
from tui.view.snapshot import View

Array = NDArray[Any]
DIGITS = (6, 5)  # characters of a number: as many as there is room for
HINT = 3  # lines from which on one may say that there are more rows
MOST = 24  # columns that are shown at most
CORNERS = (12, 8, 6, 5, 4, 3, 2)  # columns of a corner, where not all fit


@dataclass(frozen=True)
class Block:
    """Lines of text of one width, and their role."""

    rows: tuple[str, ...]
    role: str = ""

    @property
    def width(self) -> int:
        """The width in cells: its texts are numbers and brackets."""
        return len(self.rows[0]) if self.rows else 0


def blocks_of(
    view: View, shown: ShownOp, names: Mapping[str, bool], height: int, summaries: Summaries
) -> dict[str, Sequence[Block]]:
    """For each operand its blocks of at most ``height`` lines, each narrower than the one before.

    Those in ``names`` that are True are transposed. One that is no longer known has a dash; of
    more than two axes the range is shown.
    """
    found: dict[str, Sequence[Block]] = {}
    if height < 1 or shown.standing in (Standing.COMING, Standing.SKIPPED):
        return found
    for name, turned in names.items():
        value = shown.operands.get(name)
        if value is None:
            found[name] = [Block(("not known any more",), "dim"), Block(("—",), "dim")]
        elif value.ndim > 2 or value.size == 0:
            found[name] = [Block((range_text(summaries.of(value)),), "dim")]
        elif value.ndim:
            matrix = value.reshape(1, -1) if value.ndim == 1 else value
            found[name] = corners(matrix.T if turned else matrix, height)
    return found


def range_text(summary: Summary) -> str:
    """The range of a tensor that is too deep to be written out."""
    if summary.size == 0:
        return "empty"
    return f"{compact(summary.minimum, 6)}..{compact(summary.maximum, 6)}"


def corners(matrix: Array, height: int) -> list[Block]:
    """A matrix (rows, columns) in blocks: whole if it may be, then ever smaller corners of it."""
    rows, columns = matrix.shape
    below: Literal["", "line", "mark"] = (
        "" if rows <= height else "line" if height >= HINT else "mark"
    )
    high = height - 1 if below == "line" else min(rows, height)
    sides = [columns] if columns <= MOST else []
    sides += [one for one in CORNERS if one < columns]
    part = matrix[:high, : sides[0]].tolist()
    found: list[Block] = []
    for digits in DIGITS:
        texts = [[number(value, digits) for value in row] for row in part]
        if not any("#" in text for row in texts for text in row):
            found += [block(texts, side, side < columns, below) for side in sides]
    whole = sorted(found, key=lambda one: (" …]" in one.rows[0], -one.width))
    kept = [one for i, one in enumerate(whole) if all(one.width < b.width for b in whole[:i])]
    return kept or [Block(("…",), "dim")]


def number(value: Any, digits: int) -> str:
    """A number without a fraction that is 0."""
    return compact(value, digits).removesuffix(".0")


def block(
    texts: Sequence[Sequence[str]], columns: int, wider: bool, below: Literal["", "line", "mark"]
) -> Block:
    """The first columns in brackets, aligned; dots where there are more columns or rows.

    More rows are dots in a line of their own, or behind the last one.
    """
    shown = [row[:columns] for row in texts]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    end = " …]" if wider else "]"
    rows = [
        "[" + " ".join(text.rjust(wide) for text, wide in zip(row, widths, strict=True)) + end
        for row in shown
    ]
    if below == "mark":
        rows = [*(f"{row} " for row in rows[:-1]), f"{rows[-1]}⋮"]
    return Block((*rows, "⋮".center(len(rows[0]))) if below == "line" else tuple(rows))
