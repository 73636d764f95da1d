"""A comparison as tables: side by side where there is room, else one above the other."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table as Grid
from rich.text import Text

from engine.measure.norms import Norms
from engine.worksheet.comparison import Cell, Change, Comparison, Table, told
from tui.render.formula import Lines
from tui.render.reports.worksheet import empty_table
from tui.render.text.clean import clean
from tui.render.text.numbers import compact

SIDE_BY_SIDE = 100  # columns of a terminal
STYLES = {Change.SAME: "dim", Change.MEANING: "yellow", Change.CHANGED: "bold yellow"}
LEGEND = {
    Change.CHANGED: "≠ changed",
    Change.MEANING: "~ the same form, but a symbol in it stands for another formula",
}


def comparison_tables(found: Comparison, width: int) -> Iterator[RenderableType]:
    """The heading, the four tables with their sentences, and the gradient norms."""
    names = tuple(clean(name) for name in found.names)
    wide = width >= SIDE_BY_SIDE
    yield Text(f"{names[0]}  →  {names[1]}", style="bold")
    yield Text(" · ".join(text for kind, text in LEGEND.items() if kind in found.changes))
    for table in found.tables:
        yield side_by_side(table, names) if wide else stacked(table, names)
        yield Lines((table.summary,))
        yield Text("")
    for remark in found.remarks:
        yield Lines((clean(remark.text),))
    if found.norms:
        yield norms_table(found.norms, names)
        yield Lines((clean(f"(e) {found.norms.summary(found.names)}"),))


def side_by_side(table: Table, names: tuple[str, ...]) -> Grid:
    """Both experiments in columns; the first column marks what changes."""
    grid = empty_table(table.title, ("", "", "", *names))
    for row in table.rows:
        for i, cell in enumerate(told(row)):
            style = STYLES[cell.change]
            sides = [Lines((side.text,), style) for side in (cell.left, cell.right)]
            name = clean(row.name.text) if i == 0 else ""
            grid.add_row(cell.change.value, Text(name), Text(cell.head, "dim"), *sides)
    return grid


def stacked(table: Table, names: tuple[str, ...]) -> Grid:
    """What changes in two lines, one for each experiment; what does not in one."""
    grid = empty_table(table.title, ("", "", "A: " + names[0] + "   B: " + names[1]))
    for row in table.rows:
        for i, cell in enumerate(told(row)):
            name = clean(row.name.text) if i == 0 else ""
            lines = Lines(stacked_lines(cell), STYLES[cell.change], formulas=2)
            grid.add_row(cell.change.value, Text(name), lines)
    return grid


def stacked_lines(cell: Cell) -> tuple[str, ...]:
    """Both sides of a cell, or the one text that they share."""
    if cell.left.text == cell.right.text:
        return (cell.left.text,)
    return (f"A: {cell.left.text}", f"B: {cell.right.text}")


def norms_table(norms: Norms, names: tuple[str, ...]) -> Grid:
    """The norm of every weight's gradient in both experiments, and its share of the next one's."""
    heads = ("", f"{names[0]}", "× next", f"{names[1]}", "× next")
    grid = empty_table("(e) Gradient norms after the first backward pass, whole batch", heads)
    for row in norms.rows:
        cells = [
            text
            for norm, factor in zip(row.norms, row.factors, strict=True)
            for text in (number(norm), number(factor))
        ]
        grid.add_row(f"‖∂ℓ/∂{row.symbol}‖", *cells)
    return grid


def number(value: float | None) -> str:
    """A norm or a factor in at most nine characters; a dash for None."""
    return "—" if value is None else compact(value, 9)
