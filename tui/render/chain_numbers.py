"""The chain pane in numbers: the whole product side by side, and the chosen factor."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.cells import cell_len

from engine.arrays import Array
from engine.chain.chain import Chain, Factor
from engine.chain.query import SHOWN, JacobianView
from engine.errors import GradstepError
from engine.jacobian.operator import Jacobian
from tui.render.chain_table import dims_of, shown_symbol
from tui.render.sizes import element_rule, has_letters
from tui.render.text.line import Line
from tui.render.text.numbers import cells, compact, count_text, dims_text
from tui.render.text.wrapping import wrapped
from tui.view.snapshot import View

SMALL = 8  # rows of a matrix that are shown in a pane that must be scrolled anyway
MOST_CALLS = 500  # functions for the numbers of one matrix, some milliseconds; one row is shown
MOST_WORK = 2**23  # multiply-adds for the numbers of one matrix; SMALL rows are always shown
NARROWEST = 8  # cells of a number with four decimals, and the gap before it
INDENT = "    "

Dims = tuple[int, int]


@dataclass(frozen=True)
class Room:
    """The cells of the pane, and those that it has when it is shown ``alone``."""

    width: int
    height: int
    alone: Dims


# -- the whole product


def number_lines(found: JacobianView, room: Room, zoom: str) -> list[Line]:
    """The whole product in numbers, the factors side by side; else a line that says why not."""
    if found.chain.paths:
        return why_not("of a sum the chosen factor alone is written out, below")
    dims = number_dims(found)
    if not may_fit(dims, *room.alone):
        rows_, cols = max(dims, key=lambda one: one[0] * one[1])
        large = f"{dims_text((rows_, cols))} has no room beside the others"
        return why_not(f"{large}; the chosen factor is below")
    if takes_long(found):
        return why_not("too many functions to go through at every key; the chosen factor is below")
    try:
        rows = side_by_side(number_matrices(found))
    except GradstepError:
        return why_not("not all factors have values here")
    needed = max(map(cell_len, rows)) + 3
    if needed <= room.width and len(rows) <= highest(room.height):
        return [[(" in numbers", "label")], *[[(f"  {row}", "")] for row in rows]]
    if needed > room.alone[0]:
        return why_not("too wide for the screen; the chosen factor is below")
    what = "wide" if needed > room.width else "high"
    line: Line = [(f" in numbers: too {what} here", "label")]
    if zoom:
        line += [(": ", "label"), (zoom, "key"), (" shows it alone", "label")]
    return [line]


def why_not(reason: str) -> list[Line]:
    """That the product does not stand in numbers, and why."""
    return [[(f" in numbers: {reason}", "label")]]


def highest(height: int) -> int:
    """How many rows the product may have in a pane of ``height`` lines."""
    return min(SHOWN, max(SMALL, height // 2))


def may_fit(dims: Sequence[Dims], width: int, height: int) -> bool:
    """Whether matrices of these sizes could stand side by side, were all numbers digits."""
    needed = sum(2 * cols + 1 for _, cols in dims) + 3 * (len(dims) - 1) + 3
    return needed <= width and max(rows for rows, _ in dims) <= highest(height)


def takes_long(found: JacobianView) -> bool:
    """Whether the numbers of all factors would take longer than a key press may."""
    factors = found.chain.factors
    return sum(one.dims[0] * one.jacobian.calls for one in factors) > MOST_CALLS


def is_weight(found: JacobianView) -> bool:
    """Whether the input of the layer stands for ∂z/∂W, as in the gradient of a weight."""
    layers = has_letters(found.primals.program)
    return layers and found.matrix_dims is not None and found.primals.sample is not None


def number_dims(found: JacobianView) -> list[Dims]:
    """The sizes of the factors and of the product, as :func:`number_matrices` has them."""
    dims = list(found.chain.dims)
    if is_weight(found):
        assert found.matrix_dims is not None
        dims = [(found.matrix_dims[found.transposed], 1), *dims[:-1]]
    if found.transposed:
        dims = [(cols, rows) for rows, cols in reversed(dims)]
    return [*dims, found.matrix_dims if is_weight(found) and found.matrix_dims else found.dims]


def number_matrices(found: JacobianView) -> list[Array]:
    """The factors in the order of the layout, and at last the product.

    The gradient of a weight has the input of its layer as a factor instead of ∂z/∂W.
    """
    weight = is_weight(found)
    factors = [factor.jacobian for factor in found.chain.factors]
    kept = factors[:-1] if weight else factors
    matrices = [np.asarray(j.window(slice(SHOWN), slice(SHOWN))) for j in kept]
    if weight:
        layer = found.primals.program.tensors[found.chain.wrt].layer
        nodes = found.primals.program.network.nodes
        given = next(node.input for node in nodes if node.name == layer)
        matrices.insert(0, found.primals.read(given).T)
    if found.transposed:
        matrices = [matrix.T for matrix in reversed(matrices)]
    return [*matrices, found.matrix() if weight else found.window()]


def side_by_side(matrices: Sequence[Array]) -> list[str]:
    """Matrices in brackets, with dots between the factors and a sign before the product."""
    height = max(len(matrix) for matrix in matrices)
    blocks = [framed(matrix_text(matrix), height) for matrix in matrices]
    joints = ["·"] * (len(matrices) - 2) + ["="]
    rows: list[str] = []
    for y in range(height):
        row = blocks[0][y]
        for joint, block in zip(joints, blocks[1:], strict=True):
            row += f" {joint if y == (height - 1) // 2 else ' '} {block[y]}"
        rows.append(row)
    return rows


def matrix_text(matrix: Array) -> list[str]:
    """A small matrix (rows, columns) as rows of text of one width."""
    texts = padded([[compact(value, 6).removesuffix(".0") for value in row] for row in matrix])
    return [" ".join(row) for row in texts]


def framed(rows: list[str], height: int) -> list[str]:
    """A matrix in brackets, in the middle of ``height`` rows."""
    width = max(map(len, rows), default=0)
    body = [f"[{row.ljust(width)}]" for row in rows]
    above = (height - len(body)) // 2
    blank = " " * (width + 2)
    return [blank] * above + body + [blank] * (height - len(body) - above)


# -- the chosen factor


def detail(
    view: View, found: JacobianView, chosen: tuple[Factor, Chain], room: Room, above: int
) -> list[Line]:
    """The chosen factor of a chain: its rule, its numbers, and the product from the loss up to it.

    ``above``: the lines of the pane that are taken.
    """
    factor, path = chosen
    rule = element_rule(view.program, factor.of, factor.wrt)
    cost = count_text(factor.jacobian.cost_vjp)
    title: Line = [(f" {shown_symbol(found, factor)}", "symbol"), (f"  {rule}", "")]
    lines: list[Line] = [[*title, (f"  vjp {cost} multiply-adds", "dim")]]
    last: list[Line] = []
    if len(path.factors) > 2:
        label, order = path.order().split(": ", 1)
        last = [[(f" {label}: ", "dim"), (order, "")]]
    partial = path.partial(view.program, path.factors.index(factor))
    matrices = [factor.jacobian]
    if partial.symbol != factor.symbol:
        matrices.append(partial.jacobian)
    free = room.height - above - len(matrices) - len(last)
    try:
        rows = shares([dims_of(found, jacobian)[0] for jacobian in matrices], free)
        lines += matrix_lines(found, matrices[0], rows[0], room.width)
        if len(matrices) > 1:
            symbol = shown_symbol(found, partial)
            lines += [[(f" {symbol}", "symbol"), ("  the product so far", "dim")]]
            lines += matrix_lines(found, matrices[1], rows[1], room.width)
    except GradstepError as error:
        lines += [[(f" {part}", "warn")] for part in wrapped(str(error), room.width - 1)]
    return [*lines, *last]


def shares(wanted: Sequence[int], free: int) -> list[int]:
    """How many of the ``free`` lines each matrix has; what one does not need the next one has."""
    found: list[int] = []
    for i, rows in enumerate(wanted):
        others = sum(min(other, free // len(wanted)) for other in wanted[i + 1 :])
        found.append(min(rows, max(SMALL, free - sum(found) - others)))
    return found


def matrix_lines(found: JacobianView, jacobian: Jacobian, room: int, width: int) -> list[Line]:
    """The corner of a matrix in numbers, as the layout has it: ``room`` lines at most."""
    rows, cols = dims_of(found, jacobian)
    high = rows if rows <= room else max(1, room - 1)
    high = min(high, max(SMALL, MOST_WORK // max(1, jacobian.cost_vjp)))
    high = min(high, max(1, MOST_CALLS // jacobian.calls))
    wide = min(cols, max(1, (width - len(INDENT)) // NARROWEST))
    texts = corner(found, jacobian, high, wide)
    each = max((len(text) for row in texts for text in row), default=0) + 2
    fit = max(1, min(wide, (width - len(INDENT) + 2) // each))
    if fit < cols:  # room for the word about the others
        fit = max(1, min(wide, (width - len(INDENT) + 2 - len(more_text(cols))) // each))
    more = more_text(cols - fit) if cols > fit else ""
    lines: list[Line] = [
        [(INDENT + "  ".join(row), ""), (more, "dim")] for row in padded([t[:fit] for t in texts])
    ]
    if rows > high:
        lines += [[(f"{INDENT}… {count_text(rows - high)} more rows", "dim")]]
    return lines


def corner(found: JacobianView, jacobian: Jacobian, rows: int, cols: int) -> list[list[str]]:
    """The first rows and columns of the layout as texts."""
    if found.transposed:
        return cells(np.asarray(jacobian.window(range(cols), range(rows))).T)
    return cells(np.asarray(jacobian.window(range(rows), range(cols))))


def more_text(count: int) -> str:
    """How many columns are not shown."""
    return f" … {count_text(count)} more"


def padded(texts: list[list[str]]) -> list[list[str]]:
    """All texts right-aligned to the width of the widest."""
    width = max((len(text) for row in texts for text in row), default=1)
    return [[text.rjust(width) for text in row] for row in texts]
