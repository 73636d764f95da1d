"""The chain pane: the product that makes a derivative, factor by factor, sizes under each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.cells import cell_len

from engine.arrays import Array
from engine.chain import Factor
from engine.errors import GradstepError
from engine.jacobian import Jacobian, Layout
from engine.jacobian_query import JacobianView, Term
from engine.worksheet import Layout as Written
from tui.render.jacobian import lens_view, looked_at
from tui.render.line import Line, fitted
from tui.render.numbers import cells, compact, count_text, dims_text
from tui.render.sizes import dims_letters, element_rule, products
from tui.view import View

SMALL = 8  # rows and columns of a factor that is shown in numbers


@dataclass(frozen=True)
class Column:
    """A factor as it stands in a product: its symbol and what stands under it."""

    symbol: str
    under: tuple[str, ...]

    @property
    def width(self) -> int:
        """The width of its column."""
        return max(cell_len(text) for text in (self.symbol, *self.under))


@dataclass(frozen=True)
class ChainText:
    """All lines of the pane, and the line on which each factor of the table stands."""

    lines: list[Line]
    places: list[int]


def chain_text(view: View, width: int) -> ChainText:
    """The product, the table of its factors, and the chosen factor in numbers."""
    try:
        found = lens_view(view)
    except GradstepError as error:
        return ChainText([fitted([(f" {error}", "warn")], width)], [])
    lines: list[Line] = [head(view, found), *product_lines(view, found, width)]
    lines += homework_lines(view, width)
    lines += number_lines(found, width)
    ordered = shown_factors(found)
    chosen = min(view.lens.factor, len(ordered) - 1)
    start = len(lines) + 1
    lines += table(view, found, ordered, chosen, width)
    lines += detail(view, found, ordered[chosen], width)
    return ChainText(
        [fitted(line, width) for line in lines], [start + i for i in range(len(ordered))]
    )


def head(view: View, found: JacobianView) -> Line:
    """What the product is, how it is shown, and whether its factors conform."""
    gaps = found.chain.gaps()
    verdict: Line = [("  conforms ✓", "good")]
    if gaps:
        verdict = [(f"  ✗ {gaps[0].message}", "bad")]
    return [(f" {found.symbol}", "symbol"), (f"  {looked_at(view)}", "dim"), *verdict]


def shown_factors(found: JacobianView) -> list[Factor]:
    """The factors in the order of the layout."""
    factors = list(found.chain.factors)
    return factors[::-1] if found.transposed else factors


def dims_of(found: JacobianView, jacobian: Jacobian) -> tuple[int, int]:
    """Rows and columns in the layout."""
    rows, cols = jacobian.dims
    return (cols, rows) if found.transposed else (rows, cols)


def letters_of(view: View, term: Term) -> str:
    """The letters of a factor's sizes in the layout; only for one sample."""
    if view.moment.sample is None:
        return ""
    rows, cols = dims_letters(view.program, term.of, term.wrt)
    return f"({cols}×{rows})" if view.lens.layout == Layout.GRADIENT else f"({rows}×{cols})"


def product_lines(view: View, found: JacobianView, width: int) -> list[Line]:
    """The chain as a product of Jacobians, the sizes under each factor."""
    columns = [
        Column(term.symbol, (f"({dims_text(term.dims)})", letters_of(view, term)))
        for term in found.terms()
    ]
    return laid_out(found.symbol, columns, dims_text(found.dims), width, "·")


def homework_lines(view: View, width: int) -> list[Line]:
    """The gradient of a parameter as it is written by hand: ∂z₃/∂z₂ is W⁽²⁾, and x stands first."""
    row = products(view.program).get(view.wrt) if view.of == "loss" else None
    if row is None or view.moment.sample is None:
        return []
    layout: Written = "gradient" if view.lens.layout == Layout.GRADIENT else "numerator"
    factors = row.factors(layout)
    counts = sizes_of(view)
    terms = [
        Column(
            f.written.text() if cell_len(f.written.text()) <= 24 else f.symbol.text(),
            (
                f"({counts[f.dims[0].name]}×{counts[f.dims[1].name]})",
                f"({f.dims[0].name}×{f.dims[1].name})",
            ),
        )
        for f in factors
    ]
    rows, cols = row.dims(layout)
    result = f"{counts[rows.name]}×{counts[cols.name]}"
    joint = "·" if view.lens.layout == Layout.NUMERATOR else " "
    title: Line = [(" written out, with W for ∂z/∂z", "label")]
    return [title, *laid_out("", terms, result, width, joint)]


def number_lines(found: JacobianView, width: int) -> list[Line]:
    """The whole product in numbers, the factors side by side; nothing where they do not fit."""
    try:
        matrices = number_matrices(found)
    except GradstepError:
        return []
    if not matrices or any(max(matrix.shape) > SMALL for matrix in matrices):
        return []
    height = max(len(matrix) for matrix in matrices)
    blocks = [framed(matrix_text(matrix), height) for matrix in matrices]
    joints = ["·"] * (len(matrices) - 2) + ["="]
    rows: list[str] = []
    for y in range(height):
        row = blocks[0][y]
        for joint, block in zip(joints, blocks[1:], strict=True):
            row += f" {joint if y == (height - 1) // 2 else ' '} {block[y]}"
        rows.append(row)
    if max(cell_len(row) for row in rows) > width - 3:
        return []
    return [[(" in numbers", "label")], *[[(f"  {row}", "")] for row in rows]]


def number_matrices(found: JacobianView) -> list[Array]:
    """The factors in the order of the layout, and at last the product; empty for large ones.

    The gradient of a weight has the input of its layer as a factor instead of ∂z/∂W.
    """
    factors = [factor.jacobian for factor in found.chain.factors]
    weight = found.matrix_dims is not None and found.moment.sample is not None
    kept = factors[:-1] if weight else factors
    if any(max(jacobian.dims) > SMALL for jacobian in kept):
        return []
    matrices = [np.asarray(j.window(slice(SMALL), slice(SMALL))) for j in kept]
    if weight:
        layer = found.moment.program.tensors[found.chain.wrt].layer
        nodes = found.moment.program.network.nodes
        given = next(node.input for node in nodes if node.name == layer)
        matrices.insert(0, found.moment.read(given).T)
    if found.transposed:
        matrices = [matrix.T for matrix in reversed(matrices)]
    return [*matrices, found.matrix() if weight else found.window()]


def matrix_text(matrix: Array) -> list[str]:
    """A small matrix as rows of text."""
    texts = padded([[compact(value, 6).removesuffix(".0") for value in row] for row in matrix])
    return [" ".join(row) for row in texts]


def framed(rows: list[str], height: int) -> list[str]:
    """A matrix in brackets, in the middle of ``height`` rows."""
    width = max(map(len, rows), default=0)
    body = [f"[{row.ljust(width)}]" for row in rows]
    above = (height - len(body)) // 2
    blank = " " * (width + 2)
    return [blank] * above + body + [blank] * (height - len(body) - above)


def sizes_of(view: View) -> dict[str, int]:
    """The numbers behind the letters of sizes."""
    from engine.sample import Sample

    return {"1": 1, **Sample(view.program, 0, 0).numbers}


def laid_out(left: str, terms: Sequence[Column], result: str, width: int, joint: str) -> list[Line]:
    """Terms side by side with what belongs under them; broken between terms where too long."""
    lead = f"  {left} = " if left else "  = "
    rows: list[Line] = []
    column = cell_len(lead)
    block: list[Line] = [[(lead, "symbol")], [(" " * column, "")], [(" " * column, "")]]
    used = column
    for i, term in enumerate(terms):
        gap = f" {joint} " if i else ""
        if used + cell_len(gap) + term.width > width - 2 and used > column:
            rows += block
            block = [[(" " * column, "")] for _ in range(3)]
            used, gap = column, f"{joint} "
        block[0] += [(gap, "dim"), (centred(term.symbol, term.width), "symbol")]
        for line, text in zip(block[1:], term.under, strict=True):
            line += [(" " * cell_len(gap), ""), (centred(text, term.width), "shape")]
        used += cell_len(gap) + term.width
    block[1] += [(f"  = {result}", "shape")]
    return [*rows, *block]


def centred(text: str, width: int) -> str:
    """A text in the middle of its column."""
    room = width - cell_len(text)
    return " " * (room // 2) + text + " " * (room - room // 2)


def table(
    view: View, found: JacobianView, ordered: Sequence[Factor], chosen: int, width: int
) -> list[Line]:
    """A line for each factor: its tensors, sizes and structure, and the product up to it."""
    partials = {p.wrt: p for p in found.chain.partials(view.program)}
    symbols = max(cell_len(f.symbol) for f in ordered)
    names = max(cell_len(f"{f.of} ← {f.wrt}") for f in ordered)
    heads = f"   {'factor'.ljust(symbols + 2)}{'of ← by'.ljust(names + 2)}dims     structure"
    lines: list[Line] = [[(f"{heads}      so far", "label")]]
    for i, factor in enumerate(ordered):
        dims = dims_text(dims_of(found, factor.jacobian))
        partial = partials.get(factor.wrt)
        line: Line = [
            (" ▶ " if i == chosen else "   ", "key"),
            (factor.symbol.ljust(symbols + 2), "symbol"),
            (f"{factor.of} ← {factor.wrt}".ljust(names + 2), ""),
            (dims.ljust(9), "shape"),
            (factor.structure.ljust(15), "dim"),
        ]
        if partial is not None:
            line += [(f"{partial.symbol} ", "symbol")]
            line += [(dims_text(dims_of(found, partial.jacobian)), "shape")]
        line = fitted(line, width)
        lines.append([(text, "cursor" if i == chosen else role) for text, role in line])
    return lines


def detail(view: View, found: JacobianView, factor: Factor, width: int) -> list[Line]:
    """The chosen factor: its rule, its numbers, and the product from the loss up to it."""
    rule = element_rule(view.program, factor.of, factor.wrt)
    cost = count_text(factor.jacobian.cost_vjp)
    lines: list[Line] = [
        [(f" {factor.symbol}", "symbol"), (f"  {rule}", ""), (f"  vjp {cost} multiply-adds", "dim")]
    ]
    try:
        lines += matrix_lines(factor.jacobian, width)
        partial = next(p for p in found.chain.partials(view.program) if p.wrt == factor.wrt)
        if partial.symbol != factor.symbol:
            lines += [[(f" {partial.symbol}", "symbol"), ("  the product so far", "dim")]]
            lines += matrix_lines(partial.jacobian, width)
    except GradstepError as error:
        lines += [[(f" {error}", "warn")]]
    if len(found.chain.factors) > 2:
        lines += [[(" cheapest order: ", "dim"), (found.chain.order(), "")]]
    return lines


def matrix_lines(jacobian: Jacobian, width: int) -> list[Line]:
    """The corner of a matrix in numbers."""
    rows, cols = jacobian.dims
    fit = max(1, min(SMALL, cols, (width - 8) // 10))
    corner = np.asarray(jacobian.window(range(min(rows, SMALL)), range(fit)))
    more = f" … {cols - fit} more" if cols > fit else ""
    lines: list[Line] = [
        [("    " + "  ".join(row), ""), (more, "dim")] for row in padded(cells(corner))
    ]
    if rows > SMALL:
        lines += [[(f"    … {count_text(rows - SMALL)} more rows", "dim")]]
    return lines


def padded(texts: list[list[str]]) -> list[list[str]]:
    """Cells of one width."""
    width = max((len(text) for row in texts for text in row), default=1)
    return [[text.rjust(width) for text in row] for row in texts]
