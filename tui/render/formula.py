"""Formulas in a column: broken at operators, sizes under the factors, values below."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text

from engine.arrays import Array
from tui.render.clean import clean
from tui.render.numbers import NumberFormat, cells

# A formula is broken before an operator or the next case, between two factors, after a comma; and
# only where that is not enough, at any space.
OPERATORS = re.compile(r" (?=[+−·⊙=/←] |if |else |and |\()|(?<=[ᵀ,:]) |(?<=\))(?=\(\S+×)")
SPACES = re.compile(r" ")
ROWS, COLUMNS = 6, 6  # of a value that is shown
NARROWEST = 24  # a column of formulas
SHORTEST = 3  # what may stand alone on a line: no lonely ℓ before its equals sign


@dataclass(frozen=True)
class Lines:
    """Lines of a table's cell; each is broken when the column is narrower."""

    lines: tuple[str, ...]
    style: str = ""
    dim_after: int = 1  # the first lines are the formula, the others its sizes and values

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        widest = max((cell_len(line) for line in self.lines), default=0)
        return Measurement(min(widest, NARROWEST), widest).with_maximum(options.max_width)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for i, line in enumerate(self.lines):
            style = self.style if i < self.dim_after else "dim"
            for part in broken(line, options.max_width):
                yield Text(part, style=style, no_wrap=True, overflow="ellipsis")


def broken(text: str, width: int) -> Iterator[str]:
    """A line cut to a width at operators, outside parentheses if possible; the rest indented."""
    rest, indent = clean(text), ""
    while cell_len(indent + rest) > width:
        cut = place(rest, width - len(indent))
        start, end = cut.span() if cut else 2 * (max(1, width - len(indent)),)
        yield indent + rest[:start]
        rest, indent = rest[end:], "  "
    yield indent + rest


def place(text: str, width: int) -> re.Match[str] | None:
    """Where to break a text that is too wide: the last place at the least depth that fits."""
    for pattern in (OPERATORS, SPACES):
        found = [gap for gap in pattern.finditer(text) if SHORTEST <= gap.start() <= width]
        late = [gap for gap in found if gap.start() >= width // 2] or found
        if late:
            return min(reversed(late), key=lambda gap: depth(text[: gap.start()]))
    return None


def depth(text: str) -> int:
    """How many parentheses are open at the end of a text."""
    return sum(text.count(c) for c in "([") - sum(text.count(c) for c in ")]")


def value_lines(value: Array | None) -> tuple[str, ...]:
    """A value row by row with its points aligned, its first rows and columns where it is large."""
    if value is None:
        return ("values: too many to be computed whole",)
    rows, columns = value.shape
    window = value[:ROWS, :COLUMNS]
    more = "  …" if columns > COLUMNS else ""
    shown = cells(window, NumberFormat.SIGNIFICANT, 4)
    out = [f"[{'  '.join(row)}{more}]" for row in shown]
    if rows > ROWS or more:
        out.append(f"… {rows}×{columns} values in all")
    return tuple(out)


def column_lines(value: Array | None) -> tuple[str, ...]:
    """A column written as a row and transposed, to save lines; a number as it is."""
    if value is None:
        return value_lines(value)
    shown = "  ".join(cells(value[:COLUMNS].T, NumberFormat.SIGNIFICANT, 4)[0])
    if value.size == 1:
        return (shown,)
    more = f"  … {len(value)} values" if len(value) > COLUMNS else ""
    return (f"[{shown}{more}]ᵀ",)
