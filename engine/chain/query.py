"""A query for one Jacobian: of which tensor, by which, for which sample, in which layout.

Numerator layout: (size of the numerator) × (size of the denominator), a loss gives one row.
Gradient layout: the transpose, (∂z₂/∂z₁)ᵀ and the factors of the chain in reverse order. The
derivative of the loss by a parameter matrix is also a matrix itself: (in × out) in numerator
layout, (out × in), the parameter's own shape, in gradient layout.

For one sample, activations are columns without a batch axis, and the loss is that of a batch which
is this sample alone: ‖ŷ − y‖² for mse/sum, 1/K Σ for bce/mean. For the batch it is the loss itself.
"""

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np

from engine.arrays import Array, Shape, frozen
from engine.chain.chain import Chain, Factor, chain
from engine.chain.primals import Primals, Standing, primals_of
from engine.chain.sums import apart, line_chain
from engine.errors import GradstepError
from engine.jacobian.operator import Jacobian, Layout, indices
from engine.program.line_network import LineNetwork
from engine.program.program import Program
from engine.run.phases import Phase

SHOWN = 64  # rows and columns of a window without bounds
MOST = 2**22  # entries of a window with bounds


class Term(NamedTuple):
    """A factor as it stands in the product; ``dims`` and ``symbol`` are in the view's layout."""

    symbol: str
    dims: tuple[int, int]
    structure: str
    of: str
    wrt: str


class Window(NamedTuple):
    """A submatrix: ``values`` of the rows and columns in two half-open ranges (start, stop)."""

    rows: tuple[int, int]
    cols: tuple[int, int]
    values: Array


@dataclass(frozen=True, eq=False)
class JacobianView:
    """``∂of/∂wrt`` at these primals, in a layout; sizes and structure need no values.

    ``note`` says what is shown where it is not quite what was asked for. Whatever needs values
    raises GradstepError where they do not exist yet.
    """

    primals: Primals
    chain: Chain
    layout: Layout = Layout.NUMERATOR
    note: str = ""

    def __repr__(self) -> str:
        product = " · ".join(f"{one.symbol} {one.dims[0]}×{one.dims[1]}" for one in self.terms())
        return f"<Jacobian {self.symbol} {self.dims[0]}×{self.dims[1]} = {product or 'I'}>"

    @cached_property
    def jacobian(self) -> Jacobian:
        """The operator, in numerator layout always."""
        return self.chain.jacobian()

    @property
    def transposed(self) -> bool:
        """Whether the layout is the gradient layout, whose rows belong to the denominator."""
        return self.layout == Layout.GRADIENT

    @property
    def symbol(self) -> str:
        """``∂ℓ/∂W⁽¹⁾``, transposed in gradient layout."""
        of, wrt = self.chain.of, self.chain.wrt
        plain = f"∂{self.primals.symbol(of)}/∂{self.primals.symbol(wrt)}"
        return f"({plain})ᵀ" if self.transposed else plain

    @property
    def row_shape(self) -> Shape:
        """The shape of the tensor that the rows run over, in row-major order."""
        return self.jacobian.col_shape if self.transposed else self.jacobian.row_shape

    @property
    def col_shape(self) -> Shape:
        """The shape of the tensor that the columns run over, in row-major order."""
        return self.jacobian.row_shape if self.transposed else self.jacobian.col_shape

    @property
    def dims(self) -> tuple[int, int]:
        """(rows, columns) in the layout of the view."""
        return math.prod(self.row_shape), math.prod(self.col_shape)

    def terms(self, shown: Chain | None = None) -> list[Term]:
        """The factors in the order of the product: reversed and transposed in gradient layout.

        Those of the whole chain, or of one of those that it is a sum of.
        """
        factors = (shown or self.chain).factors
        found = [self.shown(one) for one in factors]
        return found[::-1] if self.transposed else found

    def shown(self, factor: Factor) -> Term:
        """A factor as it stands in the product, transposed in gradient layout."""
        symbol, (rows, cols) = factor.symbol, factor.dims
        if self.transposed:
            symbol, rows, cols = f"({symbol})ᵀ", cols, rows
        return Term(symbol, (rows, cols), factor.structure, factor.of, factor.wrt)

    def described(self, shown: Chain) -> list[dict[str, Any]]:
        """A chain for JSON; a factor over several paths has their number, and the chains."""
        out: list[dict[str, Any]] = []
        factors = shown.factors[::-1] if self.transposed else shown.factors
        for term, factor in zip(self.terms(shown), factors, strict=True):
            one: dict[str, Any] = {
                "factor": term.symbol, "dims": list(term.dims), "structure": term.structure
            }  # fmt: skip
            if factor.count > 1:
                one["count"] = factor.count
            if factor.terms:
                one["paths"] = [self.described(path) for path in factor.terms]
            out.append(one)
        return out

    def row_label(self, i: int) -> str:
        """The element that a row belongs to: ``z₂[3]``, in a batch ``z₂[0, 3]``."""
        return self.label(self.chain.wrt if self.transposed else self.chain.of, self.row_shape, i)

    def col_label(self, j: int) -> str:
        """The element that a column belongs to: ``W⁽¹⁾[2, 1]``."""
        return self.label(self.chain.of if self.transposed else self.chain.wrt, self.col_shape, j)

    def label(self, name: str, shape: Shape, index: int) -> str:
        """An element of a tensor, by its flat index, with its indices: ``z₂[0, 3]``."""
        if not shape:
            return self.primals.symbol(name)
        place = ", ".join(str(int(i)) for i in np.unravel_index(index, shape))
        return f"{self.primals.symbol(name)}[{place}]"

    def window(
        self, rows: slice | range = slice(SHOWN), cols: slice | range = slice(SHOWN)
    ) -> Array:
        """These rows and columns in the layout, read-only; nothing else is computed.

        Slices are cut to size; raises GradstepError for a range that leaves the matrix.
        """
        if self.transposed:
            return frozen(self.jacobian.window(cols, rows).T)
        return self.jacobian.window(rows, cols)

    def corner(self, rows: int = SHOWN, cols: int = SHOWN) -> Window:
        """The window at the top left, of so many rows and columns at most."""
        return self.part((0, min(rows, self.dims[0])), (0, min(cols, self.dims[1])))

    def part(self, rows: tuple[int, int], cols: tuple[int, int]) -> Window:
        """The window of two half-open ranges.

        Raises GradstepError for an empty range or one that leaves the matrix, and for a window of
        more than MOST entries.
        """
        for (start, stop), size, what in zip(
            (rows, cols), self.dims, ("rows", "columns"), strict=True
        ):
            if not 0 <= start < stop <= size:
                raise GradstepError(
                    f"window {what} {start}:{stop}: {self.symbol} has {size:,} {what}, 0:{size}"
                )
        entries = (rows[1] - rows[0]) * (cols[1] - cols[0])
        if entries > MOST:
            raise GradstepError(f"a window of {entries:,} entries: look at {MOST:,} at most")
        return Window(rows, cols, self.window(range(*rows), range(*cols)))

    @property
    def matrix_dims(self) -> tuple[int, int] | None:
        """(rows, columns) of ∂ℓ/∂W as a matrix: (in × out), or (out × in) in gradient layout.

        None for any other derivative.
        """
        shape = self.jacobian.col_shape
        by = self.primals.program.tensors[self.chain.wrt]
        if self.chain.of != "loss" or by.role != "parameter" or len(shape) != 2:
            return None
        return (shape[0], shape[1]) if self.transposed else (shape[1], shape[0])

    def matrix(
        self, rows: slice | range = slice(SHOWN), cols: slice | range = slice(SHOWN)
    ) -> Array:
        """A window of ∂ℓ/∂W as a matrix of :attr:`matrix_dims`, read-only.

        Raises GradstepError where this is no derivative of the loss by a parameter matrix.
        """
        dims = self.matrix_dims
        if dims is None:
            raise GradstepError(f"{self.symbol} is no derivative of the loss by a parameter matrix")
        i, j = indices(rows, dims[0]), indices(cols, dims[1])
        out, inner = (i[:, None], j) if self.transposed else (j, i[:, None])
        places = out * self.jacobian.col_shape[1] + inner
        values = self.jacobian.gather(np.array([0]), places.reshape(-1))
        return frozen(values.reshape(places.shape))

    def as_json(self, window: Window | None, missing: str = "") -> dict[str, Any]:
        """The object of ``gradstep jacobian --json``; ``missing`` says why it has no window."""
        jacobian, chained = self.jacobian, self.chain
        shown: dict[str, Any] | None = None
        if window is not None:
            values = window.values.tolist()
            shown = {"rows": list(window.rows), "cols": list(window.cols), "values": values}
        result: dict[str, Any] = {
            "of": chained.of,
            "wrt": chained.wrt,
            "row_shape": list(self.row_shape),
            "col_shape": list(self.col_shape),
            "dims": list(self.dims),
            "structure": jacobian.structure,
            "nonzeros": jacobian.nonzeros,
            "dense_bytes": jacobian.dense_bytes,
            "chain": self.described(chained),
            "window": shown,
            "symbol": self.symbol,
            "layout": self.layout.value,
            "sample": self.primals.sample,
            "position": self.primals.position,
            "cost": {
                "vjp": jacobian.cost_vjp,
                "jvp": jacobian.cost_jvp,
                "full": jacobian.cost_full,
            },
        }
        if chained.paths:
            result["paths"] = [self.described(path) for path in chained.paths]
        if self.note:
            result["note"] = self.note
        if chained.reason:
            result["reason"] = chained.reason
        if missing:
            result["missing"] = missing
        if self.matrix_dims is not None and window is not None:
            result["matrix"] = {"dims": list(self.matrix_dims), "values": self.matrix().tolist()}
        return result


def query(
    where: Standing | Primals,
    of: str,
    wrt: str,
    sample: int | None = 0,
    layout: Layout = Layout.NUMERATOR,
) -> JacobianView:
    """``∂of/∂wrt`` where a session stands, for one sample or, with None, for the whole batch.

    Primals bring their own sample. Raises GradstepError for unknown tensors and samples.
    """
    primals = where if isinstance(where, Primals) else primals_of(where, sample)
    if not isinstance(primals.program.network, LineNetwork):
        return JacobianView(primals, chain(primals, of, wrt), layout)
    primals, found, note = through_lines(primals, of, wrt)
    return JacobianView(primals, found, layout, note)


# A screen asks for the same derivative several times a frame.
@lru_cache(maxsize=4)
def through_lines(primals: Primals, of: str, wrt: str) -> tuple[Primals, Chain, str]:
    """The sum over the paths of a network of lines, at these primals or those of the batch."""
    found, note = apart(primals, of, wrt)
    return found, line_chain(found, of, wrt), note


def complete_at(program: Program) -> int:
    """The first event with all values of an iteration and unmoved parameters, before update."""
    last = (Phase.FORWARD, Phase.LOSS, Phase.BACKWARD)
    return max((op.index + 1 for op in program.ops if op.phase in last), default=0)
