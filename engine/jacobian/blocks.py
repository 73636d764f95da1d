"""Jacobians of a batch that fall apart into samples: block-diagonal, or of Kronecker products."""

from dataclasses import dataclass
from typing import Protocol, final

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

Part = Index | slice
ALL = slice(None)


class Blocks(Protocol):
    """The blocks of a block-diagonal Jacobian, all (p, q), one for each sample.

    A ``Part`` is an array of indices without repetitions, or a slice.
    """

    def cost(self, rows: int, cols: int) -> int:
        """Multiply-adds of one vector times one block (rows, cols)."""

    def block(self, sample: int, rows: Part, cols: Part) -> Array:
        """The submatrix [rows][:, cols] of one sample's block, dense."""

    def multiply(self, v: Array, samples: Part, rows: Part, cols: Part) -> Array:
        """m row vectors a sample, (samples, m, rows), times these parts: (samples, m, cols)."""

    def transposed(self) -> "Blocks":
        """The same blocks, each transposed."""


@final
@dataclass(frozen=True, eq=False)
class SharedBlock:
    """One matrix (p, q) for all samples: the weight, for a linear layer by its input."""

    elements: Elements

    def cost(self, rows: int, cols: int) -> int:
        """One multiply-add an entry."""
        return rows * cols

    def block(self, sample: int, rows: Part, cols: Part) -> Array:
        """The submatrix [rows][:, cols] of the matrix, whatever the sample."""
        matrix = self.elements()
        if isinstance(rows, slice) or isinstance(cols, slice):
            return matrix[rows][:, cols]
        out: Array = matrix[np.ix_(rows, cols)]  # never a copy of all columns of these rows
        return out

    def multiply(self, v: Array, samples: Part, rows: Part, cols: Part) -> Array:
        """The vectors of all samples times the matrix, as a single matrix product."""
        part = self.block(0, rows, cols)
        done: Array = v.reshape(v.shape[0] * v.shape[1], part.shape[0]) @ part
        return done.reshape(*v.shape[:2], part.shape[1])

    def transposed(self) -> "SharedBlock":
        """The transposed matrix."""
        return SharedBlock(lambda: self.elements().T)


@final
@dataclass(frozen=True, eq=False)
class DiagonalMinusOuter:
    """diag(d) − a bᵀ for each sample, d, a and b (N, K): softmax and log_softmax.

    A vector times such a block takes O(K), not O(K²), multiply-adds.
    """

    d: Elements
    a: Elements
    b: Elements

    def cost(self, rows: int, cols: int) -> int:
        """Three multiply-adds a column: d ⊙ v, the sum v·a, and b times that."""
        return 3 * cols

    def block(self, sample: int, rows: Part, cols: Part) -> Array:
        """The submatrix [rows][:, cols] of one sample's block, dense."""
        d, a, b = self.d()[sample], self.a()[sample], self.b()[sample]
        i, j = np.arange(len(d))[rows], np.arange(len(d))[cols]
        out: Array = np.equal.outer(i, j) * d[i][:, None] - np.outer(a[i], b[j])
        return out

    def multiply(self, v: Array, samples: Part, rows: Part, cols: Part) -> Array:
        """v ⊙ d − (v·a) b for each vector, without ever writing down a block."""
        d, a, b = self.d()[samples], self.a()[samples][:, rows], self.b()[samples][:, cols]
        out: Array = -np.sum(v * a[:, None, :], axis=2, keepdims=True) * b[:, None, :]
        places = np.arange(d.shape[1])
        at, found = matches(places[cols], places[rows])
        out[:, :, at] += v[:, :, found] * d[:, None, places[cols][at]]
        return out

    def transposed(self) -> "DiagonalMinusOuter":
        """diag(d) − b aᵀ."""
        return DiagonalMinusOuter(self.d, self.b, self.a)


@final
@dataclass(frozen=True, eq=False)
class BlockDiagonal(Jacobian):
    """One block for each of ``samples`` samples: the output of one depends on no other's input."""

    samples: int
    blocks: Blocks

    @property
    def block_dims(self) -> tuple[int, int]:
        """(p, q), rows and columns of one block."""
        rows, cols = self.dims
        return rows // self.samples, cols // self.samples

    @property
    def pattern(self) -> Pattern:
        rows, cols = self.dims
        # a lone block fills the matrix
        structure = Structure.DENSE if self.samples == 1 else Structure.BLOCK_DIAGONAL
        return Pattern(structure, rows, cols, rows * cols // self.samples)

    @property
    def cost_vjp(self) -> int:
        return self.samples * self.blocks.cost(*self.block_dims)

    @property
    def cost_jvp(self) -> int:
        return self.cost_vjp

    def transposed(self) -> "BlockDiagonal":
        """Jᵀ, block-diagonal too."""
        shapes = (self.col_shape, self.row_shape)
        return BlockDiagonal(*shapes, self.dtype, self.samples, self.blocks.transposed())

    def shared(self, rows: Index, cols: Index) -> Index:
        """The samples, ascending, in whose block some of these rows meet some of these columns."""
        p, q = self.block_dims
        above, below = distinct(rows // p, self.samples), distinct(cols // q, self.samples)
        return np.intersect1d(above, below, assume_unique=True)

    def vjps(self, v: Array) -> Array:
        parts = v.reshape(len(v), self.samples, -1).transpose(1, 0, 2)
        done = self.blocks.multiply(parts, ALL, ALL, ALL)
        return done.transpose(1, 0, 2).reshape(len(v), -1)

    def jvps(self, u: Array) -> Array:
        return self.transposed().vjps(u)

    def gather(self, rows: Index, cols: Index) -> Array:
        p, q = self.block_dims
        out = np.zeros((len(rows), len(cols)), self.dtype)
        for sample in self.shared(rows, cols):
            i, j = np.flatnonzero(rows // p == sample), np.flatnonzero(cols // q == sample)
            out[np.ix_(i, j)] = self.blocks.block(int(sample), rows[i] % p, cols[j] % q)
        return out

    def left(self, v: Array, rows: Index, cols: Index) -> Array:
        p, q = self.block_dims
        samples = self.shared(rows, cols)
        i, j = np.isin(rows // p, samples), np.isin(cols // q, samples)
        # samples may want different parts of their blocks: the union is multiplied for all of them,
        # with zeros where a sample has no such row, so that one call serves the batch
        above, below = distinct(rows[i] % p, p), distinct(cols[j] % q, q)
        parts = np.zeros((len(samples), len(v), len(above)), self.dtype)
        at = np.searchsorted(samples, rows[i] // p), np.searchsorted(above, rows[i] % p)
        parts[at[0], :, at[1]] = v[:, i].T
        done = self.blocks.multiply(parts, samples, above, below)
        out = np.zeros((len(v), len(cols)), self.dtype)
        to = np.searchsorted(samples, cols[j] // q), np.searchsorted(below, cols[j] % q)
        out[:, j] = done[to[0], :, to[1]].T
        return out

    def right(self, u: Array, rows: Index, cols: Index) -> Array:
        return self.transposed().left(u, cols, rows)

    def touched_cols(self, rows: Index) -> Index:
        p, q = self.block_dims
        return runs(distinct(rows // p, self.samples), q)

    def touched_rows(self, cols: Index) -> Index:
        p, q = self.block_dims
        return runs(distinct(cols // q, self.samples), p)


@final
@dataclass(frozen=True, eq=False)
class Kronecker(Jacobian):
    """I ⊗ xₙᵀ for each sample n, with x (N, inputs): a linear layer by its weight.

    Row (n, o), column (o', i): xₙᵢ where o = o', as vec(W) runs over the rows of W. With x = 1,
    (N, 1), it is the Jacobian by the bias.
    """

    samples: int
    outputs: int
    elements: Elements

    @property
    def inputs(self) -> int:
        """The columns of the weight; 1 for a bias."""
        return self.dims[1] // self.outputs

    @property
    def pattern(self) -> Pattern:
        return Pattern(Structure.KRONECKER, *self.dims, self.dims[0] * self.inputs)

    @property
    def cost_vjp(self) -> int:
        return self.nonzeros

    @property
    def cost_jvp(self) -> int:
        return self.nonzeros

    def vjps(self, v: Array) -> Array:
        grads = v.reshape(len(v), self.samples, self.outputs)
        out: Array = grads.transpose(0, 2, 1) @ self.elements()
        return out.reshape(len(v), -1)

    def jvps(self, u: Array) -> Array:
        weights = u.reshape(len(u), self.outputs, self.inputs)
        out: Array = self.elements() @ weights.transpose(0, 2, 1)
        return out.reshape(len(u), -1)

    def gather(self, rows: Index, cols: Index) -> Array:
        same = np.equal.outer(rows % self.outputs, cols // self.inputs)
        x = self.elements()[np.ix_(rows // self.outputs, cols % self.inputs)]
        out: Array = np.where(same, x, self.dtype.type(0))
        return out

    def left(self, v: Array, rows: Index, cols: Index) -> Array:
        # output o of any sample meets row o of the weight alone: one small product for each o
        x, out = self.elements(), np.zeros((len(v), len(cols)), self.dtype)
        for o in distinct(cols // self.inputs, self.outputs):
            j = np.flatnonzero(cols // self.inputs == o)
            i = np.flatnonzero(rows % self.outputs == o)
            out[:, j] = v[:, i] @ x[np.ix_(rows[i] // self.outputs, cols[j] % self.inputs)]
        return out

    def right(self, u: Array, rows: Index, cols: Index) -> Array:
        x, out = self.elements(), np.zeros((len(u), len(rows)), self.dtype)
        for o in distinct(cols // self.inputs, self.outputs):
            j = np.flatnonzero(cols // self.inputs == o)
            i = np.flatnonzero(rows % self.outputs == o)
            out[:, i] = u[:, j] @ x[np.ix_(rows[i] // self.outputs, cols[j] % self.inputs)].T
        return out

    def touched_cols(self, rows: Index) -> Index:
        return runs(distinct(rows % self.outputs, self.outputs), self.inputs)

    def touched_rows(self, cols: Index) -> Index:
        units = distinct(cols // self.inputs, self.outputs)
        return np.add.outer(np.arange(self.samples) * self.outputs, units).reshape(-1)


def runs(which: Index, length: int) -> Index:
    """All indices of these runs, each ``length`` long, of which run k begins at k · length."""
    return np.add.outer(which * length, np.arange(length)).reshape(-1)
