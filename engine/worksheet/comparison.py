"""Two worksheets side by side: which rows and cells change, and a sentence about each table.

What counts as a change is the formula or the rule, never a number. A cell may be written the same
and still mean something else: then a symbol in it stands for another formula.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Any

from engine.formulas.latex import prose_latex
from engine.formulas.tree import Formula
from engine.measure.norms import Norms, gradient_norms
from engine.program.line_network import LineNetwork
from engine.program.program import Program
from engine.worksheet.comparison_lines import Matched
from engine.worksheet.comparison_summary import Summaries
from engine.worksheet.rows import Gradient, Layout, Step
from engine.worksheet.sample import Sample, spelled_layers
from engine.worksheet.text import (
    HEADS,
    TITLES,
    Entry,
    element_cells,
    forward_cells,
    gradient_cells,
    layout_title,
    shortcut_cell,
    step_cells,
)
from engine.worksheet.worksheet import WIDTH, Worksheet, worksheet

FORMULAS = ("mathematics", "input", "output", "product", "rule")
ABSENT = Entry("—", "---")


class Change(StrEnum):
    """How a cell differs, in ascending order, and the mark that shows it without colour.

    MEANING: written the same, but a symbol in it stands for another formula.
    """

    SAME = ""
    MEANING = "~"
    CHANGED = "≠"


@dataclass(frozen=True)
class Cell:
    """A cell in both worksheets, and how it changes from left to right."""

    head: str
    left: Entry
    right: Entry
    change: Change


@dataclass(frozen=True)
class Row:
    """A row in both worksheets; its first cell names a step, a layer, a parameter or a factor."""

    cells: tuple[Cell, ...]

    @property
    def name(self) -> Entry:
        """The name of the row; both names, ``relu1 → sigmoid1``, where they differ."""
        left, right = self.cells[0].left, self.cells[0].right
        if left.text == right.text:
            return left
        text = f"{left.text} → {right.text}"
        return Entry(text, rf"{left.latex} $\to$ {right.latex}")

    @property
    def change(self) -> Change:
        """The greatest change of its cells."""
        return max((cell.change for cell in self.cells), key=list(Change).index)


@dataclass(frozen=True)
class Table:
    """One of the four tables, and what changes in it as a sentence."""

    letter: str
    title: str
    rows: tuple[Row, ...]
    summary: str


@dataclass(frozen=True)
class Comparison:
    """Two worksheets, and the gradient norms after the first backward pass of both."""

    left: Worksheet
    right: Worksheet
    tables: tuple[Table, ...]
    norms: Norms | None

    @property
    def names(self) -> tuple[str, str]:
        """The names of both experiments."""
        return self.left.name, self.right.name

    @property
    def remarks(self) -> list[Entry]:
        """What cancels in either experiment; its name in front where it does in one only."""
        sides = [[shortcut_cell(row) for row in sheet.shortcuts] for sheet in self.sheets]
        if sides[0] == sides[1]:
            return sides[0]
        return [
            Entry(f"{name}: {entry.text}", f"{prose_latex(name)}: {entry.latex}")
            for name, side in zip(self.names, sides, strict=True)
            for entry in side
        ]

    @property
    def sheets(self) -> tuple[Worksheet, Worksheet]:
        """Both worksheets."""
        return self.left, self.right

    @property
    def changes(self) -> set[Change]:
        """The kinds of change that occur anywhere in the tables."""
        return {cell.change for table in self.tables for row in table.rows for cell in row.cells}


def compare(
    left: Program, right: Program, sample: int = 0, layout: Layout = "numerator"
) -> Comparison:
    """Compare the worksheets of two experiments for one sample of the first batch of each.

    Raises GradstepError where one of them has no such sample.
    """
    if any(isinstance(program.network, LineNetwork) for program in (left, right)):
        return compare_lines(left, right, sample, layout)
    # the same depth for both, or a formula would differ only because one has room for it
    depth = min(spelled_layers(program, WIDTH) for program in (left, right))
    a, b = (worksheet(program, sample, depth) for program in (left, right))
    says = Summaries(a, b)
    tables = (
        table("a", TITLES["a"], step_rows(a, b), says.steps),
        table("b", TITLES["b"], forward_rows(a, b), says.forward),
        table("c", layout_title(layout), gradient_rows(a, b, layout), says.gradients),
        table("d", TITLES["d"], element_rows(a, b), says.elements),
    )
    return Comparison(a, b, tables, gradient_norms(left, right))


def compare_lines(left: Program, right: Program, sample: int, layout: Layout) -> Comparison:
    """As :func:`compare`, where one network at least is of lines: names are no change."""
    a, b = (worksheet(program, sample) for program in (left, right))
    how, says = Matched(a, b), Summaries(a, b)
    steps = []
    for one in a.steps:
        other = next(step for step in b.steps if step.phase == one.phase)
        steps.append(marked("a", numbered(a, one), numbered(b, other), how.step(one, other)))
    forward = matched("b", a.forward, b.forward, forward_cells, how.forward)
    gradients = matched(
        "c",
        a.gradients,
        b.gradients,
        lambda row: gradient_cells(row, layout),
        lambda one, other: how.gradient(one, other, layout),
    )
    elements = matched("d", a.elements, b.elements, element_cells, how.element)
    tables = (
        table("a", TITLES["a"], steps, says.steps),
        table("b", TITLES["b"], forward, says.forward),
        table("c", layout_title(layout), gradients, says.gradients),
        table("d", TITLES["d"], elements, says.elements),
    )
    return Comparison(a, b, tables, gradient_norms(left, right))


def matched(
    letter: str,
    a: Sequence[Any],
    b: Sequence[Any],
    cells: Callable[[Any], Sequence[Entry]],
    how: Callable[[Any, Any], list[int]],
) -> list[Row]:
    """The rows of a table by their place: ``how`` says which cells of a pair change."""
    rows = []
    for left, right in aligned(a, b, lambda row: row.key):
        sides = [cells(row) if row else None for row in (left, right)]
        if left and right:
            rows.append(marked(letter, cells(left), cells(right), how(left, right)))
        else:
            rows.append(paired(letter, sides[0], sides[1]))
    return rows


def marked(letter: str, a: Sequence[Entry], b: Sequence[Entry], how: Sequence[int]) -> Row:
    """A row from the cells of both sides, with the change of each."""
    kinds = list(Change)
    cells = zip(HEADS[letter], a, b, how, strict=True)
    return Row(tuple(Cell(head, x, y, kinds[change]) for head, x, y, change in cells))


def told(row: Row) -> list[Cell]:
    """The cells of a row to show: formulas always, sizes and code where they change."""
    return [cell for cell in row.cells[1:] if cell.change or cell.head in FORMULAS]


def table(letter: str, title: str, rows: list[Row], summary: Callable[[list[Any]], str]) -> Table:
    """A table with its sentence, which ``summary`` makes from the rows."""
    return Table(letter, title, tuple(rows), f"({letter}) {summary(rows)}")


def aligned(a: Sequence[Any], b: Sequence[Any], key: Callable[[Any], Hashable]) -> Iterable[Any]:
    """Pairs of rows with the same key, in order; None where a row has no partner."""
    matcher = SequenceMatcher(None, [key(row) for row in a], [key(row) for row in b], False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            yield from zip(a[i1:i2], b[j1:j2], strict=True)
        else:
            yield from ((row, None) for row in a[i1:i2])
            yield from ((None, row) for row in b[j1:j2])


def paired(
    letter: str, a: Sequence[Entry] | None, b: Sequence[Entry] | None, same: Sequence[bool] = ()
) -> Row:
    """A row from the cells of both sides; ``same`` tells whether equal texts mean the same."""
    one = a or b
    assert one is not None
    blank = [ABSENT] * len(one)
    meanings = [*same, *[True] * (len(one) - len(same))]
    cells = [
        Cell(head, x, y, change(x, y, means))
        for head, x, y, means in zip(HEADS[letter], a or blank, b or blank, meanings, strict=True)
    ]
    return Row(tuple(cells))


def change(a: Entry, b: Entry, same: bool) -> Change:
    """How one cell differs; ``same`` is whether equal texts mean the same."""
    if a.text != b.text:
        return Change.CHANGED
    return Change.SAME if same else Change.MEANING


def step_rows(a: Worksheet, b: Worksheet) -> list[Row]:
    """(a): the steps by their name; where their order differs the number in front shows it."""
    rows = []
    for left in a.steps:
        right = next(step for step in b.steps if step.phase == left.phase)
        same = [True, step_meaning(a, left) == step_meaning(b, right)]
        rows.append(paired("a", numbered(a, left), numbered(b, right), same))
    return rows


def numbered(sheet: Worksheet, step: Step) -> list[Entry]:
    """The cells of a step, its name with its place in the order: ``1 zero_grad``."""
    name, *cells = step_cells(step)
    place = f"{sheet.steps.index(step) + 1} {name.text}"
    return [Entry(place, place.replace("_", r"\_")), *cells]


def step_meaning(sheet: Worksheet, step: Step) -> Formula | str:
    """The formula of a step written out in x and the parameters, or its text where it has none."""
    full = unfolded(sheet)
    return full.written(len(full.nodes)) if step.left == "ŷ" else step.text


def unfolded(sheet: Worksheet) -> Sample:
    """The sample with every formula written out in x and the parameters."""
    assert isinstance(sheet.sample, Sample)
    return Sample(sheet.sample.program, sheet.sample.index, len(sheet.sample.nodes))


def forward_rows(a: Worksheet, b: Worksheet) -> list[Row]:
    """(b): the layers by their place in the network."""
    meanings = [forward_meanings(sheet) for sheet in (a, b)]
    rows = []
    for left, right in aligned(a.forward, b.forward, lambda row: row.key):
        cells = [forward_cells(row) if row else None for row in (left, right)]
        if left and right:
            before, after = meanings[0][left.key], meanings[1][right.key]
            same = [True, *(x == y for x, y in zip(before, after, strict=True))]
            rows.append(renamed(paired("b", cells[0], cells[1], same)))
        else:
            rows.append(paired("b", cells[0], cells[1]))
    return rows


def renamed(row: Row) -> Row:
    """The row of a layer that both networks have: another name for it is no change."""
    name, *cells = row.cells
    return Row((Cell(name.head, name.left, name.right, Change.SAME), *cells))


def forward_meanings(sheet: Worksheet) -> dict[Any, tuple[Formula, Formula]]:
    """The input and output of every row of (b) in full, by its key."""
    full = unfolded(sheet)
    found = {}
    for k, row in enumerate(sheet.forward):
        if k < len(full.nodes):
            found[row.key] = (full.written(k), full.written(k + 1))
        else:
            yhat = full.written(k)
            found[row.key] = (yhat, full.loss_formula(yhat))
    return found


def gradient_rows(a: Worksheet, b: Worksheet, layout: Layout) -> list[Row]:
    """(c): the products with the symbol of every tensor; what z₂ means is told beside them."""
    rows = []
    for left, right in aligned(a.gradients, b.gradients, lambda row: row.key):
        cells = [gradient_cells(row, layout) if row else None for row in (left, right)]
        row = paired("c", cells[0], cells[1])
        if left and right:
            stays = left.skeleton(layout) == right.skeleton(layout)
            means = given_meaning(a, left) == given_meaning(b, right)
            row = with_product(row, stays, means)
        rows.append(row)
    return rows


def with_product(row: Row, stays: bool, means: bool) -> Row:
    """The row with the change of its product: none where only a symbol's meaning changes."""
    head, product, *rest = row.cells
    kind = Change.CHANGED if not stays else Change.SAME if means else Change.MEANING
    return Row((head, Cell(product.head, product.left, product.right, kind), *rest))


def given_meaning(sheet: Worksheet, row: Gradient) -> Formula | None:
    """The tensor that stands first in the gradient of a weight, in full."""
    full = unfolded(sheet)
    name = row.numerator[0].symbol.text()
    places = [k for k, symbol in enumerate(full.tensors) if symbol.name == name]
    return full.written(places[0]) if places else None


def element_rows(a: Worksheet, b: Worksheet) -> list[Row]:
    """(d): the Jacobians by the layer they belong to."""
    rows = []
    for left, right in aligned(a.elements, b.elements, lambda row: row.key):
        cells = [element_cells(row) if row else None for row in (left, right)]
        same = [True, left.rule == right.rule] if left and right else []
        rows.append(paired("d", cells[0], cells[1], same))
    return rows
