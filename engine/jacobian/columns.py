"""Jacobians in which every row meets the columns of its own unit alone."""

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Array
from engine.jacobian.blocks import Part
from engine.jacobian.operator import (
    Elements,
    Index,
    Jacobian,
    Pattern,
    Structure,
    distinct,
)


@final
@dataclass(frozen=True, eq=False)
class Columns(Jacobian):
    """diag(vₙ) for each sample n, one below another: of a batch by a weight for each unit.

    Row (n, o), column o: vₙₒ, of ``elements`` (N, units).
    """

    samples: int
    elements: Elements

    @cached_property
    def values(self) -> Array:
        """The value of each row, (rows,); fetched once."""
        return self.elements().reshape(-1)

    @property
    def units(self) -> int:
        """The columns: one for each unit."""
        return self.dims[1]

    @property
    def pattern(self) -> Pattern:
        structure = Structure.DIAGONAL if self.samples == 1 else Structure.KRONECKER
        return Pattern(structure, *self.dims, self.dims[0])

    @property
    def cost_vjp(self) -> int:
        return self.dims[0]

    @property
    def cost_jvp(self) -> int:
        return self.dims[0]

    def vjps(self, v: Array) -> Array:
        weighted = (v * self.values).reshape(len(v), self.samples, self.units)
        out: Array = np.add.reduce(weighted, axis=1)
        return out

    def jvps(self, u: Array) -> Array:
        out: Array = np.tile(u, self.samples) * self.values
        return out

    def gather(self, rows: Index, cols: Index) -> Array:
        same = np.equal.outer(rows % self.units, cols)
        out: Array = np.where(same, self.values[rows][:, None], self.dtype.type(0))
        return out

    def left(self, v: Array, rows: Index, cols: Index) -> Array:
        place, there = places(cols, rows % self.units, self.units)
        out = np.zeros((len(cols), len(v)), self.dtype)
        np.add.at(out, place, (v * self.values[rows])[:, there].T)
        return out.T

    def right(self, u: Array, rows: Index, cols: Index) -> Array:
        place, there = places(cols, rows % self.units, self.units)
        out = np.zeros((len(u), len(rows)), self.dtype)
        out[:, there] = u[:, place] * self.values[rows[there]]
        return out

    def touched_cols(self, rows: Index) -> Index:
        return distinct(rows % self.units, self.units)

    def touched_rows(self, cols: Index) -> Index:
        return np.add.outer(np.arange(self.samples) * self.units, cols).reshape(-1)


@final
@dataclass(frozen=True, eq=False)
class Halves:
    """Two diagonal matrices side by side for each sample, (K, 2K): a gated unit by its input.

    ``elements`` (N, 2K) are both diagonals; ``turned`` has each block transposed, (2K, K).
    """

    elements: Elements
    turned: bool = False

    def cost(self, rows: int, cols: int) -> int:
        """One multiply-add for each of the 2K entries."""
        return max(rows, cols)

    def parts(self, rows: Part, cols: Part) -> tuple[Index, Index]:
        """These rows and columns of a block as indices."""
        size = self.elements().shape[1]
        p, q = (size, size // 2) if self.turned else (size // 2, size)
        return np.arange(p)[rows], np.arange(q)[cols]

    def meeting(self, rows: Part, cols: Part) -> tuple[Index, Index, Index]:
        """The entries among these rows and columns.

        Their places in ``rows`` and in ``cols``, and in ``elements``.
        """
        units = self.elements().shape[1] // 2
        i, j = self.parts(rows, cols)
        long, short = (i, j) if self.turned else (j, i)
        place, there = places(short, long % units, units)
        at = np.flatnonzero(there)
        return (at, place, long[at]) if self.turned else (place, at, long[at])

    def block(self, sample: int, rows: Part, cols: Part) -> Array:
        """The submatrix [rows][:, cols] of one sample's block, dense."""
        values = self.elements()
        p, q = (len(part) for part in self.parts(rows, cols))
        out = np.zeros((p, q), values.dtype)
        at_rows, at_cols, entries = self.meeting(rows, cols)
        out[at_rows, at_cols] = values[sample][entries]
        return out

    def multiply(self, v: Array, samples: Part, rows: Part, cols: Part) -> Array:
        """Each vector times the two diagonals, without ever writing down a block."""
        values = self.elements()
        width = len(self.parts(rows, cols)[1])
        at_rows, at_cols, entries = self.meeting(rows, cols)
        weighted = v[:, :, at_rows] * values[samples][:, None, entries]
        out = np.zeros((width, *v.shape[:2]), weighted.dtype)
        np.add.at(out, at_cols, weighted.transpose(2, 0, 1))
        return out.transpose(1, 2, 0)

    def transposed(self) -> "Halves":
        """The transposed blocks."""
        return Halves(self.elements, not self.turned)


def places(known: Index, wanted: Index, size: int) -> tuple[Index, NDArray[np.bool_]]:
    """Where those of ``wanted`` that are known stand in ``known``, and which of them are, a mask.

    Both are below ``size``; ``known`` has no repetitions, ``wanted`` may have some.
    """
    place = np.full(size, -1)
    place[known] = np.arange(len(known))
    found = place[wanted]
    return found[found >= 0], found >= 0
