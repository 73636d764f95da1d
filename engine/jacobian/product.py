"""Products of Jacobians: the chain rule, multiplied no further than what is looked at."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from engine.arrays import Array
from engine.errors import GradstepError
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
        return self.multiplied(0, len(self.factors), limit_bytes)

    def multiplied(self, start: int, stop: int, limit: int) -> Array:
        """The dense product of the factors from ``start`` up to ``stop``, which is left out.

        Raises GradstepError where this product, or one on the way, needs more bytes than ``limit``.
        """
        pattern = self.association.patterns[start, stop]
        dims = pattern.rows, pattern.cols
        check_bytes(dims[0] * dims[1] * self.dtype.itemsize, dims, limit)
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


class Association:
    """The order of multiplication with the fewest multiply-adds.

    The classic dynamic programme over all brackets (Cormen et al., Introduction to Algorithms,
    "Matrix-chain multiplication"), with the cost of structured factors instead of dense ones.
    ``patterns``, ``costs`` and ``splits`` are by range of factors.
    """

    def __init__(self, leaves: Sequence[Pattern]) -> None:
        count = len(leaves)
        self.patterns = {(i, i + 1): leaf for i, leaf in enumerate(leaves)}
        self.costs = {(i, i + 1): 0 for i in range(count)}
        self.splits: dict[tuple[int, int], int] = {}
        for length in range(2, count + 1):
            for start in range(count - length + 1):
                self.choose(start, start + length)

    def choose(self, start: int, stop: int) -> None:
        """Find the best last multiplication of a range: of equals that of reverse mode."""
        # −k, so that of equal costs the last split wins: (J₁ … Jₙ₋₁) Jₙ goes from the left
        cost, back = min((self.cost(start, k, stop), -k) for k in range(start + 1, stop))
        split = -back
        self.costs[start, stop], self.splits[start, stop] = cost, split
        left, right = self.patterns[start, split], self.patterns[split, stop]
        self.patterns[start, stop] = left.times(right)

    def cost(self, start: int, split: int, stop: int) -> int:
        """Multiply-adds of the range ``start`` to ``stop`` when ``split`` is multiplied last."""
        last = self.patterns[start, split].cost(self.patterns[split, stop])
        return self.costs[start, split] + self.costs[split, stop] + last

    def brackets(self, symbols: Sequence[str], start: int = 0, stop: int | None = None) -> str:
        """The order written with brackets: ``(∂ℓ/∂ŷ ∂ŷ/∂z₃) ∂z₃/∂z₂``."""
        stop = len(symbols) if stop is None else stop
        if stop - start == 1:
            return symbols[start]
        split = self.splits[start, stop]
        sides = ((start, split), (split, stop))
        texts = [self.brackets(symbols, *side) for side in sides]
        return " ".join(
            f"({t})" if b - a > 1 else t for t, (a, b) in zip(texts, sides, strict=True)
        )


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
