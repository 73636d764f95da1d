"""The worksheet and the comparison as LaTeX documents: article, amsmath, graphicx; ASCII only.

What is wider than its column and cannot be broken, a matrix or a long factor, is made smaller.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from engine.arrays import Array
from engine.formulas.latex import prose_latex, symbol_latex
from engine.measure.norms import Norms
from engine.worksheet.comparison import Change, Comparison, told
from engine.worksheet.rows import Layout
from engine.worksheet.text import (
    HEADS,
    TITLES,
    Entry,
    element_cells,
    forward_cells,
    gradient_cells,
    gradient_lines,
    gradients_title,
    is_column,
    laid_out,
    layouts_of,
    narrow,
    remarks,
    size_numbers,
    sizes_line,
    step_cells,
    subtitle,
)
from engine.worksheet.worksheet import Worksheet

SHOWN = 6  # rows and columns of a value; more are left out (a matrix of amsmath has up to 10)
TALL = 12  # lines of one row; a longer one goes on below, for no row is broken over two pages
MARKS = {Change.SAME: "", Change.MEANING: r"$\sim$", Change.CHANGED: r"$\ne$"}
PREAMBLE = r"""\documentclass[a4paper,10pt]{article}
\usepackage{amsmath}
\usepackage{graphicx}
\setlength{\textwidth}{18cm}
\setlength{\oddsidemargin}{-1cm}
\setlength{\textheight}{25cm}
\setlength{\topmargin}{-2cm}
\setlength{\parindent}{0pt}
\setlength{\tabcolsep}{4pt}
\setlength{\emergencystretch}{2cm}
\renewcommand{\arraystretch}{1.5}
\newcommand{\cell}[1]{\raggedright #1}
\newcommand{\fit}[1]{{\sbox0{#1}\ifdim\wd0>\linewidth\resizebox{\linewidth}{!}{\usebox0}\else\usebox0\fi}}
\begin{document}
"""
END = "\n\\end{document}\n"


def worksheet_latex(sheet: Worksheet, layouts: Sequence[Layout]) -> str:
    """The worksheet as the source of a LaTeX document, with table (c) once a layout."""
    forward = []
    for row in sheet.forward:
        layer, given, output, size = forward_cells(row)
        column = is_column(row.value)
        value = row.value.T if column and row.value is not None else row.value
        numbers = sizes(size, size_numbers(sheet.sample, row.dims))
        turned = r"^{\top}" if column else ""
        shown = stacked(output, Entry("", fitted(f"{matrix(value)}{turned}")))
        forward.append([narrow(layer), given.latex, shown, numbers])
    elements = []
    for element in sheet.elements:
        left, rule, size = element_cells(element)
        numbers = sizes(size, size_numbers(sheet.sample, element.dims))
        shown = stacked(rule, Entry("", fitted(matrix(element.value))))
        elements.append([narrow(left), shown, numbers])
    steps = [[cell.latex for cell in step_cells(row)] for row in sheet.steps]
    parts = [
        rf"\section*{{{prose_latex(sheet.name)}}}",
        rf"{prose_latex(subtitle(sheet))}\par",
        rf"{prose_latex(sizes_line(sheet))}\par",
        *section(TITLES["a"], HEADS["a"], (2, 6.4, 4.6, 3.4), steps),
        *section(TITLES["b"], HEADS["b"], (2.4, 5, 7.6, 1.6), forward),
    ]
    for layout in layouts_of(sheet, layouts):
        parts += gradients(sheet, layout)
    parts += section(TITLES["d"], HEADS["d"], (2, 12.8, 1.6), elements)
    parts += [rf"{remark.latex}\par" for remark in remarks(sheet)]
    return PREAMBLE + "\n".join(parts) + END


def gradients(sheet: Worksheet, layout: Layout) -> Iterable[str]:
    """Table (c) in one layout, line by line: under each product its sizes and its value."""
    rows = []
    for row in sheet.gradients:
        symbol, _, size = gradient_cells(row, layout)
        value = Entry("", fitted(matrix(row.values(layout))))
        lines = [*gradient_lines(sheet.sample, row, layout), value]
        numbers = sizes(size, size_numbers(sheet.sample, row.dims(layout)))
        parts = [lines[start : start + TALL] for start in range(0, len(lines), TALL)]
        first, *more = (stacked(*part) for part in parts)
        rows.append([narrow(symbol), first, numbers])
        rows += [["", part, ""] for part in more]
    empty = ["none", "the layers have no parameters", ""]
    return section(gradients_title(sheet, layout), HEADS["c"], (2, 12.8, 1.6), rows or [empty])


def comparison_latex(found: Comparison) -> str:
    """A comparison as the source of a LaTeX document: both sides, the changed cells marked."""
    names = [prose_latex(name) for name in found.names]
    parts = [rf"\section*{{{names[0]} $\to$ {names[1]}}}"]
    for table in found.tables:
        rows = []
        for row in table.rows:
            for i, cell in enumerate(told(row)):
                name = row.name.latex if i == 0 else ""
                rows.append([MARKS[cell.change], name, cell.left.latex, cell.right.latex])
        parts += section(table.title, ("", "", *found.names), (0.4, 2.4, 6.8, 6.8), rows)
        parts.append(rf"\textbf{{{prose_latex(table.summary)}}}\par")
    parts += [rf"{remark.latex}\par" for remark in found.remarks]
    if found.norms:
        parts += norms(found.norms, found.names)
    return PREAMBLE + "\n".join(parts) + END


def norms(found: Norms, names: tuple[str, str]) -> Iterable[str]:
    """The table of the gradient norms of both experiments, line by line, with its sentence."""
    rows = []
    for row in found.rows:
        pairs = zip(row.norms, row.factors, strict=True)
        weight = rf"$\lVert \partial\ell/\partial {symbol_latex(row.symbol)} \rVert$"
        rows.append([weight, *(f"${number(value)}$" for pair in pairs for value in pair)])
    heads = ("", names[0], "× next", names[1], "× next")
    title = "(e) Gradient norms after the first backward pass"
    yield from section(title, heads, (3, 3.2, 3, 3.2, 3), rows)
    yield rf"{prose_latex(found.summary(names))}\par"


def section(
    title: str, heads: Sequence[str], widths: Sequence[float], rows: Sequence[Sequence[str]]
) -> Iterable[str]:
    """A heading and its table; ``widths`` of the columns in centimetres.

    Every row is a tabular of its own: LaTeX breaks a page between them, never within one.
    """
    columns = "".join(rf"p{{{width}cm}}" for width in widths)
    begin, end = rf"\begin{{tabular}}{{{columns}}}", r"\end{tabular}\par"
    yield rf"\subsection*{{{prose_latex(title)}}}"
    yield rf"{begin} {' & '.join(prose_latex(head) for head in heads)} \\ \hline {end}\nopagebreak"
    for row in rows:
        yield begin
        yield " & ".join(rf"\cell{{{cell}}}" for cell in row) + r" \tabularnewline"
        yield end


def stacked(*cells: Entry) -> str:
    """The lines of one cell as LaTeX, each a paragraph of its own."""
    return r" \par ".join(cell.latex for cell in cells)


def sizes(*entries: Entry) -> str:
    """A size in symbols and in numbers, each on a line of its own that fits the column."""
    return r" \par ".join(narrow(entry) for entry in entries)


def fitted(formula: str) -> str:
    """A matrix in math mode, no wider than its column."""
    return rf"\fit{{${formula}$}}"


def matrix(value: Array | None) -> str:
    """A matrix for math mode, as a number if (1, 1); of a large one SHOWN rows and columns."""
    value = laid_out(value)
    if value is None:
        return r"\text{too large to be computed whole}"
    if value.size == 1:
        return number(value.item())
    more = r" & \cdots" if value.shape[1] > SHOWN else ""
    rows = [" & ".join(map(number, row[:SHOWN])) + more for row in value[:SHOWN].tolist()]
    if len(value) > SHOWN:
        rows.append(r"\vdots")
    return rf"\begin{{bmatrix}} {ROW_END.join(rows)} \end{{bmatrix}}"


ROW_END = r" \\ "


def number(value: float | None) -> str:
    """A number in four significant digits for math mode; a dash for None."""
    if value is None:
        return r"\text{--}"
    if not np.isfinite(value):
        return r"\text{NaN}" if np.isnan(value) else r"\infty" if value > 0 else r"-\infty"
    mantissa, _, exponent = f"{value:.4g}".partition("e")
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent else mantissa
