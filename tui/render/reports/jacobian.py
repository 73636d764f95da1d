"""A Jacobian as lines for a pipe or a terminal: sizes, structure, cost, chain, a window."""

from collections.abc import Generator, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len
from rich.text import Text

from engine.chain.chain import Chain
from engine.chain.query import JacobianView, Window
from tui.render.sizes import element_rule
from tui.render.text.clean import clean
from tui.render.text.line import centred
from tui.render.text.numbers import cells, count_text, dims_text, nbytes_text

ROWS = 20  # of a window
LABEL = 9
GAP = 2


def report(view: JacobianView, window: Window | None, asked: bool, width: int) -> Iterator[Text]:
    """All lines, none wider than ``width`` unless a single name is.

    ``asked``: the window has been asked for, so it is shown itself and not as a matrix.
    """
    yield from head(view)
    yield from about(view)
    yield Text()
    yield from chain_lines(view, width)
    if window is None:
        return
    yield Text()
    if view.matrix_dims is not None and not asked:
        yield from matrix_lines(view, width)
    else:
        yield from window_lines(view, window, width)


def head(view: JacobianView) -> Iterator[Text]:
    """Two lines: the derivative, and its sample or batch, layout and position."""
    primals = view.primals
    who = (
        f"sample {primals.sample}" if primals.sample is not None else f"batch of {primals.samples}"
    )
    yield Text(f"{view.symbol}  {clean(view.chain.of)} by {clean(view.chain.wrt)}", "bold")
    yield Text(f"{who}, {view.layout} layout, at {clean(primals.position)}", "dim")


def about(view: JacobianView) -> Iterator[Text]:
    """Sizes, structure and cost."""
    jacobian, dims = view.jacobian, view.dims
    total = count_text(dims[0] * dims[1])
    as_matrix = view.matrix_dims
    shown = f", as a matrix {dims_text(as_matrix)}" if as_matrix else ""
    yield row("dims", f"{dims_text(dims)}{shown}")
    said = f"{jacobian.structure}; {count_text(jacobian.nonzeros)} of {total} entries can differ"
    yield row("structure", f"{said} from 0")
    yield row("dense", nbytes_text(jacobian.dense_bytes))
    costs = (jacobian.cost_vjp, jacobian.cost_jvp, jacobian.cost_full)
    names = ("VJP", "JVP", "all entries")
    pairs = ", ".join(f"{name} {count_text(c)}" for name, c in zip(names, costs, strict=True))
    yield row("cost", f"{pairs} (multiply-adds)")
    if view.note:
        yield row("note", clean(view.note))
    if view.chain.reason:
        yield row("zero", clean(view.chain.reason))
    rule = element_rule(view.primals.program, view.chain.of, view.chain.wrt)
    if rule and len(view.chain.factors) == 1:
        yield row("element", clean(rule))


def row(label: str, text: str) -> Text:
    """A line of the table: a label and its text."""
    return Text(f"{label:<{LABEL}}  {text}")


def chain_lines(view: JacobianView, width: int) -> Iterator[Text]:
    """The product with the dimensions and the structure under each factor."""
    for i, path in enumerate(view.chain.paths or (view.chain,)):
        yield from product_lines(view, path, width, "+ " if i else " " * GAP)
    product = f"= {dims_text(view.dims)}"
    order = view.chain.order() if len(view.chain.factors) > 2 and not view.transposed else ""
    yield Text(" " * GAP + product + (f"   {order}" if order else ""))
    if not view.chain.paths:
        yield from bracket_lines(view, width)
    for gap in view.chain.gaps():
        yield Text(f"{' ' * GAP}✗ {clean(gap.message)}", "red")


def product_lines(view: JacobianView, path: Chain, width: int, sign: str) -> Iterator[Text]:
    """The factors of one chain, behind a sign where they are added to another one."""
    columns = [
        (clean(term.symbol), f"({dims_text(term.dims)})", term.structure)
        for term in view.terms(path)
    ]
    for start, stop in broken([column_width(column) for column in columns], width):
        for level in range(3):
            parts = [centred(c[level], column_width(c)) for c in columns[start:stop]]
            joint = " · " if level == 0 else "   "
            head = sign if level == 0 and start == 0 else " " * GAP
            yield Text((head + joint.join(parts)).rstrip(), "" if level == 0 else "dim")


def bracket_lines(view: JacobianView, width: int) -> Iterator[Text]:
    """Each factor that goes over several paths: these, or how many they are."""
    for factor in view.chain.factors:
        if factor.count == 1:
            continue
        symbol = clean(view.shown(factor).symbol)
        said = "" if factor.expand else ", accumulated"
        yield Text()
        yield Text(f"{symbol} is a sum over {count_text(factor.count)} paths{said}")
        for i, path in enumerate(factor.terms):
            yield from product_lines(view, path, width, "+ " if i else " " * GAP)


def column_width(column: Sequence[str]) -> int:
    """The widest of the texts that stand above one another."""
    return max(cell_len(text) for text in column)


def broken(widths: Sequence[int], width: int) -> Iterator[tuple[int, int]]:
    """The ranges of columns (from, to) of one line each, of columns of these widths."""
    starts, used = [0], GAP
    for i, each in enumerate(widths):
        if used + each > width and i > starts[-1]:
            starts.append(i)
            used = GAP
        used += each + 3
    yield from pairwise([*starts, len(widths)])


def window_lines(view: JacobianView, window: Window, width: int) -> Iterator[Text]:
    """The values with the elements that rows and columns belong to."""
    rows = range(*window.rows)[:ROWS]
    heads = [view.col_label(j) for j in range(*window.cols)[:width]]
    labels = [view.row_label(i) for i in rows]
    shown = yield from grid(labels, heads, np.asarray(window.values), width)
    yield extent(view.dims, (window.rows[0], len(labels)), (window.cols[0], shown))


def matrix_lines(view: JacobianView, width: int) -> Iterator[Text]:
    """The derivative by a parameter matrix as a matrix: (in × out) or (out × in)."""
    dims = view.matrix_dims
    assert dims is not None
    values = view.matrix(slice(ROWS), slice(width))
    one, other = ("out", "in") if view.transposed else ("in", "out")
    labels = [f"{one} {i}" for i in range(values.shape[0])]
    heads = [f"{other} {j}" for j in range(values.shape[1])]
    shown = yield from grid(labels, heads, values, width)
    yield extent(dims, (0, len(labels)), (0, shown))


def grid(
    labels: Sequence[str], heads: Sequence[str], values: NDArray[Any], width: int
) -> Generator[Text, None, int]:
    """A line for each label; as many columns as fit, whose number is returned."""
    side = max(cell_len(label) for label in labels)
    texts = cells(values[: len(labels), : len(heads)])
    widths = [
        max(cell_len(head), *(cell_len(line[j]) for line in texts)) for j, head in enumerate(heads)
    ]
    fits, used = 0, side
    while fits < len(widths) and (fits == 0 or used + GAP + widths[fits] <= width):
        used += GAP + widths[fits]
        fits += 1
    yield Text(joined("", side, heads[:fits], widths), "dim")
    for label, line in zip(labels, texts, strict=True):
        yield Text(joined(label, side, line[:fits], widths))
    return fits


def joined(label: str, side: int, texts: Sequence[str], widths: Sequence[int]) -> str:
    """A line of the grid, right-aligned."""
    parts = [" " * (w - cell_len(t)) + t for t, w in zip(texts, widths, strict=False)]
    return (" " * GAP).join([label + " " * (side - cell_len(label)), *parts])


def extent(dims: tuple[int, int], rows: tuple[int, int], cols: tuple[int, int]) -> Text:
    """Which rows and columns of a matrix are shown, (first, how many) of each."""
    parts = [
        f"{name} {start:,}:{start + count:,} of {size:,}"
        for name, (start, count), size in zip(("rows", "columns"), (rows, cols), dims, strict=True)
    ]
    return Text(", ".join(parts), "dim")
