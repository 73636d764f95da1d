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

DENSE_LIMIT = 2**28  # bytes


class Layout(StrEnum):
    """Numerator layout, rows of the numerator by columns of the denominator, or its transpose."""

    NUMERATOR = "numerator"
    GRADIENT = "gradient"


class Structure(StrEnum):
    """The sparsity structure of a Jacobian: where its non-zeros can be, whatever the values."""

    ZERO = "zero"
    IDENTITY = "identity"
    DIAGONAL = "diagonal"
    BLOCK_DIAGONAL = "block-diagonal"  # one block a sample
    KRONECKER = "kronecker"  # row (n, o) meets column (o, i) alone
    PERMUTATION = "permutation"  # the diagonal with its columns in another order
    SELECTION = "selection"  # one entry a row at most, of an element that is picked
    TOEPLITZ = "toeplitz"  # of a convolution: the place in the output and in the kernel decide
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
        # a column of this one has nonzeros / cols, a row of the other other.nonzeros / cols
        return self.nonzeros * other.nonzeros // max(1, self.cols)

    def times(self, other: "Pattern") -> "Pattern":
        """The pattern of the matrix product; dense where nothing better is known."""
        left, right = self.structure, other.structure
        rows, cols = self.rows, other.cols
        if Structure.ZERO in (left, right):
            return Pattern(Structure.ZERO, rows, cols, 0)
        if right == Structure.IDENTITY:
            return self
        if left in (Structure.IDENTITY, Structure.DIAGONAL):
            return other  # scaled rows keep their zeros
        if right == Structure.DIAGONAL:
            return self
        if left == right == Structure.BLOCK_DIAGONAL:
            return Pattern(left, rows, cols, rows * (other.nonzeros // other.rows))
        return Pattern(Structure.DENSE, rows, cols, rows * cols)


@dataclass(frozen=True, eq=False)
class Point:
    """The point at which a function's or a loss's Jacobian is taken.

    ``read`` fetches a tensor by its role when it is needed; activations have ``samples`` rows, a
    single sample too. ``shape`` is that of a role in the Jacobian: with ``single`` an activation's
    is (d,), without a batch axis.
    """

    samples: int
    dtype: np.dtype[Any]
    read: Callable[[str], Array]
    shape: Callable[[str], Shape]
    single: bool = False


@dataclass(frozen=True, eq=False)
class Jacobian(ABC):
    """J = ∂of/∂wrt as a linear operator, rows × columns; subclasses are final, one a structure.

    ``row_shape`` and ``col_shape`` are the shapes of the numerator and the denominator. Costs are
    multiply-adds. ``gather``, ``left`` and ``right`` take index arrays without repetitions; the
    sums of ``left`` and ``right`` run over ascending indices. Whatever computes with values raises
    GradstepError where they do not exist yet.
    """

    row_shape: Shape
    col_shape: Shape
    dtype: np.dtype[Any]

    @property
    def dims(self) -> tuple[int, int]:
        """(rows, columns): the numbers of elements of the numerator and the denominator."""
        return math.prod(self.row_shape), math.prod(self.col_shape)

    @property
    @abstractmethod
    def pattern(self) -> Pattern:
        """The structure with its sizes and structural non-zeros; needs no values."""

    @property
    @abstractmethod
    def cost_vjp(self) -> int:
        """Multiply-adds of one row vector times J."""

    @property
    @abstractmethod
    def cost_jvp(self) -> int:
        """Multiply-adds of J times one column vector."""

    @property
    def calls(self) -> int:
        """Functions that one product goes through: what it costs however small the tensors are."""
        return 1

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
        """J[rows, cols], dense; nothing but this window is computed.

        Slices are cut to size; a GradstepError names a range that leaves the matrix.
        """
        return frozen(self.gather(indices(rows, self.dims[0]), indices(cols, self.dims[1])))

    def vjp(self, v: Array) -> Array:
        """The vector-Jacobian product v J: ``row_shape`` to ``col_shape``, what backward computes.

        Raises GradstepError for a vector of another shape; a flat one of the same size will do.
        """
        vector = flat(v, self.row_shape, self.dtype, "a VJP takes the shape of the rows")
        # a copy, because an identity returns the caller's own array, which must not be frozen
        return frozen(np.array(self.vjps(vector)).reshape(self.col_shape))

    def jvp(self, u: Array) -> Array:
        """The Jacobian-vector product J u: ``col_shape`` to ``row_shape``, the forward mode.

        Raises GradstepError for a vector of another shape; a flat one of the same size will do.
        """
        vector = flat(u, self.col_shape, self.dtype, "a JVP takes the shape of the columns")
        return frozen(np.array(self.jvps(vector)).reshape(self.row_shape))

    def to_dense(self, limit_bytes: int = DENSE_LIMIT) -> Array:
        """The whole matrix; a GradstepError names its bytes where they pass the limit."""
        check_bytes(self.dense_bytes, self.dims, limit_bytes)
        return frozen(self.dense(limit_bytes))

    def dense(self, limit_bytes: int) -> Array:
        """The whole matrix, not checked itself; the limit is for what is computed on the way."""
        rows, cols = self.dims
        return self.gather(np.arange(rows), np.arange(cols))

    @abstractmethod
    def vjps(self, v: Array) -> Array:
        """Vector-Jacobian products of m row vectors at once: (m, rows) to (m, cols)."""

    @abstractmethod
    def jvps(self, u: Array) -> Array:
        """Jacobian-vector products of m vectors at once, one a row: (m, cols) to (m, rows)."""

    @abstractmethod
    def gather(self, rows: Index, cols: Index) -> Array:
        """The submatrix J[rows][:, cols], dense."""

    @abstractmethod
    def left(self, v: Array, rows: Index, cols: Index) -> Array:
        """v J[rows][:, cols], for v (m, len(rows)): a product of no more than this submatrix."""

    @abstractmethod
    def right(self, u: Array, rows: Index, cols: Index) -> Array:
        """u (J[rows][:, cols])ᵀ, for u (m, len(cols)): the submatrix times each row of ``u``."""

    @abstractmethod
    def touched_cols(self, rows: Index) -> Index:
        """The columns, ascending, where one of these rows can be non-zero."""

    @abstractmethod
    def touched_rows(self, cols: Index) -> Index:
        """The rows, ascending, where one of these columns can be non-zero."""


def indices(wanted: slice | range, size: int) -> Index:
    """A window's indices; a slice is cut to size, a range outside it is a GradstepError."""
    if isinstance(wanted, slice):
        return np.arange(*wanted.indices(size))
    if len(wanted) and not (min(wanted) >= 0 and max(wanted) < size):
        raise GradstepError(f"{wanted} leaves the Jacobian, whose indices run from 0 to {size - 1}")
    return np.arange(wanted.start, wanted.stop, wanted.step)


def flat(vector: Array, shape: Shape, dtype: np.dtype[Any], why: str) -> Array:
    """A vector of this shape, or flat, as one row (1, size) in the dtype of the Jacobian.

    Raises GradstepError, beginning with ``why``, for any other shape.
    """
    given, size = np.asarray(vector, dtype=dtype), math.prod(shape)
    if given.shape not in (shape, (size,)):
        raise GradstepError(f"{why}, {shape}, but this vector has shape {given.shape}")
    return given.reshape(1, size)


def check_bytes(needed: int, dims: tuple[int, int], limit: int) -> None:
    """Raise GradstepError for a dense matrix (``dims``) that needs more bytes than the limit."""
    if needed > limit:
        raise GradstepError(
            f"a dense copy of this {dims[0]:,}×{dims[1]:,} Jacobian takes {needed:,} bytes, "
            f"more than the limit of {limit:,}: look at a window, or use vjp and jvp"
        )


def matches(wanted: Index, known: Index) -> tuple[Index, Index]:
    """Where the common elements are in ``wanted``, and where in ``known``, in ascending order.

    Neither has repetitions.
    """
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
