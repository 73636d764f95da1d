"""The Jacobian of one tensor by another as an operator: shapes first, values when asked for.

``J[i, j] = ∂(of)ᵢ/∂(wrt)ⱼ`` (numerator layout); both tensors are flattened in row-major order. An
operator holds functions that fetch values, so that shapes, structure and costs need none. Products
and windows are computed from the structure; nothing here ever fills a matrix that was not asked
for. All results are read-only.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Array, Shape, frozen
from engine.errors import GradstepError

Index = NDArray[np.int64]
Elements = Callable[[], Array]
"""Fetches values when they are needed; raises GradstepError where they do not exist yet."""

DENSE_LIMIT = 2**28


class Layout(StrEnum):
    """How a derivative is written down."""

    NUMERATOR = "numerator"
    GRADIENT = "gradient"


class Structure(StrEnum):
    """Where the non-zeros of a Jacobian can be."""

    ZERO = "zero"
    IDENTITY = "identity"
    DIAGONAL = "diagonal"
    BLOCK_DIAGONAL = "block-diagonal"  # one block a sample
    KRONECKER = "kronecker"  # row (n, o) meets column (o, i) alone
    DENSE = "dense"


@dataclass(frozen=True)
class Pattern:
    """A structure with its sizes: what a product of Jacobians costs and looks like.

    In each of these patterns all rows have equally many non-zeros, and so have all columns.
    """

    structure: Structure
    rows: int
    cols: int
    nonzeros: int

    def cost(self, other: "Pattern") -> int:
        """Multiply-adds of the product: Σⱼ (non-zeros of column j)(non-zeros of row j)."""
        return self.nonzeros * other.nonzeros // max(1, self.cols)

    def times(self, other: "Pattern") -> "Pattern":
        """The pattern of the product."""
        left, right = self.structure, other.structure
        rows, cols = self.rows, other.cols
        if Structure.ZERO in (left, right):
            return Pattern(Structure.ZERO, rows, cols, 0)
        if right == Structure.IDENTITY:
            return self
        if left in (Structure.IDENTITY, Structure.DIAGONAL):
            return other
        if right == Structure.DIAGONAL:
            return self
        if left == right == Structure.BLOCK_DIAGONAL:
            return Pattern(left, rows, cols, rows * (other.nonzeros // other.rows))
        return Pattern(Structure.DENSE, rows, cols, rows * cols)


@dataclass(frozen=True, eq=False)
class Point:
    """Where a layer's or a loss's Jacobian is taken.

    ``read`` fetches a tensor by its role when it is needed; activations have ``samples`` rows. With
    ``single`` there is one sample, and the shapes of activations are columns without a batch axis.
    """

    samples: int
    dtype: np.dtype[Any]
    read: Callable[[str], Array]
    single: bool = False

    def shape(self, size: int) -> Shape:
        """The shape of an activation of ``size`` elements a sample."""
        return (size,) if self.single else (self.samples, size)


@dataclass(frozen=True, eq=False)
class Jacobian(ABC):
    """What every Jacobian answers; subclasses are final and know their structure.

    Costs are multiply-adds. ``gather``, ``left`` and ``right`` take index arrays without
    repetitions; the sums of ``left`` and ``right`` run over ascending indices.
    """

    row_shape: Shape
    col_shape: Shape
    dtype: np.dtype[Any]

    @property
    def dims(self) -> tuple[int, int]:
        """(size of the numerator, size of the denominator)."""
        return math.prod(self.row_shape), math.prod(self.col_shape)

    @property
    @abstractmethod
    def pattern(self) -> Pattern:
        """Structure and structural non-zeros."""

    @property
    @abstractmethod
    def cost_vjp(self) -> int:
        """Multiply-adds of one row vector times J."""

    @property
    @abstractmethod
    def cost_jvp(self) -> int:
        """Multiply-adds of J times one column vector."""

    @property
    def cost_full(self) -> int:
        """Multiply-adds of every entry; one for each structural non-zero of a single operator."""
        return self.nonzeros

    @property
    def structure(self) -> str:
        """The name of the structure."""
        return self.pattern.structure.value

    @property
    def nonzeros(self) -> int:
        """Entries that the structure does not force to be zero, whatever the values."""
        return self.pattern.nonzeros

    @property
    def dense_bytes(self) -> int:
        """Bytes of a dense copy."""
        rows, cols = self.dims
        return rows * cols * self.dtype.itemsize

    def entry(self, i: int, j: int) -> float:
        """J[i, j]; a GradstepError where there is no such entry."""
        rows, cols = self.dims
        if not (0 <= i < rows and 0 <= j < cols):
            raise GradstepError(f"no entry [{i}, {j}]: the Jacobian is {rows}×{cols}")
        return float(self.gather(np.array([i]), np.array([j]))[0, 0])

    def window(self, rows: slice | range, cols: slice | range) -> Array:
        """J[rows, cols]; nothing but this window is computed."""
        return frozen(self.gather(indices(rows, self.dims[0]), indices(cols, self.dims[1])))

    def vjp(self, v: Array) -> Array:
        """v J: (row_shape) -> (col_shape), what backward computes."""
        vector = flat(v, self.row_shape, self.dtype, "a VJP takes the shape of the rows")
        return frozen(np.array(self.vjps(vector)).reshape(self.col_shape))

    def jvp(self, u: Array) -> Array:
        """J u: (col_shape) -> (row_shape), what a change of the denominator does."""
        vector = flat(u, self.col_shape, self.dtype, "a JVP takes the shape of the columns")
        return frozen(np.array(self.jvps(vector)).reshape(self.row_shape))

    def to_dense(self, limit_bytes: int = DENSE_LIMIT) -> Array:
        """The whole matrix; a GradstepError names its bytes where they pass the limit."""
        check_bytes(self.dense_bytes, self.dims, limit_bytes)
        return frozen(self.dense(limit_bytes))

    def dense(self, limit_bytes: int) -> Array:
        """The whole matrix; the limit is for what has to be computed on the way."""
        rows, cols = self.dims
        return self.gather(np.arange(rows), np.arange(cols))

    @abstractmethod
    def vjps(self, v: Array) -> Array:
        """Several row vectors at once: (m, rows) -> (m, cols)."""

    @abstractmethod
    def jvps(self, u: Array) -> Array:
        """Several column vectors at once, one a row of ``u``: (m, cols) -> (m, rows)."""

    @abstractmethod
    def gather(self, rows: Index, cols: Index) -> Array:
        """J[rows][:, cols]."""

    @abstractmethod
    def left(self, v: Array, rows: Index, cols: Index) -> Array:
        """v J[rows][:, cols]: (m, rows) -> (m, cols)."""

    @abstractmethod
    def right(self, u: Array, rows: Index, cols: Index) -> Array:
        """J[rows][:, cols] times each row of ``u``: (m, cols) -> (m, rows)."""

    @abstractmethod
    def touched_cols(self, rows: Index) -> Index:
        """The columns, ascending, where one of these rows can be non-zero."""

    @abstractmethod
    def touched_rows(self, cols: Index) -> Index:
        """The rows, ascending, where one of these columns can be non-zero."""


def indices(wanted: slice | range, size: int) -> Index:
    """A window's indices; slices are cut to size, ranges outside it are refused."""
    if isinstance(wanted, slice):
        return np.arange(*wanted.indices(size))
    if len(wanted) and not (min(wanted) >= 0 and max(wanted) < size):
        raise GradstepError(f"{wanted} leaves the Jacobian, whose indices run from 0 to {size - 1}")
    return np.arange(wanted.start, wanted.stop, wanted.step)


def flat(vector: Array, shape: Shape, dtype: np.dtype[Any], why: str) -> Array:
    """A vector as one row (1, size), in the dtype of the Jacobian."""
    given, size = np.asarray(vector, dtype=dtype), math.prod(shape)
    if given.shape not in (shape, (size,)):
        raise GradstepError(f"{why}, {shape}, but this vector has shape {given.shape}")
    return given.reshape(1, size)


def check_bytes(needed: int, dims: tuple[int, int], limit: int) -> None:
    """Refuse a dense matrix that is larger than the limit."""
    if needed > limit:
        raise GradstepError(
            f"a dense copy of this {dims[0]:,}×{dims[1]:,} Jacobian takes {needed:,} bytes, "
            f"more than the limit of {limit:,}: look at a window, or use vjp and jvp"
        )


def matches(wanted: Index, known: Index) -> tuple[Index, Index]:
    """Where elements of ``wanted`` are, and where the same ones are in ``known``."""
    _, at, found = np.intersect1d(wanted, known, assume_unique=True, return_indices=True)
    return at, found


def distinct(places: Index, size: int) -> Index:
    """The different ones among indices below ``size``, ascending; by marking, where they are many.

    (np.unique takes 20 ms for the half million rows of a wide batch, marking 1 ms.)
    """
    if len(places) * 16 < size:
        return np.unique(places)
    marks = np.zeros(size, dtype=bool)
    marks[places] = True
    return np.flatnonzero(marks)
