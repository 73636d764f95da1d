"""The cells of the worksheet's tables, in Unicode and LaTeX, and the lines around the tables.

Printed, Markdown and LaTeX worksheets and their comparison are all made from these cells.
"""

from collections.abc import Iterable
from typing import NamedTuple

from engine.formulas.latex import math_latex, prose_latex
from engine.formulas.tree import Formula, Symbol
from engine.worksheet.sample import Dims, Sample
from engine.worksheet.worksheet import Element, Forward, Gradient, Layout, Shortcut, Step, Worksheet

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
    texts, latex = [f.text() for f in formulas], [f"${f.latex()}$" for f in formulas]
    return Entry(", ".join(texts), ", ".join(latex))


def prose(text: str) -> Entry:
    """A sentence or a name as a cell."""
    return Entry(text, prose_latex(text))


def subtitle(sheet: Worksheet) -> str:
    """The line below the title: the sample, and the number of each size symbol."""
    sizes = " · ".join(f"{name} = {count}" for name, count in sheet.sample.numbers.items())
    return f"sample {sheet.sample.index} of the first batch, as columns · {sizes}"


def sizes_line(sheet: Worksheet) -> str:
    """The size of every symbol: ``x n×1 · W⁽¹⁾ h×n · b⁽¹⁾, z₁, z₂ h×1 …``."""
    at = sheet.sample
    groups: list[tuple[str, list[str]]] = []

    def add(symbol: str, size: str) -> None:
        if groups and groups[-1][0] == size:
            groups[-1][1].append(symbol)
        else:
            groups.append((size, [symbol]))

    add("x", f"{at.sizes[0].name}×1")
    for k, node in enumerate(at.nodes):
        inputs, outputs = at.sizes[k].name, at.sizes[k + 1].name
        for role in node.layer.parameters:
            shape = node.layer.parameters[role]
            size = f"{outputs}×{inputs}" if len(shape) > 1 else f"{outputs}×1"
            alone = shape == (1,) and node.layer.outputs > 1  # one number for all of them
            add(node.symbols[role], "1×1" if alone else size)
        if "mask" in node.symbols:
            add(node.symbols["mask"], f"{outputs}×1")
        add(node.symbols["output"], f"{outputs}×1")
    for symbol in at.loss.constants:
        add(symbol, f"{at.sizes[-1].name}×1")
    classes = at.program.data.y.ndim == 1
    if not classes:
        add("y", f"{at.sizes[-1].name}×1")
    groups.append(("scalar", ["y (a class index)", "ℓ"] if classes else ["ℓ"]))
    return " · ".join(f"{', '.join(symbols)} {size}" for size, symbols in groups)


def step_cells(row: Step) -> tuple[Entry, ...]:
    """The cells of a row of (a): step, mathematics, PyTorch, meaning."""
    phrase = "skipped in this experiment" if row.skipped else row.phrase
    code = f"# {row.code}" if row.skipped else row.code
    latex = math_latex(row.text)
    if row.right is not None:
        latex = f"{Symbol(row.left).latex()} = {row.right.latex()}"
    typed = Entry(code, rf"\texttt{{{prose_latex(code)}}}")
    return prose(row.phase.value), Entry(row.text, f"${latex}$"), typed, prose(phrase)


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
    return Entry(f"{left.text()} = {right.text()}", f"${left.latex()} = {right.latex()}$")


def gradient_cells(row: Gradient, layout: Layout) -> tuple[Entry, ...]:
    """The cells of a row of (c) in a layout: parameter, product, size."""
    return math(row.symbol), math(row.formula(layout)), size(row.dims(layout))


def factor_sizes(row: Gradient, layout: Layout) -> Entry:
    """The size of every factor of a gradient in symbols: ``(n×1)(1×K)(K×K)(K×h)(h×h)``."""
    return joined(size(factor.dims) for factor in row.factors(layout))


def factor_numbers(at: Sample, row: Gradient, layout: Layout) -> Entry:
    """The size of every factor of a gradient in numbers: ``(3×1)(1×2)(2×2)(2×4)(4×4)``."""
    return joined(size_numbers(at, factor.dims) for factor in row.factors(layout))


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


def size(dims: Dims) -> Entry:
    """A size in symbols: ``h×n``."""
    text = "×".join(part.text() for part in dims)
    return Entry(text, f"${TIMES.join(part.latex() for part in dims)}$")


def size_numbers(at: Sample, dims: Dims) -> Entry:
    """A size in numbers: ``4×3``."""
    counts = [str(at.count(part)) for part in dims]
    return Entry("×".join(counts), f"${TIMES.join(counts)}$")


def layout_title(layout: Layout) -> str:
    """The title of table (c) with the name of the layout."""
    return f"{TITLES['c']}, {layout} layout"


def remarks(sheet: Worksheet) -> list[Entry]:
    """The lines below the tables: shortcuts, and the definitions of functions and symbols."""
    notes = [shortcut_cell(row) for row in sheet.shortcuts]
    return [
        *notes,
        *(Entry(text, f"${math_latex(text, words=True)}$") for text in sheet.definitions),
    ]
