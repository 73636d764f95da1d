"""The chain pane: the product that makes a derivative, factor by factor, sizes under each."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from rich.cells import cell_len

from engine.chain.chain import Chain, Factor
from engine.chain.query import JacobianView
from engine.chain.repeats import Run, repeats
from engine.errors import GradstepError
from engine.formulas.tree import Transpose
from engine.jacobian.operator import Layout
from engine.worksheet.rows import Layout as Written
from engine.worksheet.sample import Sample
from engine.worksheet.share import share
from tui.render.chain_numbers import Room, detail, number_lines
from tui.render.chain_table import Table, shown_factors, table
from tui.render.claim import claim_lines
from tui.render.jacobian import derivative_of, layout_text
from tui.render.sizes import dims_letters, has_letters, products
from tui.render.text.line import Line, centred, fit_parts, fitted
from tui.render.text.numbers import count_text, dims_text
from tui.view.snapshot import View

SPELLED = 24  # a factor that is written out wider than this stands with its symbol


@dataclass(frozen=True)
class Column:
    """A factor as it stands in a product: its symbol and what stands under it."""

    symbol: str
    under: tuple[str, ...]

    @property
    def width(self) -> int:
        """The width of its column in cells."""
        return max(cell_len(text) for text in (self.symbol, *self.under))


@dataclass(frozen=True, eq=False)
class ChainText:
    """The lines of the pane: the product, the table of the factors, and the chosen one of them."""

    above: list[Line]
    table: Table | None = None
    below: list[Line] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.above) + (0 if self.table is None else len(self.table)) + len(self.below)

    def line(self, y: int) -> Line:
        """A line of the pane, counted from 0."""
        at = y - len(self.above)
        if at < 0 or self.table is None:
            return self.above[y]
        return self.table.line(at) if at < len(self.table) else self.below[at - len(self.table)]

    @property
    def lines(self) -> list[Line]:
        """All lines."""
        return [self.line(y) for y in range(len(self))]

    @property
    def places(self) -> range:
        """The line of each factor of the table."""
        start = len(self.above) + 1
        return range(start, start if self.table is None else start + len(self.table) - 1)


def chain_text(view: View, room: Room) -> ChainText:
    """The product, the table of its factors, and the chosen factor in numbers.

    Where there is no derivative its GradstepError is the only line.
    """
    width = room.width
    claimed = claim_lines(view, width)
    try:
        found = derivative_of(view)
    except GradstepError as error:
        said: list[Line] = [*claimed, [(f" {error}", "warn")]]
        return ChainText([fitted(line, width) for line in said])
    lines: list[Line] = [head(view, found), *claimed, *said_of(view, found, width)]
    lines += product_lines(view, found, width)
    lines += homework_lines(view, found, width)
    lines += number_lines(found, room, view.keys.get("zoom", ""))
    ordered = shown_factors(found)
    chosen = min(view.derivative.factor, len(ordered) - 1)
    factors = table(found, chosen, width)
    below = detail(view, found, ordered[chosen], room, len(lines) + len(factors))
    above, below = ([fitted(line, width) for line in part] for part in (lines, below))
    return ChainText(above, factors, below)


def head(view: View, found: JacobianView) -> Line:
    """The symbol of the product, layout and sample, and whether the dims of its factors conform."""
    gaps = found.chain.gaps()
    verdict: Line = [("  conforms ✓", "good")]
    if gaps:
        verdict = [(f"  ✗ {gaps[0].message}", "bad")]
    layout = layout_text(view, found)
    return [(f" {found.symbol}", "symbol"), (f"  {layout}", "dim"), *verdict]


def share_lines(view: View, found: JacobianView, width: int) -> list[Line]:
    """By what the loss's derivative of one sample and that of the batch differ.

    In lines that of one sample is already its share of the batch's.
    """
    rows = len(view.tensors[view.program.batch_names[0]])
    made = share(view.program, rows) if view.of == view.program.loss else None
    if made is None:
        return []
    row = view.program.tensors[view.wrt].per_sample
    layers = has_letters(view.program)
    sample = found.primals.sample is not None
    if sample and not row and not layers:
        return []
    said = made.of_batch if sample and layers else made.of_sample
    other = view.keys.get("view") if layers else None
    key: Line = [(f"  {other}", "key"), (" shows it", "dim")] if other else []
    return [fit_parts([(0, [(f" {said(found.symbol, row)}", "dim")]), (1, key)], width)]


def letters_of(view: View, of: str, wrt: str) -> str:
    """The letters of the sizes of ``∂of/∂wrt`` in the layout: ``(K×h)``, in a batch ``(NK×Nh)``."""
    rows, cols = dims_letters(view.program, of, wrt, view.primals.sample is None)
    return f"({cols}×{rows})" if view.derivative.layout == Layout.GRADIENT else f"({rows}×{cols})"


def said_of(view: View, found: JacobianView, width: int) -> list[Line]:
    """What is to be said of a derivative beside its product."""
    lines: list[Line] = [[(f" {found.note}", "dim")]] if found.note else []
    return lines + share_lines(view, found, width)


def product_lines(view: View, found: JacobianView, width: int) -> list[Line]:
    """The chain as a product of Jacobians, the sizes under each factor and under the result.

    A sum of chains has a line for each; what stands in brackets follows as a sum of its own.
    """
    result = column(view, found.symbol, found.dims, found.chain.of, found.chain.wrt)
    lines: list[Line] = []
    if not found.chain.paths:
        lines += laid_out(result, columns(view, found, found.chain), width)
    for whole, paths in sums_of(found):
        if whole is not None:
            result = factor_column(view, found, whole)
        for i, path in enumerate(paths):
            start = Column(" " * result.width, ("",) * len(result.under)) if i else result
            lines += laid_out(start, columns(view, found, path), width, " + " if i else " = ")
    return lines + many_lines(found)


def many_lines(found: JacobianView) -> list[Line]:
    """The factors over too many paths to be written out."""
    many = [one for one in found.chain.factors if one.count > 1 and one.expand is None]
    return [
        [(f" {found.shown(one).symbol}", "symbol"), (f" over {count_text(one.count)} paths", "dim")]
        for one in many
        if not found.chain.paths
    ]


def sums_of(found: JacobianView) -> Iterator[tuple[Factor | None, tuple[Chain, ...]]]:
    """The sums that are written out: of factors in brackets again and again the first ones."""
    if found.chain.paths:
        yield None, found.chain.paths
        return
    ordered, runs = runs_of(found, found.chain)
    for run in runs:
        for factor in ordered[run.start : run.start + run.size]:
            if factor.expand is not None:
                yield factor, factor.terms


def runs_of(found: JacobianView, shown: Chain) -> tuple[tuple[Factor, ...], list[Run]]:
    """The factors of a chain in the order of the layout, and which of them are repeated."""
    ordered = shown.factors[::-1] if found.transposed else shown.factors
    return ordered, repeats([(one.dims, one.structure, one.count) for one in ordered])


def columns(view: View, found: JacobianView, shown: Chain) -> list[Column]:
    """The factors of one chain; equal ones again and again as ``(W · D) × 48``."""
    ordered, runs = runs_of(found, shown)
    return folded(runs, lambda i: factor_column(view, found, ordered[i]))


def folded(runs: Sequence[Run], column_of: Callable[[int], Column]) -> list[Column]:
    """The columns of a product, of a run of equal factors the first ones in brackets."""
    made: list[Column] = []
    for run in runs:
        once = [column_of(i) for i in range(run.start, run.start + run.size)]
        if run.times > 1:
            once[0] = replace(once[0], symbol=f"({once[0].symbol}")
            once[-1] = replace(once[-1], symbol=f"{once[-1].symbol}) × {run.times}")
        made += once
    return made


def factor_column(view: View, found: JacobianView, factor: Factor) -> Column:
    """A factor with its sizes, as the layout has it."""
    term = found.shown(factor)
    return column(view, term.symbol, term.dims, term.of, term.wrt)


def column(view: View, symbol: str, dims: tuple[int, int], of: str, wrt: str) -> Column:
    """A factor or a result with its sizes, in letters too where there are some."""
    sizes = (f"({dims_text(dims)})",)
    if not has_letters(view.program):
        return Column(symbol, sizes)
    return Column(symbol, (*sizes, letters_of(view, of, wrt)))


def homework_lines(view: View, found: JacobianView, width: int) -> list[Line]:
    """The gradient of a parameter as it is written by hand: ∂z₃/∂z₂ is W⁽²⁾, and x stands first."""
    if view.of != "loss" or not has_letters(view.program):
        return []
    row = products(view.program).get(view.wrt)
    if row is None:
        return []
    if view.primals.sample is None:
        key = view.keys.get("view")
        more: Line = [(", ", "label"), (key, "key")] if key else []
        return [[(" written out: for one sample", "label"), *more]]
    layout: Written = "gradient" if view.derivative.layout == Layout.GRADIENT else "numerator"
    counts = sizes_of(view)

    def under(rows: str, cols: str) -> tuple[str, str]:
        return f"({counts[rows]}×{counts[cols]})", f"({rows}×{cols})"

    factors = row.factors(layout)

    def written_out(i: int) -> Column:
        one = factors[i]
        text = one.written.text()
        symbol = text if cell_len(text) <= SPELLED else one.symbol.text()
        return Column(symbol, under(one.dims[0].name, one.dims[1].name))

    written = [one.written for one in factors]
    sizes = [(counts[f.dims[0].name], counts[f.dims[1].name]) for f in factors]
    kinds = [type(one.inner if isinstance(one, Transpose) else one) for one in written]
    terms = folded(repeats(list(zip(sizes, kinds, strict=True))), written_out)
    rows, cols = row.dims(layout)
    result = Column(found.symbol, under(rows.name, cols.name))
    title: Line = [(" written out, with W for ∂z/∂z", "label")]
    return [title, *laid_out(result, terms, width)]


def sizes_of(view: View) -> dict[str, int]:
    """The sizes behind their letters, for one sample: n, h, K, … and 1."""

    return {"1": 1, **Sample(view.program, 0, 0).numbers}


def laid_out(result: Column, terms: Sequence[Column], width: int, sign: str = " = ") -> list[Line]:
    """Terms side by side with what belongs under them; broken between terms where too long.

    The sizes of the product stand under its symbol, at the left, where there is always room.
    """
    used = column = 2 + result.width + 3
    block: list[Line] = [
        [("  ", ""), (centred(result.symbol, result.width), "symbol"), (sign, "symbol")],
        *[
            [("  ", ""), (centred(text, result.width), "shape"), ("   ", "")]
            for text in result.under
        ],
    ]
    rows: list[Line] = []
    for i, term in enumerate(terms):
        gap = " · " if i else ""
        if used + cell_len(gap) + term.width > width and used > column:
            rows += block
            block = [[(" " * column, "")] for _ in block]
            used, gap = column, "· "
        block[0] += [(gap, "dim"), (centred(term.symbol, term.width), "symbol")]
        for line, text in zip(block[1:], term.under, strict=True):
            line += [(" " * cell_len(gap), ""), (centred(text, term.width), "shape")]
        used += cell_len(gap) + term.width
    return [*rows, *block]
