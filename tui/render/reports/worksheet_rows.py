"""The worksheet row by row, for a list with a cursor: what each shows, and where it happens."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from engine.program.program import Program
from engine.worksheet.places import Row, op_of
from engine.worksheet.rows import Layout
from engine.worksheet.share import share
from engine.worksheet.text import (
    HEADS,
    TITLES,
    gradients_title,
    layouts_of,
    remarks,
    sizes_line,
    subtitle,
)
from engine.worksheet.worksheet import Worksheet
from tui.render.formula import Lines
from tui.render.reports.worksheet import (
    Parts,
    element_parts,
    forward_parts,
    gradient_parts,
    step_parts,
)

# How the columns of a table share the width; those of 0 are as wide as the number beside it.
SHARES = {
    "a": ((0, 9), (1, 0), (0, 27)),
    "b": ((0, 10), (3, 0), (4, 0), (0, 13)),
    "c": ((0, 9), (1, 0), (0, 13)),
    "d": ((0, 9), (1, 0), (0, 13)),
}


@dataclass(frozen=True, eq=False)
class Item:
    """A row of the list: a heading where ``row`` is None; ``op`` is where the row happens."""

    shown: RenderableType
    row: Row | None = None
    op: int | None = None
    marked: bool = False


def worksheet_items(
    program: Program,
    sheet: Worksheet,
    layouts: Sequence[Layout],
    now: int | None,
    rows: int,
    view_key: str,
) -> Iterator[Item]:
    """The heading and the rows of all tables; ``now`` is the op at the cursor, which is marked.

    ``rows`` is the number of samples of the batch, ``view_key`` shows one of them or the batch.
    """

    def item(letter: str, row: Row, parts: Parts) -> Item:
        op = op_of(program, row)
        marked = op is not None and op == now
        return Item(line(letter, parts, marked), row, op, marked)

    above = subtitle(sheet), sizes_line(sheet), *share_of(program, sheet, rows, view_key)
    yield Item(Lines(above, formulas=0))
    yield Item(heading(TITLES["a"], HEADS["a"][:3], "a"))
    phase = program.ops[now].phase if now is not None else None
    for step in sheet.steps:
        marked = step.phase == phase
        yield Item(line("a", step_parts(step), marked), step, op_of(program, step), marked)
    yield Item(heading(TITLES["b"], HEADS["b"], "b"))
    yield from (item("b", row, forward_parts(sheet, row)) for row in sheet.forward)
    for layout in layouts_of(sheet, layouts):
        yield Item(heading(gradients_title(sheet, layout), HEADS["c"], "c"))
        yield from (item("c", row, gradient_parts(sheet, row, layout)) for row in sheet.gradients)
    yield Item(heading(TITLES["d"], HEADS["d"], "d"))
    yield from (item("d", row, element_parts(sheet, row)) for row in sheet.elements)
    yield from (Item(Lines((remark.text,))) for remark in remarks(sheet))


def share_of(program: Program, sheet: Worksheet, rows: int, view_key: str) -> Iterator[str]:
    """By what ∂ℓ/∂ŷ of the sample and that of the batch differ; nothing where it cannot be told."""
    made = share(program, rows)
    if made is not None:
        symbol = f"∂ℓ/∂{program.tensors[program.network.output].symbol}"
        said = made.of_sample if sheet.sample.index is None else made.of_batch
        yield f"{said(symbol)} ({view_key} shows it)"


def grid(letter: str) -> Table:
    """A table without lines whose columns stand below those of the other rows."""
    table = Table.grid(padding=(0, 1, 0, 0), expand=True)
    table.add_column(width=1)
    for ratio, width in SHARES[letter]:
        table.add_column(ratio=ratio or None, width=width or None, overflow="fold")
    return table


def heading(title: str, heads: Sequence[str], letter: str) -> RenderableType:
    """The title of a table over the heads of its columns."""
    table = grid(letter)
    table.add_row("", *(Text(head, "dim") for head in heads))
    whole = Table.grid(expand=True)
    whole.add_row("")
    whole.add_row(Text(title, "bold"))
    whole.add_row(table)
    return whole


def line(letter: str, parts: Parts, marked: bool) -> RenderableType:
    """A row of a table; that of the op at the cursor has a mark in front."""
    table = grid(letter)
    table.add_row(Text("▶" if marked else " "), *parts)
    return table
