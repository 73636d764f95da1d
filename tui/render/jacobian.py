"""The Jacobian pane: dimensions, structure and cost first, then a window of values."""

from dataclasses import dataclass

import numpy as np

from engine.arrays import Shape
from engine.chain import Chain, chain
from engine.errors import GradstepError
from engine.jacobian import Jacobian
from tui.lens import Layout
from tui.render.grid import GridWindow, Window, grid_window
from tui.render.line import Line, fit_parts, fitted, spread
from tui.render.numbers import count_text, dims_text, nbytes_text
from tui.render.sizes import dims_letters, element_rule, weight_letters
from tui.view import View

PICTURES = {
    "zero": ("· · ·", "· · ·", "· · ·"),
    "identity": ("1    ", "  1  ", "    1"),
    "diagonal": ("╲    ", "  ╲  ", "    ╲"),
    "block-diagonal": ("██   ", " ▐█▌ ", "   ██"),
    "kronecker": ("╲  ╲ ", " ╲  ╲", "╲  ╲ "),
    "dense": ("█████", "█████", "█████"),
}


def chain_of(view: View) -> Chain:
    """The chain that the lens of a view shows; a GradstepError where there is none."""
    return chain(view.moment, view.of, view.wrt)


def derivative(view: View) -> str:
    """``∂z₂/∂z₁``, in the letters of the tensors."""
    infos = view.program.tensors
    return f"∂{infos[view.of].symbol}/∂{infos[view.wrt].symbol}"


def looked_at(view: View) -> str:
    """How the derivative is shown: layout, and sample or batch."""
    sample = view.moment.sample
    samples = len(view.moment.tensors["x"])
    which = f"batch of {samples}" if sample is None else f"sample {sample} of {samples}"
    return f"{view.lens.layout} layout · {which}"


def jacobian_head(view: View, width: int) -> list[Line]:
    """Three lines, with a picture of the structure at the right edge."""
    try:
        found = chain_of(view)
        jacobian = found.jacobian()
    except GradstepError as error:
        return [fitted([(f" {error}", "warn")], width), [], []]
    matrix = JacobianMatrix(jacobian, view.lens.layout, view.of, view.wrt)
    dims, room = matrix.shape, width - 7
    symbol = derivative(view) if view.lens.layout == "numerator" else f"({derivative(view)})ᵀ"
    letters = layout_letters(view, matrix)
    row = f", as one row {dims_text(jacobian.dims)}" if matrix.as_weight else ""
    first = fit_parts(
        [
            (0, [(f" {symbol}", "symbol")]),
            (0, [(f"  {dims_text(dims)}", "shape")]),
            (2, [(f" {letters}{row}", "shape")]),
            (1, [(f"  {view.of} by {view.wrt}", "name")]),
            (3, [(f"  {looked_at(view)}", "dim")]),
        ],
        room,
    )
    second = fit_parts(
        [
            (0, [(f" {jacobian.structure}", "")]),
            (1, [(f"  {count_text(jacobian.nonzeros)} non-zeros", "")]),
            (2, [(f" of {count_text(dims[0] * dims[1])}", "dim")]),
            (3, [(f"  dense copy {nbytes_text(jacobian.dense_bytes)}", "dim")]),
            (4, [(f"  vjp {count_text(jacobian.cost_vjp)}", "dim")]),
            (4, [(f" · jvp {count_text(jacobian.cost_jvp)}", "dim")]),
            (4, [(f" · all {count_text(jacobian.cost_full)} multiply-adds", "dim")]),
        ],
        room,
    )
    rule = element_rule(view.program, view.of, view.wrt) or found.reason
    rule = rule or f"a product of {len(found.factors)} factors: see Chain"
    third: Line = [(f" {rule}", "")]
    if len(first) and view.lens.layout and room < 60:
        third = [(f" {looked_at(view)}", "dim")]
    picture = PICTURES[jacobian.structure]
    lines = (first, second, third)
    return [
        spread(fitted(line, room), [(f"{part} ", "curve")], width)
        for line, part in zip(lines, picture, strict=True)
    ]


def layout_letters(view: View, matrix: "JacobianMatrix") -> str:
    """``(K×h)``, the sizes in letters as the layout shows them; nothing for a batch."""
    if view.moment.sample is None:
        return ""
    letters = dims_letters(view.program, view.of, view.wrt)
    if matrix.as_weight:
        letters = weight_letters(view.program, view.wrt)
    left, right = letters
    return f"({left}×{right})" if view.lens.layout == "numerator" else f"({right}×{left})"


@dataclass(frozen=True, eq=False)
class JacobianMatrix:
    """A Jacobian as the layout shows it. The loss by a weight has the weight's own shape."""

    jacobian: Jacobian
    layout: Layout
    of: str
    wrt: str

    @property
    def as_weight(self) -> bool:
        """Whether the one row of the loss is shown in the shape of a weight."""
        return self.jacobian.row_shape == () and len(self.jacobian.col_shape) == 2

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns as shown."""
        rows, cols = self.jacobian.col_shape if self.as_weight else self.jacobian.dims
        flip = self.as_weight == (self.layout == "numerator")
        return (cols, rows) if flip else (rows, cols)

    def window(self, rows: range, cols: range) -> GridWindow:
        """The formatted cells of a window, with the elements' indices as labels."""
        height, width = self.shape
        rows = range(max(0, rows.start), min(rows.stop, height))
        cols = range(max(0, cols.start), min(cols.stop, width))
        values = self.weight_values(rows, cols) if self.as_weight else self.values(rows, cols)
        grid = grid_window(values, range(len(rows)), range(len(cols)))
        header, labels = self.labels(rows, cols)
        return GridWindow(Window(rows, cols), header, labels, grid.cells)

    def values(self, rows: range, cols: range) -> np.ndarray:
        """A window of the matrix itself, or of its transpose."""
        if self.layout == "numerator":
            return self.jacobian.window(rows, cols)
        return self.jacobian.window(cols, rows).T

    def weight_values(self, rows: range, cols: range) -> np.ndarray:
        """A window of the loss's row in the shape of the weight: (in, out) or (out, in)."""
        inputs = self.jacobian.col_shape[1]
        r, c = np.asarray(rows)[:, None], np.asarray(cols)[None, :]
        flat = c * inputs + r if self.layout == "numerator" else r * inputs + c
        if flat.size == 0:
            return np.zeros(flat.shape)
        picked = self.jacobian.gather(np.zeros(1, dtype=np.int64), flat.reshape(-1))
        return picked.reshape(flat.shape)

    def labels(self, rows: range, cols: range) -> tuple[list[str], list[str]]:
        """The labels of the columns and of the rows."""
        if self.as_weight:
            return [str(c) for c in cols], [str(r) for r in rows]
        down, across = self.jacobian.row_shape, self.jacobian.col_shape
        if self.layout == "gradient":
            down, across = across, down
        return [element(c, across) for c in cols], [element(r, down) for r in rows]


def element(flat: int, shape: Shape) -> str:
    """The index of an element in its tensor; a scalar has none."""
    if not shape:
        return "ℓ"
    return "[" + ",".join(str(int(i)) for i in np.unravel_index(flat, shape)) + "]"


def matrix_of(view: View) -> JacobianMatrix:
    """The matrix that the Jacobian pane shows; a GradstepError where there is none."""
    return JacobianMatrix(chain_of(view).jacobian(), view.lens.layout, view.of, view.wrt)
