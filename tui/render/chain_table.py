"""The table of the chain pane: a line for each factor, and the product up to it."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from engine.chain.chain import Chain, Factor
from engine.chain.query import JacobianView
from engine.jacobian.operator import Jacobian
from tui.render.text.line import Line, Span, fitted, shortened
from tui.render.text.numbers import dims_text

HEADS = ("factor", "of ← by", "dims", "structure", "so far")
ROLES = ("symbol", "", "shape", "dim", "symbol", "shape")
SYMBOL, NAMES, DIMS, STRUCTURE, SO_FAR, SO_FAR_DIMS = range(6)
LEAST = 10  # cells below which the names of two tensors say nothing
GAP = 2
MARK = 3


@dataclass(frozen=True)
class Widths:
    """The width of each column without the gap before the next one; 0 for one that is left out."""

    cells: tuple[int, ...]

    @property
    def total(self) -> int:
        """The width of a line in cells."""
        shown = [width for width in self.cells if width]
        joined = bool(self.cells[SO_FAR] and self.cells[SO_FAR_DIMS])  # by one blank
        return MARK + sum(shown) + GAP * (len(shown) - 1) - joined

    def without(self, column: int) -> "Widths":
        """The same widths, a column left out."""
        return self.narrowed(column, 0)

    def narrowed(self, column: int, width: int) -> "Widths":
        """The same widths but for one column."""
        return Widths((*self.cells[:column], width, *self.cells[column + 1 :]))


def shown_factors(found: JacobianView) -> list[tuple[Factor, Chain]]:
    """The factors in the order of the layout with their chain; of a sum those of every path."""
    return [
        (factor, path)
        for path in found.chain.paths or (found.chain,)
        for factor in (path.factors[::-1] if found.transposed else path.factors)
    ]


def so_far(found: JacobianView, factor: Factor, path: Chain) -> tuple[str, str]:
    """The product of a chain from its left up to a factor: symbol and sizes, not multiplied."""
    symbol = f"∂{found.primals.symbol(path.of)}/∂{found.primals.symbol(factor.wrt)}"
    dims = path.factors[0].dims[0], factor.dims[1]
    if found.transposed:
        return f"({symbol})ᵀ", dims_text(dims[::-1])
    return symbol, dims_text(dims)


def shown_symbol(found: JacobianView, factor: Factor) -> str:
    """The symbol of a factor or of a product as the layout has it."""
    return f"({factor.symbol})ᵀ" if found.transposed else factor.symbol


def dims_of(found: JacobianView, jacobian: Jacobian) -> tuple[int, int]:
    """Rows and columns of a Jacobian in the layout."""
    rows, cols = jacobian.dims
    return (cols, rows) if found.transposed else (rows, cols)


@dataclass(frozen=True, eq=False)
class Table:
    """The headings, and a line for each factor, made where it is seen: a deep chain has many."""

    rows: list[tuple[str, ...]]
    widths: Widths
    chosen: int
    width: int

    def __len__(self) -> int:
        return 1 + len(self.rows)

    def line(self, y: int) -> Line:
        """The headings at 0, then the factors in turn."""
        if y == 0:
            return fitted(heading(self.widths), self.width)
        line = table_line(self.rows[y - 1], self.widths, y - 1 == self.chosen, self.width)
        return fitted(line, self.width)


def table(found: JacobianView, chosen: int, width: int) -> Table:
    """A line for each factor: its tensors, sizes and structure, and the product up to it."""
    rows = table_cells(found)
    widths = fitting([max(map(cell_len, column)) for column in zip(*rows, strict=True)], width)
    return Table(rows, widths, chosen, width)


def table_cells(found: JacobianView) -> list[tuple[str, ...]]:
    """The texts of the table, a tuple of six for each factor."""
    rows: list[tuple[str, ...]] = []
    last: Chain | None = None
    for factor, path in shown_factors(found):
        sign = "+ " if last is not None and path is not last else ""  # where a path begins
        last = path
        rows.append(
            (
                sign + shown_symbol(found, factor),
                f"{factor.of} ← {factor.wrt}",
                dims_text(dims_of(found, factor.jacobian)),
                factor.structure,
                *so_far(found, factor, path),
            )
        )
    return rows


def fitting(needed: Sequence[int], width: int) -> Widths:
    """The widths of the columns: names are cut first, then the symbol of ``so far`` goes.

    Sizes are never cut: where there is no room for them they go too, the factor's own at last.
    """
    heads = [len(HEADS[0]), len(HEADS[1]), len(HEADS[2]), len(HEADS[3]), 0, len(HEADS[4])]
    widths = Widths(tuple(max(pair) for pair in zip(needed, heads, strict=True)))
    for spare in ((), (SO_FAR,), (SO_FAR, NAMES), (SO_FAR, NAMES, STRUCTURE)):
        kept = widths
        for column in spare:
            kept = kept.without(column)
        names = kept.cells[NAMES]
        if names:
            names -= max(0, kept.total - width)
            kept = kept.narrowed(NAMES, max(min(LEAST, kept.cells[NAMES]), names))
        if kept.total <= width:
            return kept
    return kept.without(SO_FAR_DIMS)


def heading(widths: Widths) -> Line:
    """The headings of the columns that are shown."""
    shown = [
        head.ljust(width + GAP)
        for head, width in zip(HEADS, widths.cells[:4], strict=False)
        if width
    ]
    last = HEADS[4] if widths.cells[SO_FAR_DIMS] else ""
    return [(f"{' ' * MARK}{''.join(shown)}{last}", "label")]


def table_line(row: Sequence[str], widths: Widths, chosen: bool, width: int) -> Line:
    """A factor in the columns that are shown."""
    line: Line = [(" ▶ " if chosen else "   ", "key")]
    for column, (text, room) in enumerate(zip(row, widths.cells, strict=True)):
        if room:
            gap = 1 if column == SO_FAR else GAP
            shown = pair_shortened(text, room) if column == NAMES else text
            line += [*cell(shown, ROLES[column], room), (" " * gap, "")]
    line = fitted(line[:-1], width)
    return [(text, "cursor" if chosen else role) for text, role in line]


def pair_shortened(text: str, width: int) -> str:
    """``of ← by`` in a width: the longer of the names is cut in the middle, then both."""
    of, arrow, by = text.partition(" ← ")
    spare = width - cell_len(arrow)
    if cell_len(text) <= width or not arrow:
        return text
    left = min(cell_len(of), max(spare // 2, spare - cell_len(by)))
    return f"{shortened(of, left)}{arrow}{shortened(by, spare - left)}"


def cell(text: str, role: str, width: int) -> list[Span]:
    """A text in its column, cut with an ellipsis where that is too narrow."""
    return fitted([(text, role)], width)
