"""The worksheet and the comparison as Markdown, with Unicode formulas in its tables."""

import unicodedata
from collections.abc import Iterable, Sequence

from engine.arrays import Array
from engine.formulas.tree import Size
from engine.measure.norms import Norms
from engine.worksheet.comparison import Change, Comparison, told
from engine.worksheet.rows import Layout, Place
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
    remarks,
    size_numbers,
    sizes_line,
    step_cells,
    subtitle,
)
from engine.worksheet.worksheet import Worksheet

SHOWN = 8  # rows and columns of a value; more are left out
SPECIAL = "\\`*_[]<>|#"


def worksheet_markdown(sheet: Worksheet, layouts: Sequence[Layout]) -> str:
    """The worksheet as a Markdown document, with table (c) once a layout."""
    at = sheet.sample
    steps = [
        [step, mathematics, f"`{plain.text}`", meaning]
        for (step, mathematics, _, meaning), plain in (
            (texts(step_cells(row)), step_cells(row)[2]) for row in sheet.steps
        )
    ]
    forward = [
        [*texts(forward_cells(row)[:3]), sizes(at, row.dims), column(row.value)]
        for row in sheet.forward
    ]
    elements = [
        [*texts(element_cells(row)[:2]), sizes(at, row.dims), matrix(row.value)]
        for row in sheet.elements
    ]
    parts = [
        f"# {escaped(sheet.name)}",
        f"{subtitle(sheet)}  \n{sizes_line(sheet)}",
        section(TITLES["a"], HEADS["a"], steps),
        section(TITLES["b"], (*HEADS["b"], "value"), forward),
    ]
    for layout in layouts_of(sheet, layouts):
        parts.append(gradients(sheet, layout))
    parts.append(section(TITLES["d"], (*HEADS["d"], "value"), elements))
    notes = "\n".join(f"- {escaped(remark.text)}" for remark in remarks(sheet))
    return "\n\n".join([*parts, notes] if notes else parts) + "\n"


def gradients(sheet: Worksheet, layout: Layout) -> str:
    """Table (c) in one layout, the sizes of the factors under each product."""
    at, rows = sheet.sample, []
    for row in sheet.gradients:
        symbol = texts(gradient_cells(row, layout)[:1])[0]
        cells = "<br>".join(escaped(line.text) for line in gradient_lines(at, row, layout))
        rows.append([symbol, cells, sizes(at, row.dims(layout)), matrix(row.values(layout))])
    empty = ["none", "the layers have no parameters", "", ""]
    return section(gradients_title(sheet, layout), (*HEADS["c"], "value"), rows or [empty])


def comparison_markdown(found: Comparison) -> str:
    """A comparison as a Markdown document: sides beside each other, changes bold and marked."""
    names = [escaped(name) for name in found.names]
    parts = [f"# {names[0]} → {names[1]}"]
    for table in found.tables:
        rows = []
        for row in table.rows:
            for i, cell in enumerate(told(row)):
                sides = [emphasized(side.text, cell.change) for side in (cell.left, cell.right)]
                name = escaped(row.name.text) if i == 0 else ""
                rows.append([cell.change.value, name, cell.head, *sides])
        parts += [section(table.title, ("", "row", "cell", *names), rows), escaped(table.summary)]
    if found.remarks:
        parts.append("\n".join(f"- {escaped(remark.text)}" for remark in found.remarks))
    if found.norms:
        parts += [norms(found.norms, names), escaped(found.norms.summary(found.names))]
    return "\n\n".join(parts) + "\n"


def norms(found: Norms, names: Sequence[str]) -> str:
    """The table of the gradient norms of both experiments."""
    rows = [
        [
            f"‖∂ℓ/∂{row.symbol}‖",
            *(
                "—" if value is None else f"{value:.4g}"
                for pair in zip(row.norms, row.factors, strict=True)
                for value in pair
            ),
        ]
        for row in found.rows
    ]
    heads = ("weight", names[0], "× next", names[1], "× next")
    return section("(e) Gradient norms after the first backward pass", heads, rows)


def section(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A heading of second level and its table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return f"## {title}\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines)


def texts(cells: Iterable[Entry]) -> list[str]:
    """The Unicode texts of cells, escaped for Markdown."""
    return [escaped(cell.text) for cell in cells]


def sizes(at: Place, dims: Sequence[Size]) -> str:
    """A size in symbols and, on a second line, in numbers: ``h×n``, ``4×3``."""
    return f"{'×'.join(part.text() for part in dims)}<br>{size_numbers(at, dims).text}"


def emphasized(text: str, change: Change) -> str:
    """The escaped text of a cell, in bold where it has changed."""
    return f"**{escaped(text)}**" if change else escaped(text)


def escaped(text: str) -> str:
    """Text that Markdown takes as it is; invisible and control characters by their number."""
    return "".join(escaped_char(c) for c in text)


def escaped_char(c: str) -> str:
    """One character: escaped where Markdown would read it, ``U+200B`` where none can see it."""
    if c in SPECIAL:
        return f"\\{c}"
    hidden = unicodedata.category(c) in ("Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp")
    return f"U+{ord(c):04X}" if hidden else c


def column(value: Array | None) -> str:
    """A column (d, 1) written as a row and transposed; anything else as it is."""
    if value is None or not is_column(value):
        return matrix(value)
    return f"{matrix(value.T)}ᵀ"


def matrix(value: Array | None) -> str:
    """A matrix row by row, as a number if (1, 1); of a large one SHOWN rows and columns."""
    value = laid_out(value)
    if value is None:
        return "too large"
    more = ", …" if value.shape[1] > SHOWN else ""
    rows = [", ".join(number(x) for x in row[:SHOWN]) + more for row in value[:SHOWN].tolist()]
    if len(value) > SHOWN:
        rows.append("…")
    return rows[0] if value.size == 1 else "[" + "<br> ".join(rows) + "]"


def number(value: float) -> str:
    """A number in four significant digits."""
    return f"{value:.4g}".replace("-", "−")
