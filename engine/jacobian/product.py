"""Products of Jacobians: the chain rule, multiplied no further than what is looked at."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from engine.arrays import Array
from engine.errors import GradstepError
from engine.jacobian.association import Association, Side
from engine.jacobian.operator import Index, Jacobian, Pattern, check_bytes
from engine.jacobian.structures import Identity, Zero


@final
@dataclass(frozen=True, eq=False)
class Product(Jacobian):
    """The lazy matrix product J₁ J₂ … Jₙ of factors that conform; :func:`product` makes it."""

    factors: tuple[Jacobian, ...]

    @cached_property
    def association(self) -> "Association":
        """The cheapest order of multiplication."""
        return Association([factor.pattern for factor in self.factors])

    @property
    def pattern(self) -> Pattern:
        return self.association.patterns[0, len(self.factors)]

    @property
    def cost_vjp(self) -> int:
        return sum(factor.cost_vjp for factor in self.factors)

    @property
    def cost_jvp(self) -> int:
        return sum(factor.cost_jvp for factor in self.factors)

    @property
    def calls(self) -> int:
        return sum(factor.calls for factor in self.factors)

    @property
    def cost_full(self) -> int:
        """The factors, and their multiplication in the cheapest order."""
        multiplied = self.association.costs[0, len(self.factors)]
        return multiplied + sum(factor.cost_full for factor in self.factors)

    def vjps(self, v: Array) -> Array:
        for factor in self.factors:
            v = factor.vjps(v)
        return v

    def jvps(self, u: Array) -> Array:
        for factor in reversed(self.factors):
            u = factor.jvps(u)
        return u

    def between(self, rows: Index, cols: Index) -> list[Index]:
        """The rows, the indices between each pair of factors that link both, and the columns.

        An inner index is kept where it can be reached from the rows and leads to the columns.
        """
        forth = [rows]
        for factor in self.factors[:-1]:
            forth.append(factor.touched_cols(forth[-1]))
        back = [cols]
        for factor in reversed(self.factors[1:]):
            back.append(factor.touched_rows(back[-1]))
        back.reverse()
        inner = [both(a, b) for a, b in zip(forth[1:], back[:-1], strict=True)]
        return [rows, *inner, cols]

    def gather(self, rows: Index, cols: Index) -> Array:
        """The submatrix, multiplied from the side with fewer vectors through linking indices."""
        first, last = self.factors[0], self.factors[-1]
        at = self.between(rows, cols)
        if len(rows) <= len(cols):
            v = first.gather(at[0], at[1])
            for i, factor in enumerate(self.factors[1:], 1):
                v = factor.left(v, at[i], at[i + 1])
            return v
        u = last.gather(at[-2], at[-1]).T
        for i in range(len(self.factors) - 2, -1, -1):
            u = self.factors[i].right(u, at[i], at[i + 1])
        return u.T

    def left(self, v: Array, rows: Index, cols: Index) -> Array:
        at = self.between(rows, cols)
        for i, factor in enumerate(self.factors):
            v = factor.left(v, at[i], at[i + 1])
        return v

    def right(self, u: Array, rows: Index, cols: Index) -> Array:
        at = self.between(rows, cols)
        for i in range(len(self.factors) - 1, -1, -1):
            u = self.factors[i].right(u, at[i], at[i + 1])
        return u

    def touched_cols(self, rows: Index) -> Index:
        for factor in self.factors:
            rows = factor.touched_cols(rows)
        return rows

    def touched_rows(self, cols: Index) -> Index:
        for factor in reversed(self.factors):
            cols = factor.touched_rows(cols)
        return cols

    def dense(self, limit_bytes: int) -> Array:
        """Multiplied out in the cheapest order; every partial product keeps the limit too."""
        count = len(self.factors)
        match self.association.side:
            case Side.LEFT:
                return self.from_left(limit_bytes)
            case Side.RIGHT:
                return self.from_right(limit_bytes)
            case _:
                return self.multiplied(0, count, limit_bytes)

    def from_left(self, limit: int) -> Array:
        """The dense product from the first factor on, as reverse mode has it."""
        found = self.factors[0].dense(limit)
        for i, factor in enumerate(self.factors[1:], 2):
            self.check(0, i, limit)
            found = factor.vjps(found)
        return found

    def from_right(self, limit: int) -> Array:
        """The dense product from the last factor on, as forward mode has it."""
        count = len(self.factors)
        found = self.factors[-1].dense(limit).T
        for i in range(count - 2, -1, -1):
            self.check(i, count, limit)
            found = self.factors[i].jvps(found)
        return found.T

    def check(self, start: int, stop: int, limit: int) -> None:
        """Raise GradstepError where the product of these factors needs more bytes than that."""
        pattern = self.association.patterns[start, stop]
        dims = pattern.rows, pattern.cols
        check_bytes(dims[0] * dims[1] * self.dtype.itemsize, dims, limit)

    def multiplied(self, start: int, stop: int, limit: int) -> Array:
        """The dense product of the factors from ``start`` up to ``stop``, which is left out.

        Raises GradstepError where this product, or one on the way, needs more bytes than ``limit``.
        """
        self.check(start, stop, limit)
        if stop - start == 1:
            return self.factors[start].dense(limit)
        split = self.association.splits[start, stop]
        # a single factor multiplies by its structure, and need not be written down as a matrix
        if split - start == 1:
            right = self.multiplied(split, stop, limit)
            return self.factors[start].jvps(right.T).T
        left = self.multiplied(start, split, limit)
        if stop - split == 1:
            return self.factors[split].vjps(left)
        return left @ self.multiplied(split, stop, limit)


def both(a: Index, b: Index) -> Index:
    """The indices in both, ascending; both are ascending without repetitions."""
    if len(a) == len(b) and np.array_equal(a, b):
        return a
    return np.intersect1d(a, b, assume_unique=True)


def product(factors: Sequence[Jacobian]) -> Jacobian:
    """The lazy product of one factor or more; a GradstepError names neighbours that don't conform.

    Products among them are taken apart, so that the cheapest order is found over all factors, and
    identities are left out; with a zero among them the product is zero.
    """
    flat: list[Jacobian] = []
    for factor in factors:
        flat += factor.factors if isinstance(factor, Product) else [factor]
    for i in range(1, len(flat)):
        (rows, inner), (other, cols) = flat[i - 1].dims, flat[i].dims
        if inner != other:
            raise GradstepError(
                f"factors {i} and {i + 1} do not conform: ({rows}×{inner})({other}×{cols})"
            )
    row_shape, col_shape, dtype = flat[0].row_shape, flat[-1].col_shape, flat[0].dtype
    if any(isinstance(factor, Zero) for factor in flat):
        return Zero(row_shape, col_shape, dtype)
    kept = [factor for factor in flat if not isinstance(factor, Identity)]
    if not kept:
        return Identity(row_shape, col_shape, dtype)
    # one factor alone is the product, unless an identity beside it had another shape
    if len(kept) == 1 and (kept[0].row_shape, kept[0].col_shape) == (row_shape, col_shape):
        return kept[0]
    return Product(row_shape, col_shape, dtype, tuple(kept))
