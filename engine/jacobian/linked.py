"""A Jacobian that is known by its products and by where it can be non-zero."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np

from engine.arrays import Array
from engine.jacobian.form import Form
from engine.jacobian.links import Term
from engine.jacobian.operator import Index, Jacobian, Pattern
from engine.jacobian.terms import keyed, met, transposed


@final
@dataclass(frozen=True, eq=False)
class Linked(Jacobian):
    """``pull`` is the VJP and ``push`` the JVP of one tensor; the rest follows from the ``form``.

    ``push`` may raise NotImplementedError. ``work`` is the multiply-adds of a VJP, which is made of
    so many ``steps``.
    """

    form: Form
    work: int
    steps: int
    pull: Callable[[Array], Array]
    push: Callable[[Array], Array]

    @property
    def pattern(self) -> Pattern:
        return self.form.pattern

    @property
    def cost_vjp(self) -> int:
        return self.work

    @property
    def calls(self) -> int:
        return self.steps

    @property
    def cost_jvp(self) -> int:
        return self.work

    def vjps(self, v: Array) -> Array:
        return stacked(v, self.pull, self.row_shape, self.dims[1], self.dtype)

    def jvps(self, u: Array) -> Array:
        try:
            return stacked(u, self.push, self.col_shape, self.dims[0], self.dtype)
        except NotImplementedError:
            rows, cols = np.arange(self.dims[0]), np.arange(self.dims[1])
            return u @ self.pulled(rows, cols).T

    def gather(self, rows: Index, cols: Index) -> Array:
        """By VJPs or JVPs, whichever are fewer; rows that share no column share a VJP."""
        out = np.zeros((len(rows), len(cols)), self.dtype)
        i = np.flatnonzero(np.isin(rows, self.touched_rows(cols)))
        j = np.flatnonzero(np.isin(cols, self.touched_cols(rows)))
        if not len(i) or not len(j):
            return out
        out[np.ix_(i, j)] = self.part(rows[i], cols[j])
        return out

    def part(self, rows: Index, cols: Index) -> Array:
        """As :meth:`gather`, of rows and columns that meet something."""
        forward = colours(keys(cols, transposed(self.form.hull)))
        backward = colours(keys(rows, self.form.hull))
        if forward.max() < backward.max():
            try:
                return self.pushed(rows, cols)
            except NotImplementedError:
                pass
        return self.pulled(rows, cols)

    def pulled(self, rows: Index, cols: Index) -> Array:
        """The submatrix by VJPs."""
        return probed(
            rows, cols, self.form.hull, lambda v: self.pull(v.reshape(self.row_shape)), self
        )

    def pushed(self, rows: Index, cols: Index) -> Array:
        """The submatrix by JVPs."""
        back = transposed(self.form.hull)
        return probed(
            cols, rows, back, lambda u: self.push(u.reshape(self.col_shape)), self, forward=True
        ).T

    def left(self, v: Array, rows: Index, cols: Index) -> Array:
        whole = np.zeros((len(v), self.dims[0]), self.dtype)
        whole[:, rows] = v
        return self.vjps(whole)[:, cols]

    def right(self, u: Array, rows: Index, cols: Index) -> Array:
        whole = np.zeros((len(u), self.dims[1]), self.dtype)
        whole[:, cols] = u
        return self.jvps(whole)[:, rows]

    def touched_cols(self, rows: Index) -> Index:
        return union([met(term, rows) for term in self.form.terms])

    def touched_rows(self, cols: Index) -> Index:
        return union([met(transposed(term), cols) for term in self.form.terms])


def union(parts: list[Index]) -> Index:
    """The indices of several ascending arrays, each once."""
    return parts[0] if len(parts) == 1 else np.unique(np.concatenate(parts))


def stacked(
    vectors: Array,
    run: Callable[[Array], Array],
    shape: tuple[int, ...],
    size: int,
    dtype: np.dtype[np.floating],
) -> Array:
    """What becomes of each of several flat vectors."""
    out = np.zeros((len(vectors), size), dtype)
    for row, vector in zip(out, vectors, strict=True):
        row[:] = run(vector.reshape(shape)).reshape(-1)
    return out


def keys(places: Index, term: Term) -> Index:
    """A number for each row, of which different ones meet no common column."""
    found, base = np.zeros(len(places), np.int64), 1
    for link in keyed(term):
        found = found + places // link.row_stride % link.rows * base
        base *= link.rows
    return found


def colours(marks: Index) -> Index:
    """For each place its number among those with the same mark: rows of one colour go together."""
    order = np.argsort(marks, kind="stable")
    ranked = marks[order]
    starts = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])
    lengths = np.diff(np.r_[starts, len(ranked)])
    out = np.empty(len(marks), np.int64)
    out[order] = np.arange(len(marks)) - np.repeat(starts, lengths)
    return out


def probed(
    rows: Index,
    cols: Index,
    term: Term,
    run: Callable[[Array], Array],
    jacobian: Linked,
    forward: bool = False,
) -> Array:
    """The submatrix, one product for each colour of the rows."""
    size = math.prod(jacobian.col_shape if forward else jacobian.row_shape)
    mine, theirs = keys(rows, term), keys(cols, transposed(term))
    colour = colours(mine)
    out = np.zeros((len(rows), len(cols)), jacobian.dtype)
    for one in range(int(colour.max()) + 1):
        which = np.flatnonzero(colour == one)
        vector = np.zeros(size, jacobian.dtype)
        vector[rows[which]] = 1
        found = np.asarray(run(vector)).reshape(-1)[cols]
        out[which] = np.where(mine[which][:, None] == theirs[None, :], found, 0)
    return out
