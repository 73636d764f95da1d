"""The cells of the worksheet's tables, in Unicode and LaTeX, and the lines around the tables.

Printed, Markdown and LaTeX worksheets and their comparison are all made from these cells.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from engine.arrays import Array
from engine.formulas.latex import math_latex, prose_latex
from engine.formulas.tree import (
    PRODUCT,
    SUM,
    Add,
    Chain,
    Formula,
    Partial,
    Size,
    Subtract,
    Symbol,
    latex_at,
)
from engine.worksheet.rows import (
    Element,
    Forward,
    Gradient,
    Layout,
    Place,
    Shortcut,
    Step,
    added,
)
from engine.worksheet.worksheet import Worksheet

BREAK = re.compile(r" [+-] | = |\\cdot |\\odot |\\allowbreak ")
COMMANDS = re.compile(r"\\(operatorname|text|mathit|mathrm)\{|\\[,;]|[{}^_ ]|(?<=\\)[a-z]+")
NARROW = 8  # characters that fit the narrowest column
LONG = 24  # characters of a formula that fits every column
TIMES = r" \times "
TITLES = {
    "a": "(a) The five steps",
    "b": "(b) Forward, in x, y and the parameters",
    "c": "(c) Gradients",
    "d": "(d) Elements",
}
HEADS = {
    "a": ("step", "mathematics", "PyTorch", "meaning"),
    "b": ("layer", "input", "output", "size"),
    "c": ("parameter", "product", "size"),
    "d": ("factor", "rule", "size"),
}


class Entry(NamedTuple):
    """One cell of a table: as Unicode text, and for LaTeX's text mode."""

    text: str
    latex: str


def math(*formulas: Formula) -> Entry:
    """Formulas with commas between them as a cell."""
    texts, latex = [f.text() for f in formulas], [breakable(f) for f in formulas]
    return Entry(", ".join(texts), ", ".join(latex))


def breakable(formula: Formula) -> str:
    """A formula for LaTeX's text mode, in pieces between which a line may be broken.

    A long piece that has too few places to break is made as narrow as the column.
    """
    return r"\allowbreak ".join(
        rf"\fit{{${piece}$}}" if length > LONG and not breaks_in_time(piece) else f"${piece}$"
        for piece, length in pieces(formula)
    )


def breaks_in_time(latex: str) -> bool:
    """Whether LaTeX may break a line often enough: at an operator that no braces hold."""
    if r"\left" in latex:
        return False  # what grows with its contents is one box
    starts, depth = [0], 0
    for i, char in enumerate(latex):
        depth += (char == "{") - (char == "}")
        if depth == 0 and BREAK.match(latex, i):
            starts.append(i)
    runs = [latex[start:end] for start, end in pairwise([*starts, len(latex)])]
    return all(len(COMMANDS.sub("", run)) <= LONG for run in runs)


def narrow(entry: Entry) -> str:
    """A cell of a narrow column: what has no place to break is made to fit."""
    return rf"\fit{{{entry.latex}}}" if len(entry.text) > NARROW else entry.latex


def pieces(formula: Formula, sign: str = "") -> list[tuple[str, int]]:
    """The terms of a sum, the factors of a chain, with what stands before them; and their length.

    A formula that fits any column is one piece.
    """
    if len(formula.text()) <= LONG:
        return [(sign + formula.latex(), 0)]
    match formula:
        case Add(left, right):
            return [*pieces(left, sign), *pieces(right, "{}+ ")]
        case Subtract(left, right) if right.precedence > SUM:
            return [*pieces(left, sign), *pieces(right, "{}- ")]
        case Chain(factors, dotted):
            first, *rest = (latex_at(factor, PRODUCT) for factor in factors)
            lengths = [len(factor.text()) for factor in factors]
            between = r"{}\cdot " if dotted else r"\,"
            shown = [sign + first, *(between + one for one in rest)]
            return list(zip(shown, lengths, strict=True))
        case _:
            return [(sign + formula.latex(), len(formula.text()))]


def prose(text: str) -> Entry:
    """A sentence or a name as a cell."""
    return Entry(text, prose_latex(text))


def subtitle(sheet: Worksheet) -> str:
    """The line below the title: the sample, and the number of each size symbol."""
    sizes = " · ".join(f"{name} = {count}" for name, count in sheet.sample.numbers.items())
    return " · ".join(filter(None, [sheet.sample.heading, sizes]))


def sizes_line(sheet: Worksheet) -> str:
    """The size of every symbol: ``x n×1 · W⁽¹⁾ h×n · b⁽¹⁾, z₁, z₂ h×1 …``."""
    groups: list[tuple[str, list[str]]] = []
    for symbol, size in sheet.sample.symbol_sizes():
        if groups and groups[-1][0] == size:
            groups[-1][1].append(symbol)
        else:
            groups.append((size, [symbol]))
    return " · ".join(f"{', '.join(symbols)} {size}" for size, symbols in groups)


def step_cells(row: Step) -> tuple[Entry, ...]:
    """The cells of a row of (a): step, mathematics, PyTorch, meaning."""
    phrase = "skipped in this experiment" if row.skipped else row.phrase
    code = f"# {row.code}" if row.skipped else row.code
    latex = f"${math_latex(row.text)}$"
    if row.right is not None:
        latex = equation(Symbol(row.left), row.right).latex
    typed = Entry(code, rf"\texttt{{{prose_latex(code)}}}")
    return prose(row.phase.value), Entry(row.text, latex), typed, prose(phrase)


def forward_cells(row: Forward) -> tuple[Entry, ...]:
    """The cells of a row of (b): layer, input, output, size."""
    if row.same:
        left = row.symbol
        output = Entry(f"{left.text()} = the same", f"${left.latex()} = {{}}$ the same")
    else:
        output = equation(row.symbol, row.output)
    return prose(row.layer), math(*row.inputs), output, size(row.dims)


def equation(left: Formula, right: Formula) -> Entry:
    """The equation left = right as a cell."""
    text = f"{left.text()} = {right.text()}"
    short = len(text) <= LONG
    latex = f"${left.latex()} = {right.latex()}$" if short else ""
    return Entry(text, latex or f"${left.latex()} = {{}}$\\allowbreak {breakable(right)}")


def gradient_cells(row: Gradient, layout: Layout) -> tuple[Entry, ...]:
    """The cells of a row of (c) in a layout: parameter, product, size."""
    return math(row.symbol), math(row.formula(layout)), size(row.dims(layout))


def joined(sizes: Iterable[Entry]) -> Entry:
    """Sizes in parentheses, side by side; LaTeX may break a line between them."""
    found = list(sizes)
    texts, latex = (f"({entry.text})" for entry in found), (f"({entry.latex})" for entry in found)
    return Entry("".join(texts), r"\allowbreak ".join(latex))


def element_cells(row: Element) -> tuple[Entry, ...]:
    """The cells of a row of (d): factor, rule, size."""
    latex = row.symbol.latex()
    left = Entry(row.left, rf"$\left({latex}\right)_{{i}}$" if row.by_element else f"${latex}$")
    return left, math(row.rule), size(row.dims)


def shortcut_cell(row: Shortcut) -> Entry:
    """The equation of a shortcut, ``∂ℓ/∂z₃ = ∂ℓ/∂ŷ · ∂ŷ/∂z₃ = (ŷ − y)ᵀ / K``, and its remark."""
    formulas = (row.symbol, row.left, row.right)
    text = " = ".join(formula.text() for formula in formulas)
    latex = " = ".join(formula.latex() for formula in formulas)
    return Entry(f"{text}: {row.remark}", f"${latex}$: {prose_latex(row.remark)}")


def size(dims: Sequence[Size]) -> Entry:
    """A size in symbols: ``h×n``."""
    if not dims:
        return Entry("1×1", rf"$1{TIMES}1$")
    text = "×".join(part.text() for part in dims)
    return Entry(text, f"${TIMES.join(part.latex() for part in dims)}$")


def size_numbers(at: Place, dims: Sequence[Size]) -> Entry:
    """A size in numbers: ``4×3``."""
    counts = [str(at.count(part)) for part in dims] or ["1", "1"]
    return Entry("×".join(counts), f"${TIMES.join(counts)}$")


def layout_title(layout: Layout) -> str:
    """The title of table (c) with the name of the layout."""
    return f"{TITLES['c']}, {layout} layout"


def gradients_title(sheet: Worksheet, layout: Layout) -> str:
    """The title of table (c) of a worksheet."""
    return f"{TITLES['c']}, as backward adds them" if sheet.whole else layout_title(layout)


def layouts_of(sheet: Worksheet, layouts: Sequence[Layout]) -> Sequence[Layout]:
    """The layouts that table (c) is shown in: of a whole batch that of the parameter alone."""
    return ("gradient",) if sheet.whole else layouts


def path_cells(at: Place, row: Gradient, layout: Layout) -> list[tuple[Entry, Entry, Entry]]:
    """Each product of a gradient with the sizes of its factors in symbols and in numbers.

    From the second one on a plus stands before it. Of a whole batch there is none.
    """
    out = []
    for i, path in enumerate(row.paths(layout)):
        product = math(Chain(tuple(one.written for one in path), layout == "numerator"))
        if i:
            product = Entry(f"+ {product.text}", f"$+${product.latex}")
        symbols = joined(size(one.dims) for one in path)
        numbers = joined(size_numbers(at, one.dims) for one in path)
        out.append((product, symbols, numbers))
    return out


def own_cell(row: Gradient) -> Entry | None:
    """What backward computes for a gradient, of the batch; None where nobody says."""
    if not row.own:
        return None
    return equation(Partial("ℓ", row.symbol.name), added(row.own))


def gradient_lines(at: Place, row: Gradient, layout: Layout) -> list[Entry]:
    """The lines of a cell of (c): the products with their sizes, and what backward computes."""
    own = own_cell(row)
    lines = [entry for cells in path_cells(at, row, layout) for entry in cells]
    if not lines and own is None:
        return [Entry("0: no way leads to it from the loss", "0")]
    if own is None or not lines:
        return lines or [*filter(None, [own])]
    return [
        *lines,
        Entry(f"backward, of the batch: {own.text}", rf"backward, of the batch: {own.latex}"),
    ]


def laid_out(value: Array | None) -> Array | None:
    """A value as rows and columns: a vector as one row, of more axes the last as columns."""
    if value is None or value.ndim == 2:
        return value
    return value.reshape(1, -1) if value.ndim < 2 else value.reshape(-1, value.shape[-1])


def is_column(value: Array | None) -> bool:
    """Whether a value is a column, which is shown as a row to save lines."""
    return value is not None and value.ndim == 2 and value.shape[1] == 1 and len(value) > 1


def remarks(sheet: Worksheet) -> list[Entry]:
    """The lines below the tables: shortcuts, and the definitions of functions and symbols."""
    notes = [shortcut_cell(row) for row in sheet.shortcuts]
    return [
        *notes,
        *(Entry(text, f"${math_latex(text, words=True)}$") for text in sheet.definitions),
    ]
