"""Formulas in a column: broken at operators, sizes under the factors, values below."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text

from engine.arrays import Array
from tui.render.text.clean import clean
from tui.render.text.numbers import cells
from tui.view.number_format import NumberFormat

# A formula is broken before an operator or the next case, between two factors, after a comma; and
# only where that is not enough, at any space.
OPERATORS = re.compile(r" (?=[+−·⊙=/←] |if |else |and |\()|(?<=[ᵀ,:]) |(?<=\))(?=\(\S+×)")
SPACES = re.compile(r" ")
ROWS, COLUMNS = 6, 6  # of a value that is shown
WHOLE = 12  # numbers of a vector that is shown whole
NARROWEST = 24  # a column of formulas
SHORTEST = 3  # what may stand alone on a line: no lonely ℓ before its equals sign


@dataclass(frozen=True, eq=False)
class Lines:
    """Lines of a table's cell, each broken when the column is narrower, and a value below them.

    The first ``formulas`` lines have the style, the others are subdued like the value.
    """

    lines: tuple[str, ...]
    style: str = ""
    formulas: int = 1
    value: "Value | None" = None

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        shown = self.value.lines(options.max_width) if self.value else ()
        widest = max((cell_len(line) for line in (*self.lines, *shown)), default=0)
        return Measurement(min(widest, NARROWEST), widest).with_maximum(options.max_width)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for i, line in enumerate(self.lines):
            style = self.style if i < self.formulas else "dim"
            for part in broken(line, options.max_width):
                yield Text(part, style=style, no_wrap=True)
        for row in self.value.lines(options.max_width) if self.value else ():
            yield Text(row, style="dim", no_wrap=True)


@dataclass(frozen=True, eq=False)
class Value:
    """A value row by row with its points aligned; as many rows and columns as there is room for.

    A column (``turned``) is written as a row with ᵀ, to save lines.
    """

    array: Array | None
    turned: bool = False

    def lines(self, width: int) -> tuple[str, ...]:
        """The rows within a width; None of an array stands for one too large to be computed."""
        if self.array is None:
            return tuple(broken("values: too many to be computed whole", width))
        if self.array.size == 1:
            return (cells(self.array, NumberFormat.SIGNIFICANT, 4)[0][0],)
        if len(self.matrix) == 1 and self.matrix.shape[1] <= WHOLE:
            return self.whole_row(width)
        counts = range(min(COLUMNS, self.matrix.shape[1]), 0, -1)
        found = (self.rows(count) for count in counts)
        return next((rows for rows in found if max(map(cell_len, rows)) <= width), self.rows(1))

    @property
    def matrix(self) -> Array:
        """The value (rows, columns) as it is laid out, transposed where ``turned``."""
        assert self.array is not None
        return self.array.T if self.turned else self.array

    def whole_row(self, width: int) -> tuple[str, ...]:
        """All numbers of a short vector, on further lines where one is not enough."""
        (shown,) = cells(self.matrix, NumberFormat.SIGNIFICANT, 4)
        out, mark = ["["], "ᵀ" if self.turned else ""
        for i, number in enumerate(part.strip() for part in shown):
            end = f"]{mark}" if i == len(shown) - 1 else ""
            gap = "" if out[-1].strip() in ("[", "") else "  "
            if gap and cell_len(out[-1] + gap + number + end) > width:
                out.append(" ")
                gap = ""
            out[-1] += gap + number + end
        return tuple(out)

    def rows(self, count: int) -> tuple[str, ...]:
        """The rows with their first columns, and the size of the whole where that is not all."""
        rows, columns = self.matrix.shape
        shown = cells(self.matrix[:ROWS, :count], NumberFormat.SIGNIFICANT, 4)
        more, mark = "  …" if columns > count else "", "ᵀ" if self.turned else ""
        out = [f"[{'  '.join(row)}{more}]{mark}" for row in shown]
        if rows > ROWS or columns > count:
            whole = str(columns) if self.turned else f"{rows}×{columns}"
            out.append(f"… of {whole} values")
        return tuple(out)


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
    """Where to break a text at ``width``: the last gap at the least depth of parentheses."""
    for pattern in (OPERATORS, SPACES):
        found = [gap for gap in pattern.finditer(text) if SHORTEST <= gap.start() <= width]
        late = [gap for gap in found if gap.start() >= width // 2] or found
        if late:
            return min(reversed(late), key=lambda gap: depth(text[: gap.start()]))
    return None


def depth(text: str) -> int:
    """How many parentheses are open at the end of a text."""
    return sum(text.count(c) for c in "([") - sum(text.count(c) for c in ")]")
