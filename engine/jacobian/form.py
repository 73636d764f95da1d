"""The form of a Jacobian: where it can be non-zero, its structure and its non-zeros."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from engine.arrays import Shape
from engine.jacobian.links import Link, Term, Terms, digits
from engine.jacobian.operator import Pattern, Structure
from engine.jacobian.terms import count, entries, hull, tied

MAX_COUNTED = 2**20  # non-zeros of several terms that are counted one by one


@final
@dataclass(frozen=True, eq=False)
class Form:
    """Where a Jacobian of these shapes can be non-zero, in ``terms``; it needs no values.

    ``unit``: every non-zero is 1. ``samples`` is the size of the first axis of both where that is
    the batch, else 1.
    """

    row_shape: Shape
    col_shape: Shape
    terms: Terms
    unit: bool
    samples: int

    @cached_property
    def hull(self) -> Term:
        """One term that contains all."""
        return hull(self.terms)

    @cached_property
    def pattern(self) -> Pattern:
        """The structure with its sizes and structural non-zeros."""
        rows, cols = math.prod(self.row_shape), math.prod(self.col_shape)
        return Pattern(self.recognized(), rows, cols, self.counted())

    def counted(self) -> int:
        """The structural non-zeros; of several terms that overlap a bound where they are many."""
        counts = [count(term) for term in self.terms]
        if len(counts) == 1:
            return counts[0]
        given = all(one.pairs is None or one.pairs.given for term in self.terms for one in term)
        if sum(counts) <= MAX_COUNTED and given:
            cols = math.prod(self.col_shape)
            return len(np.unique(np.concatenate([entries(term, cols) for term in self.terms])))
        return min(sum(counts), count(self.hull))

    def recognized(self) -> Structure:
        """The structure by its name."""
        links = [one for term in self.terms for one in term]
        rows, cols = math.prod(self.row_shape), math.prod(self.col_shape)
        if any(one.pairs is not None and one.pairs.toeplitz for one in links):
            return Structure.TOEPLITZ
        lone = len(self.terms) == 1
        if lone and rows == cols and all(one.equal for one in links):
            if any(one.row_stride != one.col_stride for one in links):
                return Structure.PERMUTATION
            return Structure.IDENTITY if self.unit else Structure.DIAGONAL
        if self.selection:
            return Structure.SELECTION
        if self.apart:
            return Structure.BLOCK_DIAGONAL
        if lone and any(one.equal for one in links) and all(not one.pairs for one in links):
            return Structure.KRONECKER
        return Structure.DENSE

    @property
    def selection(self) -> bool:
        """Whether each row has one entry at most, of an element that is picked."""
        if len(self.terms) > 1:
            return False
        links = self.terms[0]
        return any(one.pairs is not None for one in links) and all(selects(one) for one in links)

    @property
    def apart(self) -> bool:
        """Whether it is a block for each sample."""
        if self.samples == 1 or not self.row_shape or not self.col_shape:
            return False
        return tied(self.hull, digits(self.row_shape)[0], digits(self.col_shape)[0])


def selects(link: Link) -> bool:
    """Whether each digit of the row meets one of the column at most, and no column is free."""
    if link.pairs is None:
        return link.equal or link.cols == 1
    if not link.pairs.given:
        return link.pairs.count <= link.rows
    outs, _ = link.pairs.fetch()
    return len(np.unique(outs)) == len(outs)
