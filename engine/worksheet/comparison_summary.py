"""One sentence about each table of a comparison: what changes, what stays."""

from collections.abc import Iterable
from typing import Any, Protocol

from engine.worksheet.rows import Gradient
from engine.worksheet.worksheet import Worksheet

MANY = 4  # more names than these are counted
NOTHING = "nothing changes"


class Marked(Protocol):
    """A row of a comparison as far as a sentence needs it."""

    @property
    def change(self) -> Any: ...
    @property
    def cells(self) -> Any: ...


class Summaries:
    """The sentences about two worksheets, one for the rows of each of the four tables."""

    def __init__(self, left: Worksheet, right: Worksheet) -> None:
        self.left, self.right = left, right

    def steps(self, rows: list[Marked]) -> str:
        """(a): which steps change, and whether their order does."""
        orders = [[step.phase for step in sheet.steps] for sheet in (self.left, self.right)]
        order = "the order of the steps changes; " if orders[0] != orders[1] else ""
        changed = [
            row.cells[0].left.text.partition(" ")[2]
            for row in rows
            if any(cell.change for cell in row.cells[1:])
        ]
        if not changed:
            return order.removesuffix("; ") or NOTHING
        return f"{order}{listed(changed)} {verb(changed)}"

    def forward(self, rows: list[Marked]) -> str:
        """(b): the rows of which layers change."""
        changed = [name_of(row) for row in rows if row.change]
        if not changed:
            return nothing(rows)
        if changed == ["loss"]:
            return "the loss row changes, nothing else"
        return f"the rows of {listed(changed)} change"

    def gradients(self, rows: list[Marked]) -> str:
        """(c): whether the products change, and what their first factor means."""
        changed = [name_of(row) for row in rows if row.change == "≠"]
        if changed:
            return f"the products for {listed(changed)} change"
        other = [i for i, row in enumerate(rows) if row.change == "~"]
        if not other:
            return nothing(rows)
        return f"the products stay; {self.meanings(other)}"

    def meanings(self, rows: list[int]) -> str:
        """A clause about the first factors in these rows, where their meaning changes."""
        sheets = (self.left.gradients, self.right.gradients)
        before, after = (sheet[rows[0]].numerator[0] for sheet in sheets)
        symbol = before.symbol.text()
        if len(rows) == 1:
            row: Gradient = self.left.gradients[rows[0]]
            written = f"{after.written.text()} instead of {before.written.text()}"
            return f"{symbol} in the row of {row.symbol.text()} is {written}"
        symbols = [self.left.gradients[i].numerator[0].symbol.text() for i in rows]
        return f"{listed(symbols)} in them stand for other formulas"

    def elements(self, rows: list[Marked]) -> str:
        """(d): which factors change, and which stay."""
        changed = [name_of(row, plain=True) for row in rows if row.change]
        stays = [name_of(row, plain=True) for row in rows if not row.change]
        if not changed:
            return nothing(rows)
        rest = f"; {listed(stays)} {'stay' if len(stays) > 1 else 'stays'}" if stays else ""
        return f"{listed(changed)} {verb(changed)}{rest}"


def nothing(rows: list[Marked]) -> str:
    """The sentence for rows of which none changes: whether their names do."""
    named = any(row.cells[0].left.text != row.cells[0].right.text for row in rows)
    return f"{NOTHING} but names" if named else NOTHING


def name_of(row: Marked, plain: bool = False) -> str:
    """A row's name, both where they differ: ``relu1 → sigmoid1``."""
    left, right = (side.text for side in (row.cells[0].left, row.cells[0].right))
    if plain:
        left, right = (side.removeprefix("(").removesuffix(")ᵢ") for side in (left, right))
    return left if left == right else f"{left} → {right}"


def listed(names: Iterable[str]) -> str:
    """Names with commas and an “and”; many of them are counted."""
    found = list(names)
    if len(found) > MANY:
        return f"{', '.join(found[: MANY - 1])} and {len(found) - MANY + 1} more"
    return " and ".join(filter(None, [", ".join(found[:-1]), found[-1]]))


def verb(names: list[str]) -> str:
    """The verb for these names: ``changes`` for one, ``change`` for several."""
    return "change" if len(names) > 1 else "changes"
