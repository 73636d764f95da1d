"""The Jacobian and the chain of a captured script: what is known of the paths between two tensors.

Everything comes from :mod:`engine.capture.paths`, as `gradstep jacobian` prints it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from engine.arrays import Shape
from engine.capture.captured import CapturedRun
from engine.capture.paths import Factor, Jacobian, Numbers, jacobian
from engine.errors import GradstepError
from engine.jacobian.operator import Layout
from engine.program.program import CAPTURED
from tui.render.chain import Column, laid_out
from tui.render.grid import GridWindow, Window, grid_window
from tui.render.jacobian import PICTURE, PICTURES
from tui.render.text.clean import clean
from tui.render.text.line import Line, fit_parts, fitted, shortened, spread
from tui.render.text.numbers import count_text, dims_text, nbytes_text, shape_text
from tui.view.derivative import MOST_OPS
from tui.view.number_format import NumberFormat
from tui.view.snapshot import View

AT_ONCE = 2**24  # multiply-adds that numbers may take while a key waits
MOST_READ = 2**19  # elements of operands that are read while a key waits
LONGEST = 24  # cells of the name of a factor in the product
WORDS = {"Kronecker": "kronecker", "Toeplitz": "toeplitz"}


def run_of(view: View) -> CapturedRun:
    """The captured run of a View; a GradstepError where it is another one."""
    if not isinstance(view.run, CapturedRun):
        raise GradstepError(CAPTURED)
    return view.run


def iteration_of(view: View) -> int:
    """The iteration that is looked at, from 0: at the end the last one."""
    return min(view.position.iteration, view.run.timeline.iterations) - 1


def found_in(view: View) -> Jacobian:
    """What is known of the derivative of a View; raises GradstepError where nothing is.

    Asked once, whichever panes show it.
    """
    worked = view.worked
    if worked.refused:
        raise GradstepError(worked.refused)
    if worked.captured is None:
        try:
            worked.captured = asked(view)
        except GradstepError as error:
            worked.refused = str(error)
            raise
    return worked.captured


def asked(view: View) -> Jacobian:
    """The same, found anew."""
    run = run_of(view)
    if run.timeline.end == 0:
        raise GradstepError("nothing was captured yet")
    ops = len(view.listing)
    if ops > MOST_OPS:
        raise GradstepError(f"an iteration of {ops:,} ops: `gradstep jacobian` looks through it")
    return looked_up(run, run.timeline.end, iteration_of(view), view.pair)


@lru_cache(maxsize=8)
def looked_up(run: CapturedRun, end: int, iteration: int, pair: tuple[str, str]) -> Jacobian:
    """A Jacobian of a run that has come as far as ``end``: steps inside an iteration share it."""
    return jacobian(run, iteration, *pair, MOST_READ)


@dataclass(frozen=True, eq=False)
class Matrix:
    """A captured Jacobian as the pane shows it: of the batch or of one sample, in a layout.

    ``offset`` is its first element in the whole one. A gradient of two axes has its own shape.
    """

    found: Jacobian
    dims: tuple[int, int]
    offset: tuple[int, int]
    turned: bool
    own: bool

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns in the layout."""
        if self.own:
            rows, cols = self.found.col_shape
            return rows, cols
        return self.dims[::-1] if self.turned else self.dims

    def window(self, rows: range, cols: range, fmt: NumberFormat, digits: int) -> GridWindow:
        """The cells of a window, with the elements' indices as labels.

        Raises GradstepError where there are no numbers, or they take too long for a key.
        """
        height, width = self.shape
        rows = range(max(0, rows.start), min(rows.stop, height))
        cols = range(max(0, cols.start), min(cols.stop, width))
        numbers = known(self.found, len(cols if self.turned else rows))
        if self.own and self.found.values is not None:
            values = self.found.values[rows.start : rows.stop, cols.start : cols.stop]
            labels, header = [str(i) for i in rows], [str(i) for i in cols]
        else:
            down, across = (cols, rows) if self.turned else (rows, cols)
            down, across = moved(down, self.offset[0]), moved(across, self.offset[1])
            values = numbers.window(down, across)
            values = values.T if self.turned else values
            named = [indices(down, self.found.row_shape), indices(across, self.found.col_shape)]
            labels, header = reversed(named) if self.turned else named
        grid = grid_window(values, range(len(rows)), range(len(cols)), fmt=fmt, digits=digits)
        return GridWindow(Window(rows, cols), header, labels, grid.cells)


def known(found: Jacobian, rows: int) -> Numbers:
    """The numbers; a GradstepError that says why there are none to be seen."""
    if found.numbers is None:
        raise GradstepError(f"dimensions only: {found.why_not}")
    work = found.numbers.cost * rows
    if work > AT_ONCE:
        said = f"{count_text(work)} multiply-adds for {rows} rows: too many for a key"
        raise GradstepError(f"{said}; `gradstep jacobian` prints some")
    return found.numbers


def moved(places: range, by: int) -> range:
    """A range further on."""
    return range(places.start + by, places.stop + by)


def indices(places: range, shape: Shape) -> list[str]:
    """The index of each of some elements in C order: ``2,5``."""
    if not shape:
        return ["" for _ in places]
    found = np.unravel_index(np.arange(places.start, places.stop), shape)
    return [",".join(map(str, index)) for index in zip(*found, strict=True)]


def matrix_in(view: View) -> Matrix:
    """The matrix of a View; raises GradstepError where nothing is known of it."""
    found = found_in(view)
    turned = view.derivative.layout == Layout.GRADIENT
    own = found.values is not None and found.values.ndim == 2
    sample = sample_in(view, found)
    if sample is None or found.sample_dims is None:
        return Matrix(found, found.dims, (0, 0), turned, own)
    dims = found.sample_dims
    # A side that is not of samples, such as a parameter or a loss, stands there whole.
    offset = [
        0 if one == whole else sample * one for one, whole in zip(dims, found.dims, strict=True)
    ]
    return Matrix(found, dims, (offset[0], offset[1]), turned, False)


def samples(found: Jacobian) -> int:
    """The number of samples of a Jacobian that has one for each."""
    assert found.sample_dims is not None
    pairs = zip(found.dims, found.sample_dims, strict=True)
    return max(whole // one if one else 1 for whole, one in pairs)


def sample_in(view: View, found: Jacobian) -> int | None:
    """The chosen sample; None for the whole batch, and where samples are coupled."""
    chosen = view.derivative.sample
    if chosen is None or found.sample_dims is None:
        return None
    return min(chosen, samples(found) - 1)


def layout_words(view: View, found: Jacobian) -> str:
    """The layout, and the sample or the batch."""
    layout = f"{view.derivative.layout} layout"
    if found.sample_dims is None:
        return f"{layout} · whole batch"
    sample, count = sample_in(view, found), samples(found)
    return f"{layout} · " + (
        f"batch of {count}" if sample is None else f"sample {sample} of {count}"
    )


def symbol_of(found: Jacobian, turned: bool) -> str:
    """``∂z/∂x``, transposed in gradient layout."""
    symbol = f"∂{clean(found.of)}/∂{clean(found.wrt)}"
    return f"({symbol})ᵀ" if turned and found.values is None else symbol


# -- the Jacobian pane


def head_lines(view: View, width: int) -> list[Line]:
    """Three lines with a picture of the structure; no derivative: its error."""
    try:
        found, matrix = found_in(view), matrix_in(view)
    except GradstepError as error:
        return [fitted([(f" {clean(str(error))}", "warn")], width), [], []]
    picture = picture_of(found.structure)
    room = width - (PICTURE if picture else 0)
    as_row = f", as one row {dims_text(found.dims)}" if matrix.own else ""
    shapes = f"{shape_text(found.row_shape)} by {shape_text(found.col_shape)}"
    first = fit_parts(
        [
            (0, [(f" {symbol_of(found, matrix.turned)}", "symbol")]),
            (0, [(f"  {dims_text(matrix.shape)}", "shape")]),
            (1, [(as_row, "shape")]),
            (2, [(f"  of {shapes}", "dim")]),
        ],
        room,
    )
    size = nbytes_text(math.prod(found.dims) * found.itemsize)
    second = fit_parts(
        [
            (0, [(f" {found.structure}", "")]),
            (1, [(f"  whole batch {dims_text(found.dims)}", "")]),
            (2, [(f"  dense it would take {size}", "dim")]),
        ],
        room,
    )
    third = spread([(f" {origin(found)}", "")], [(f" {layout_words(view, found)} ", "dim")], room)
    lines = [first, second, third]
    if not picture:
        return [fitted(line, width) for line in lines]
    return [
        spread(fitted(line, room), [(f"{part} ", "curve")], width)
        for line, part in zip(lines, picture, strict=True)
    ]


def picture_of(structure: str) -> Sequence[str]:
    """The picture of a structure; none of a product, or of what is not known."""
    word = structure.partition(" ")[0].rstrip(":")
    return PICTURES.get(WORDS.get(word, word), ())


def origin(found: Jacobian) -> str:
    """Where the numbers come from."""
    if found.values is not None:
        return "the gradient that backward has left"
    if found.numbers is not None:
        return "from stored operands, in float64"
    count = len(found.chain)
    return "dimensions only" if count == 1 else f"a product of {count} factors: see Chain"


# -- the chain pane


@dataclass(frozen=True, eq=False)
class PathText:
    """The lines of the chain pane; ``places`` has the line of each factor."""

    above: list[Line]
    factors: list[Line]
    below: list[Line]

    def __len__(self) -> int:
        return len(self.above) + len(self.factors) + len(self.below)

    def line(self, y: int) -> Line:
        """A line of the pane, counted from 0."""
        return [*self.above, *self.factors, *self.below][y]

    @property
    def places(self) -> range:
        """The line of each factor."""
        return range(len(self.above), len(self.above) + len(self.factors))


def path_text(view: View, width: int) -> PathText:
    """The product, a line for each factor, and the chosen one opened: its ops and paths."""
    try:
        found = found_in(view)
    except GradstepError as error:
        return PathText([fitted([(f" {clean(str(error))}", "warn")], width)], [], [])
    turned = view.derivative.layout == Layout.GRADIENT
    chain = found.chain[::-1] if turned else found.chain
    chosen = max(0, min(view.derivative.factor, len(chain) - 1))
    sample = sample_in(view, found)
    by_sample = [one.sample_dims for one in chain]
    sizes = [one.dims for one in chain]
    whole = found.dims
    if sample is not None and found.sample_dims is not None and None not in by_sample:
        sizes = [size for size in by_sample if size is not None]
        whole = found.sample_dims
    words = layout_words(view, found)
    if sample is not None and whole is found.dims:
        words = f"{view.derivative.layout} layout · whole batch"
    texts = [dims_text(size[::-1] if turned else size) for size in (whole, *sizes)]
    head: Line = [
        (f" {symbol_of(found, turned)}", "symbol"),
        (f"  {words}", "dim"),
        ("  conforms ✓", "good"),
    ]
    above = [head, *product(found, chain, texts, turned, width), [(heading(width), "label")]]
    rows = zip(chain, texts[1:], strict=True)
    factors = [factor_line(one, text, i == chosen, width) for i, (one, text) in enumerate(rows)]
    below = [fitted(line, width) for line in opened(chain[chosen], texts[1 + chosen])]
    return PathText([fitted(line, width) for line in above], factors, below)


def product(
    found: Jacobian, chain: Sequence[Factor], texts: Sequence[str], turned: bool, width: int
) -> list[Line]:
    """The factors side by side, the dimensions under each; ``texts`` has those of the whole first.

    A single factor is the whole itself.
    """
    if len(chain) == 1:
        return []
    result = Column(shortened(symbol_of(found, turned), 2 * LONGEST), (f"({texts[0]})",))
    terms = [
        Column(shortened(clean(one.name), LONGEST) + ("ᵀ" if turned else ""), (f"({text})",))
        for one, text in zip(chain, texts[1:], strict=True)
    ]
    return laid_out(result, terms, width)


def heading(width: int) -> str:
    """The names of the columns."""
    return f"   {'factor':<{names_width(width)}}  dims and structure"[:width]


def names_width(width: int) -> int:
    """The cells of a factor's name in the table."""
    return max(16, min(48, width // 2 - 4))


def factor_line(one: Factor, dims: str, chosen: bool, width: int) -> Line:
    """A factor of the table."""
    room = names_width(width)
    name = shortened(f"{clean(one.of)} ← {clean(one.wrt)}", room)
    mark = "⊞" if len(one.ops) > 1 else " "
    line = fitted(
        [
            (f" {mark} ", "key"),
            *fitted([(name, "name")], room),
            (f"  {dims}", "shape"),
            (f"  {one.structure}", ""),
        ],
        width,
    )
    return [(text, "cursor" if chosen else role) for text, role in line]


def opened(one: Factor, dims: str) -> list[Line]:
    """The chosen factor: what it is, and the ops that it stands for."""
    coupled = "" if one.parallel else "; it couples the samples of the batch"
    lines: list[Line] = [
        [],
        [(f" {clean(one.name)}", "symbol"), (f"  {dims}", "shape")],
        [(f"   {one.structure}{coupled}", "")],
    ]
    if one.paths > 1:
        said = f"   {count_text(one.paths)} paths lead there, over {len(one.ops)} ops:"
        lines.append([(said, "label")])
    lines += [[(f"   {clean(formula)}", "")] for formula in one.ops]
    return lines
