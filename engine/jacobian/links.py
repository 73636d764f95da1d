"""Where a Jacobian can be non-zero: links between digits of the two flat indices.

A flat index in row-major order is a number with mixed digits, an axis each. A link ties a digit of
the row to a digit of the column: equal, in a given relation, or free on one side. The links of a
term hold at once, so its non-zeros are the product of theirs; several terms add up. In digits a
reshape changes nothing, and a product of Jacobians meets digit by digit: what is done with terms
is in :mod:`engine.jacobian.terms`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from engine.arrays import Shape
from engine.jacobian.operator import Index


@dataclass(frozen=True, eq=False)
class Pairs:
    """A relation of digits: ``fetch`` gives (rows, columns), ascending in the rows.

    ``given`` is False where it depends on values, as of an index; ``toeplitz`` for a convolution.
    """

    count: int
    fetch: Callable[[], tuple[Index, Index]]
    given: bool = True
    toeplitz: bool = False

    def transposed(self) -> "Pairs":
        """The same pairs, ascending in the columns, as (columns, rows)."""

        def fetch() -> tuple[Index, Index]:
            outs, ins = self.fetch()
            order = np.argsort(ins, kind="stable")
            return ins[order], outs[order]

        return replace(self, fetch=fetch)

    def same(self, other: "Pairs") -> bool:
        """Whether two relations are known to be equal."""
        if self is other:
            return True
        if not (self.given and other.given) or self.count != other.count:
            return False
        mine, theirs = self.fetch(), other.fetch()
        return np.array_equal(mine[0], theirs[0]) and np.array_equal(mine[1], theirs[1])


@dataclass(frozen=True)
class Link:
    """A digit of the row, ``rows`` values at a stride, and one of the column.

    Without ``pairs`` both are equal; or, where one has a single value, the other one is free.
    """

    row_stride: int
    rows: int
    col_stride: int
    cols: int
    pairs: Pairs | None = None

    @property
    def equal(self) -> bool:
        """Whether it says that two digits are equal."""
        return self.pairs is None and self.rows == self.cols

    @property
    def free(self) -> bool:
        """Whether it says nothing: any value of the digit of one side."""
        return self.pairs is None and self.rows != self.cols

    @property
    def count(self) -> int:
        """How many pairs of digits it allows."""
        if self.pairs is not None:
            return self.pairs.count
        return max(self.rows, self.cols)

    def transposed(self) -> "Link":
        """The same link from column to row."""
        pairs = None if self.pairs is None else self.pairs.transposed()
        return Link(self.col_stride, self.cols, self.row_stride, self.rows, pairs)

    def same(self, other: "Link") -> bool:
        """Whether two links are known to say the same."""
        mine = (self.row_stride, self.rows, self.col_stride, self.cols)
        if mine != (other.row_stride, other.rows, other.col_stride, other.cols):
            return False
        if self.pairs is None or other.pairs is None:
            return self.pairs is other.pairs
        return self.pairs.same(other.pairs)


Term = tuple[Link, ...]
Terms = tuple[Term, ...]


def free_row(stride: int, size: int) -> list[Link]:
    """A digit of the row that any column meets."""
    return [Link(stride, size, 1, 1)] if size > 1 else []


def free_col(stride: int, size: int) -> list[Link]:
    """A digit of the column that any row meets."""
    return [Link(1, 1, stride, size)] if size > 1 else []


def equal(row_stride: int, col_stride: int, size: int) -> list[Link]:
    """Two digits that are equal."""
    return [Link(row_stride, size, col_stride, size)] if size > 1 else []


def related(
    row: tuple[int, int], col: tuple[int, int], outs: Index, ins: Index, toeplitz: bool = False
) -> list[Link] | None:
    """A relation of two digits (stride, size) as the simplest links; None where it is empty."""
    (row_stride, rows), (col_stride, cols) = row, col
    if not len(outs):
        return None
    if len(outs) == rows * cols:
        return [*free_row(row_stride, rows), *free_col(col_stride, cols)]
    same = rows == cols == len(outs)
    if same and np.array_equal(outs, ins) and np.array_equal(outs, np.arange(rows)):
        return equal(row_stride, col_stride, rows)
    order = np.lexsort((ins, outs))
    kept = outs[order], ins[order]
    return [
        Link(row_stride, rows, col_stride, cols, Pairs(len(outs), lambda: kept, True, toeplitz))
    ]


def strides(shape: Shape) -> list[int]:
    """The strides of the axes in a flat index."""
    out, size = [], 1
    for one in reversed(shape):
        out.append(size)
        size *= one
    return out[::-1]


def digits(shape: Shape) -> list[tuple[int, int]]:
    """(stride, size) of each axis."""
    return list(zip(strides(shape), shape, strict=True))
