"""The Jacobian pane: dimensions, structure and cost first, then a window of values."""

from dataclasses import dataclass

from engine.chain.query import JacobianView, query
from engine.errors import GradstepError
from tui.render.grid import GridWindow, Window, grid_window
from tui.render.sizes import dims_letters, element_rule, has_letters, weight_letters
from tui.render.text.line import Line, fit_parts, fitted, spread
from tui.render.text.numbers import count_text, dims_text, nbytes_text
from tui.view.number_format import NumberFormat
from tui.view.snapshot import View

PICTURES = {
    "zero": ("⎡· · ·⎤", "⎢· · ·⎥", "⎣· · ·⎦"),
    "identity": ("⎡1 · ·⎤", "⎢· 1 ·⎥", "⎣· · 1⎦"),
    "diagonal": ("⎡• · ·⎤", "⎢· • ·⎥", "⎣· · •⎦"),
    "block-diagonal": ("⎡■ · ·⎤", "⎢· ■ ·⎥", "⎣· · ■⎦"),
    "kronecker": ("⎡╲ ╲ ╲⎤", "⎢╲ ╲ ╲⎥", "⎣╲ ╲ ╲⎦"),
    "permutation": ("⎡· • ·⎤", "⎢· · •⎥", "⎣• · ·⎦"),
    "selection": ("⎡· 1 ·⎤", "⎢· · ·⎥", "⎣1 · ·⎦"),
    "toeplitz": ("⎡• • ·⎤", "⎢· • •⎥", "⎣· · •⎦"),
    "dense": ("⎡• • •⎤", "⎢• • •⎥", "⎣• • •⎦"),
}
PICTURE = 9  # cells of a picture, with a blank on both sides


def derivative_of(view: View) -> JacobianView:
    """The derivative of a View in its layout; raises GradstepError where there is none.

    Asked once, whichever panes show it and however often they are painted.
    """
    worked = view.worked
    if worked.refused:
        raise GradstepError(worked.refused)
    if worked.jacobian is None:
        try:
            primals = view.primals
            worked.jacobian = query(primals, view.of, view.wrt, layout=view.derivative.layout)
        except GradstepError as error:
            worked.refused = str(error)
            raise
    return worked.jacobian


def layout_text(view: View, found: JacobianView) -> str:
    """The layout of the derivative, and its sample or batch, in words."""
    sample = found.primals.sample
    samples = len(found.primals.tensors["x"])
    which = f"batch of {samples}" if sample is None else f"sample {sample} of {samples}"
    return f"{view.derivative.layout} layout · {which}"


def jacobian_head(view: View, width: int) -> list[Line]:
    """Three lines with a picture of the structure at the right edge; no derivative: its error."""
    try:
        found = derivative_of(view)
        jacobian = found.jacobian
    except GradstepError as error:
        return [fitted([(f" {error}", "warn")], width), [], []]
    dims, room = JacobianMatrix(found).shape, width - PICTURE
    line = "column" if found.transposed else "row"
    row = f", as one {line} {dims_text(found.dims)}" if found.matrix_dims else ""
    entries = "non-zero" if jacobian.nonzeros == 1 else "non-zeros"
    first = fit_parts(
        [
            (0, [(f" {found.symbol}", "symbol")]),
            (0, [(f"  {dims_text(dims)}", "shape")]),
            (2, [(f" {layout_letters(view, found)}{row}", "shape")]),
            (1, [(f"  {view.of} by {view.wrt}", "name")]),
        ],
        room,
    )
    second = fit_parts(
        [
            (0, [(f" {jacobian.structure}", "")]),
            (1, [(f"  {count_text(jacobian.nonzeros)} {entries}", "")]),
            (2, [(f" of {count_text(dims[0] * dims[1])}", "dim")]),
            (3, [(f"  dense copy {nbytes_text(jacobian.dense_bytes)}", "dim")]),
            (4, [(f"  vjp {count_text(jacobian.cost_vjp)}", "dim")]),
            (4, [(f" · jvp {count_text(jacobian.cost_jvp)}", "dim")]),
            (4, [(f" · all {count_text(jacobian.cost_full)} multiply-adds", "dim")]),
        ],
        room,
    )
    third = spread(
        [(f" {rule_text(view, found)}", "")], [(f" {layout_text(view, found)} ", "dim")], room
    )
    picture = PICTURES[jacobian.structure]
    lines = (first, second, third)
    return [
        spread(fitted(line, room), [(f"{part} ", "curve")], width)
        for line, part in zip(lines, picture, strict=True)
    ]


def rule_text(view: View, found: JacobianView) -> str:
    """What the elements are, why all are zero, or where the factors are to be found."""
    if found.note:
        return found.note
    if found.chain.paths:
        return f"a sum over {len(found.chain.paths)} paths: see Chain"
    rule = element_rule(view.program, view.of, view.wrt) or found.chain.reason
    if rule or len(found.chain.factors) > 1:
        return rule or f"a product of {len(found.chain.factors)} factors: see Chain"
    if not has_letters(view.program):
        return "one factor: a line by what it reads"
    return "one factor: the loss by its target"


def layout_letters(view: View, found: JacobianView) -> str:
    """``(K×h)``, the sizes in letters as the layout shows them; ``(NK×Nh)`` for a batch of N."""
    if not has_letters(view.program):
        return ""
    batch = view.primals.sample is None
    left, right = dims_letters(view.program, found.chain.of, found.chain.wrt, batch)
    if found.matrix_dims:
        left, right = weight_letters(view.program, found.chain.wrt)
    return f"({right}×{left})" if found.transposed else f"({left}×{right})"


@dataclass(frozen=True, eq=False)
class JacobianMatrix:
    """A Jacobian as the pane shows it: the loss by a weight has the weight's own shape."""

    view: JacobianView

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns in the layout."""
        return self.view.matrix_dims or self.view.dims

    def window(
        self, rows: range, cols: range, fmt: NumberFormat = NumberFormat.FIXED, digits: int = 4
    ) -> GridWindow:
        """The formatted cells of a window, with the elements' indices as labels."""
        height, width = self.shape
        rows = range(max(0, rows.start), min(rows.stop, height))
        cols = range(max(0, cols.start), min(cols.stop, width))
        whole = self.view.matrix_dims is not None
        values = self.view.matrix(rows, cols) if whole else self.view.window(rows, cols)
        grid = grid_window(values, range(len(rows)), range(len(cols)), fmt=fmt, digits=digits)
        if whole:
            header, labels = [str(c) for c in cols], [str(r) for r in rows]
        else:
            header = [self.view.col_label(c) for c in cols]
            labels = [self.view.row_label(r) for r in rows]
        return GridWindow(Window(rows, cols), header, labels, grid.cells)


def matrix_of(view: View) -> JacobianMatrix:
    """The matrix that the Jacobian pane shows; raises GradstepError where there is none."""
    return JacobianMatrix(derivative_of(view))
