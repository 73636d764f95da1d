"""Zero, identity, diagonal and dense Jacobians: the structures that know nothing of samples."""

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from engine.arrays import Array
from engine.jacobian.operator import (
    Elements,
    Index,
    Jacobian,
    Pattern,
    Structure,
    distinct,
    matches,
)


@final
@dataclass(frozen=True, eq=False)
class Zero(Jacobian):
    """The zero matrix, of any size: the numerator does not depend on the denominator."""

    cost_vjp = 0
    cost_jvp = 0

    @property
    def pattern(self) -> Pattern:
        return Pattern(Structure.ZERO, *self.dims, 0)

    def vjps(self, v: Array) -> Array:
        return np.zeros((len(v), self.dims[1]), self.dtype)

    def jvps(self, u: Array) -> Array:
        return np.zeros((len(u), self.dims[0]), self.dtype)

    def gather(self, rows: Index, cols: Index) -> Array:
        return np.zeros((len(rows), len(cols)), self.dtype)

    def left(self, v: Array, rows: Index, cols: Index) -> Array:
        return np.zeros((len(v), len(cols)), self.dtype)

    def right(self, u: Array, rows: Index, cols: Index) -> Array:
        return np.zeros((len(u), len(rows)), self.dtype)

    def touched_cols(self, rows: Index) -> Index:
        return rows[:0]

    def touched_rows(self, cols: Index) -> Index:
        return cols[:0]


@final
@dataclass(frozen=True, eq=False)
class Identity(Jacobian):
    """The identity matrix: a tensor by itself, by one that it only renames, or by its bias."""

    cost_vjp = 0
    cost_jvp = 0

    @property
    def pattern(self) -> Pattern:
        return Pattern(Structure.IDENTITY, *self.dims, self.dims[0])

    def vjps(self, v: Array) -> Array:
        return v

    def jvps(self, u: Array) -> Array:
        return u

    def gather(self, rows: Index, cols: Index) -> Array:
        return np.equal.outer(rows, cols).astype(self.dtype)

    def left(self, v: Array, rows: Index, cols: Index) -> Array:
        out = np.zeros((len(v), len(cols)), self.dtype)
        at, found = matches(cols, rows)
        out[:, at] = v[:, found]
        return out

    def right(self, u: Array, rows: Index, cols: Index) -> Array:
        return self.left(u, cols, rows)

    def touched_cols(self, rows: Index) -> Index:
        return distinct(rows, self.dims[0])

    def touched_rows(self, cols: Index) -> Index:
        return distinct(cols, self.dims[1])


@final
@dataclass(frozen=True, eq=False)
class Diagonal(Jacobian):
    """A diagonal matrix, of an elementwise function; ``elements`` fetches g′ of each, any shape."""

    elements: Elements

    @cached_property
    def values(self) -> Array:
        """The diagonal, (rows,); fetched once."""
        return self.elements().reshape(-1)

    @property
    def pattern(self) -> Pattern:
        return Pattern(Structure.DIAGONAL, *self.dims, self.dims[0])

    @property
    def cost_vjp(self) -> int:
        return self.dims[0]

    @property
    def cost_jvp(self) -> int:
        return self.dims[0]

    def vjps(self, v: Array) -> Array:
        out: Array = v * self.values
        return out

    def jvps(self, u: Array) -> Array:
        return self.vjps(u)

    def gather(self, rows: Index, cols: Index) -> Array:
        out = np.zeros((len(rows), len(cols)), self.dtype)
        at, found = matches(rows, cols)
        out[at, found] = self.values[rows[at]]
        return out

    def left(self, v: Array, rows: Index, cols: Index) -> Array:
        out = np.zeros((len(v), len(cols)), self.dtype)
        at, found = matches(cols, rows)
        out[:, at] = v[:, found] * self.values[cols[at]]
        return out

    def right(self, u: Array, rows: Index, cols: Index) -> Array:
        return self.left(u, cols, rows)

    def touched_cols(self, rows: Index) -> Index:
        return distinct(rows, self.dims[0])

    def touched_rows(self, cols: Index) -> Index:
        return distinct(cols, self.dims[1])


@final
@dataclass(frozen=True, eq=False)
class Dense(Jacobian):
    """A matrix with every entry stored; ``elements`` fetches them in row-major order, any shape."""

    elements: Elements

    @cached_property
    def values(self) -> Array:
        """The matrix, (rows, columns); fetched once."""
        return self.elements().reshape(self.dims)

    @property
    def pattern(self) -> Pattern:
        rows, cols = self.dims
        return Pattern(Structure.DENSE, rows, cols, rows * cols)

    @property
    def cost_vjp(self) -> int:
        return self.nonzeros

    @property
    def cost_jvp(self) -> int:
        return self.nonzeros

    def vjps(self, v: Array) -> Array:
        return v @ self.values

    def jvps(self, u: Array) -> Array:
        return u @ self.values.T

    def gather(self, rows: Index, cols: Index) -> Array:
        out: Array = self.values[np.ix_(rows, cols)]
        return out

    def left(self, v: Array, rows: Index, cols: Index) -> Array:
        return v @ self.gather(rows, cols)

    def right(self, u: Array, rows: Index, cols: Index) -> Array:
        return u @ self.gather(rows, cols).T

    def touched_cols(self, rows: Index) -> Index:
        return np.arange(self.dims[1])

    def touched_rows(self, cols: Index) -> Index:
        return np.arange(self.dims[0])
