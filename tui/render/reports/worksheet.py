"""The worksheet as tables for a terminal of any width."""

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from engine.worksheet.rows import Element, Forward, Gradient, Layout, Step
from engine.worksheet.text import (
    HEADS,
    TITLES,
    element_cells,
    forward_cells,
    gradient_cells,
    gradient_lines,
    gradients_title,
    is_column,
    laid_out,
    layouts_of,
    remarks,
    size_numbers,
    sizes_line,
    step_cells,
    subtitle,
)
from engine.worksheet.worksheet import Worksheet
from tui.render.formula import Lines, Value
from tui.render.text.clean import clean

Parts = tuple[RenderableType, ...]
"""The cells of a row."""


def worksheet_tables(sheet: Worksheet, layouts: Sequence[Layout]) -> Iterator[RenderableType]:
    """The heading, the tables (a) to (d), and the remarks."""
    yield Text(clean(sheet.name), style="bold")
    yield Lines((subtitle(sheet), sizes_line(sheet)), formulas=0)
    yield steps_table(sheet)
    yield forward_table(sheet)
    for layout in layouts_of(sheet, layouts):
        yield gradients_table(sheet, layout)
    yield elements_table(sheet)
    for remark in remarks(sheet):
        yield Padding(Lines((remark.text,)), (0, 1))


def empty_table(title: str, heads: Sequence[str]) -> Table:
    """A table whose title stands on the left; lines between the rows keep tall cells apart."""
    table = Table(
        title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1)
    )
    for head in heads:
        narrow = head in ("step", "PyTorch", "parameter", "factor", "size")
        table.add_column(head, header_style="dim", overflow="fold", no_wrap=narrow)
    return table


def steps_table(sheet: Worksheet) -> Table:
    """(a): step, mathematics and its meaning, PyTorch."""
    table = empty_table(TITLES["a"], HEADS["a"][:3])
    for row in sheet.steps:
        table.add_row(*step_parts(row))
    return table


def step_parts(row: Step) -> Parts:
    """A row of (a)."""
    step, text, code, meaning = (cell.text for cell in step_cells(row))
    style = "dim strike" if row.skipped else ""
    return Text(step, style), Lines((text, meaning), style), Text(code, style)


def forward_table(sheet: Worksheet) -> Table:
    """(b): layer, input, output and its value, size."""
    table = empty_table(TITLES["b"], HEADS["b"])
    for row in sheet.forward:
        table.add_row(*forward_parts(sheet, row))
    return table


def forward_parts(sheet: Worksheet, row: Forward) -> Parts:
    """A row of (b)."""
    layer, given, output, size = (cell.text for cell in forward_cells(row))
    numbers = size_numbers(sheet.sample, row.dims).text
    out = Lines((output,), value=Value(laid_out(row.value), is_column(row.value)))
    return Text(clean(layer)), Lines((given,)), out, Lines((size, numbers))


def gradients_table(sheet: Worksheet, layout: Layout) -> Table:
    """(c): parameter, product with the sizes of its factors and its value, size."""
    table = empty_table(gradients_title(sheet, layout), HEADS["c"])
    for row in sheet.gradients:
        table.add_row(*gradient_parts(sheet, row, layout))
    if not sheet.gradients:
        table.add_row(Text("none"), Text("the layers have no parameters"), Text(""))
    return table


def gradient_parts(sheet: Worksheet, row: Gradient, layout: Layout) -> Parts:
    """A row of (c)."""
    symbol, _, size = (cell.text for cell in gradient_cells(row, layout))
    lines = tuple(line.text for line in gradient_lines(sheet.sample, row, layout))
    value = Value(laid_out(row.values(layout)))
    numbers = size_numbers(sheet.sample, row.dims(layout)).text
    return Text(clean(symbol)), Lines(lines, value=value), Lines((size, numbers))


def elements_table(sheet: Worksheet) -> Table:
    """(d): factor, rule and its values, size."""
    table = empty_table(TITLES["d"], HEADS["d"])
    for row in sheet.elements:
        table.add_row(*element_parts(sheet, row))
    return table


def element_parts(sheet: Worksheet, row: Element) -> Parts:
    """A row of (d)."""
    left, rule, size = (cell.text for cell in element_cells(row))
    numbers = size_numbers(sheet.sample, row.dims).text
    return (
        Text(clean(left)),
        Lines((rule,), value=Value(laid_out(row.value))),
        Lines((size, numbers)),
    )
