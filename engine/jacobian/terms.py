"""Products, sums and parts of terms: the non-zeros of a Jacobian as links of digits."""

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from engine.jacobian.links import Link, Term, Terms, free_col, free_row, related
from engine.jacobian.operator import Index

MAX_RELATION = 2**22  # entries of a relation that is multiplied out
MAX_TERMS = 6


def count(term: Term) -> int:
    """The non-zeros of a term."""
    return math.prod(link.count for link in term)


def transposed(term: Term) -> Term:
    """The links from the column to the row."""
    return tuple(link.transposed() for link in term)


# -- splitting digits, so that those of two terms agree


def split(link: Link, row_cuts: Collection[int], col_cuts: Collection[int]) -> list[Link]:
    """A link at digits that end at these strides; one of pairs cannot be split."""
    if link.pairs is not None:
        return [link]
    found: set[int] = set()
    if link.rows > 1:
        found |= parts(link.row_stride, link.rows, row_cuts)
    if link.cols > 1:
        found |= parts(link.col_stride, link.cols, col_cuts)
    size = max(link.rows, link.cols)
    cuts = [1]
    for cut in sorted(found):
        if cut % cuts[-1] == 0 and size % cut == 0:
            cuts.append(cut)
    ends = [*cuts[1:], size]
    row = link.rows > 1
    col = link.cols > 1
    return [
        Link(
            link.row_stride * low if row else 1,
            high // low if row else 1,
            link.col_stride * low if col else 1,
            high // low if col else 1,
        )
        for low, high in zip(cuts, ends, strict=True)
        if high > low
    ]


def parts(stride: int, size: int, cuts: Collection[int]) -> set[int]:
    """The places inside a digit at which strides cut it evenly."""
    return {
        cut // stride
        for cut in cuts
        if stride < cut < stride * size and cut % stride == 0 and size % (cut // stride) == 0
    }


def row_ends(term: Term) -> set[int]:
    """Where the digits of the row begin and end."""
    return {end for one in term for end in (one.row_stride, one.row_stride * one.rows)}


def col_ends(term: Term) -> set[int]:
    """Where the digits of the column begin and end."""
    return {end for one in term for end in (one.col_stride, one.col_stride * one.cols)}


def refined(term: Term, row_cuts: Collection[int], col_cuts: Collection[int]) -> Term:
    """A term with its digits split at strides."""
    return tuple(part for link in term for part in split(link, row_cuts, col_cuts))


# -- products


def times(left: Term, right: Term) -> Term | None:
    """The product of two terms, whose inner digits meet; None where they never do."""
    plain = all(one.pairs is None for term in (left, right) for one in term)
    return known_product(left, right) if plain else met_digits(left, right)


# The lines of a loop, a thousand of them, meet in the same few ways. Relations are left out: they
# are equal only to themselves, and may be large.
@lru_cache(maxsize=1024)
def known_product(left: Term, right: Term) -> Term | None:
    """The product of two terms without relations."""
    return met_digits(left, right)


def met_digits(left: Term, right: Term) -> Term | None:
    """The product of two terms, digit by digit."""
    while True:
        a = refined(left, (), row_ends(right))
        b = refined(right, col_ends(a), ())
        if len(a) == len(left) and len(b) == len(right):
            break
        left, right = a, b
    inner = {(one.col_stride, one.cols): one for one in left if one.cols > 1}
    outer = {(one.row_stride, one.rows): one for one in right if one.rows > 1}
    out = [one for one in left if one.cols == 1] + [one for one in right if one.rows == 1]
    for place in inner.keys() | outer.keys():
        a_link, b_link = inner.get(place), outer.get(place)
        if a_link is not None and b_link is not None:
            met = joined(a_link, b_link)
            if met is None:
                return None
            out += met
        # digits that do not agree: anything may meet
        elif a_link is not None:
            out += free_row(a_link.row_stride, a_link.rows)
        elif b_link is not None:
            out += free_col(b_link.col_stride, b_link.cols)
    return ordered(out)


def ordered(links: Sequence[Link]) -> Term:
    """Links in the order of their digits, the fastest first; neighbours that are one are joined."""
    order = sorted(links, key=lambda one: (one.row_stride, one.rows, one.col_stride, one.cols))
    out: list[Link] = []
    plain = [one for one in order if one.pairs is None]
    for one in sorted(plain, key=lambda one: (one.equal, one.rows > 1)):
        joint = follows(out[-1], one) if out else None
        if joint is None:
            out.append(one)
        else:
            out[-1] = joint
    return (*out, *(one for one in order if one.pairs is not None))


def follows(low: Link, high: Link) -> Link | None:
    """Two neighbouring digits as one where they say the same of it; else None."""
    if low.equal != high.equal or low.free != high.free or (low.rows > 1) != (high.rows > 1):
        return None
    rows = low.rows > 1 and high.row_stride != low.row_stride * low.rows
    cols = low.cols > 1 and high.col_stride != low.col_stride * low.cols
    if rows or cols:
        return None
    return replace(low, rows=low.rows * high.rows, cols=low.cols * high.cols)


def joined(a: Link, b: Link) -> list[Link] | None:
    """The product of two links that share a digit; None where it is empty."""
    if a.equal:
        return [Link(a.row_stride, a.rows, b.col_stride, b.cols, b.pairs)]
    if b.equal:
        return [Link(a.row_stride, a.rows, b.col_stride, b.cols, a.pairs)]
    row, col = (a.row_stride, a.rows), (b.col_stride, b.cols)
    loose = [*free_row(*row), *free_col(*col)]
    if not all(one.pairs is None or one.pairs.given for one in (a, b)):
        return loose
    if max(a.rows * a.cols, b.rows * b.cols, a.rows * b.cols) > MAX_RELATION:
        return loose
    outs, ins = np.nonzero(matrix(a) @ matrix(b))
    toeplitz = any(one.pairs is not None and one.pairs.toeplitz for one in (a, b))
    return related(row, col, outs, ins, toeplitz)


def matrix(link: Link) -> Index:
    """A link as a small matrix of 0 and 1."""
    if link.pairs is None:
        return np.ones((link.rows, link.cols), np.int64)
    out = np.zeros((link.rows, link.cols), np.int64)
    out[link.pairs.fetch()] = 1
    return out


# -- sums


def added(terms: Terms, more: Terms) -> Terms:
    """The union of two sums of terms, without those that others contain; a hull of too many."""
    out = list(terms)
    for new in more:
        if any(contains(one, new) for one in out):
            continue
        out = [one for one in out if not contains(new, one)] + [new]
    return tuple(out) if len(out) <= MAX_TERMS else (hull(tuple(out)),)


def agreeing(a: Term, b: Term) -> tuple[Term, Term]:
    """Two terms of the same matrix with their digits split alike as far as that goes."""
    while True:
        c = refined(a, row_ends(b), col_ends(b))
        d = refined(b, row_ends(c), col_ends(c))
        if len(c) == len(a) and len(d) == len(b):
            return c, d
        a, b = c, d


def contains(whole: Term, part: Term) -> bool:
    """Whether every non-zero of one term is known to be one of the other."""
    a, b = agreeing(whole, part)
    return all(one.free or any(one.same(other) for other in b) for one in a)


def hull(terms: Terms) -> Term:
    """One term that contains all: the links that they have in common, the rest free."""
    found = terms[0]
    for other in terms[1:]:
        a, b = agreeing(found, other)
        out: list[Link] = []
        for one in a:
            if one.free or any(one.same(another) for another in b):
                out.append(one)
            else:
                out += free_row(one.row_stride, one.rows)
                out += free_col(one.col_stride, one.cols)
        found = ordered(out)
    return found


# -- which columns a row meets


def met(term: Term, rows: Index) -> Index:
    """The columns that some of these rows meet, ascending."""
    places = np.zeros(len(rows), np.int64)
    for link in term:
        if link.free:
            continue
        at = rows // link.row_stride % link.rows
        if link.pairs is None:
            places = places + at * link.col_stride
            continue
        outs, ins = link.pairs.fetch()
        start = np.searchsorted(outs, at, "left")
        counts = np.searchsorted(outs, at, "right") - start
        rows, places = np.repeat(rows, counts), np.repeat(places, counts)
        first = np.repeat(np.cumsum(counts) - counts, counts)
        which = np.repeat(start, counts) + np.arange(len(rows)) - first
        places = places + ins[which] * link.col_stride
    places = np.unique(places)
    for link in term:
        if link.free and link.cols > 1:
            places = np.add.outer(np.arange(link.cols) * link.col_stride, places).reshape(-1)
    return np.sort(places)


def entries(term: Term, cols: int) -> Index:
    """Every non-zero of a term as row · cols + column."""
    found = np.zeros(1, np.int64)
    for link in term:
        if link.pairs is not None:
            outs, ins = link.pairs.fetch()
        else:
            outs = np.arange(link.rows) if link.rows > 1 else np.zeros(1, np.int64)
            ins = np.arange(link.cols) if link.cols > 1 else np.zeros(1, np.int64)
        here = outs * link.row_stride * cols + ins * link.col_stride
        found = np.add.outer(found, here).reshape(-1)
    return found


Digit = tuple[int, int]


def restricted(term: Term, row: Digit | None, col: Digit | None, value: int) -> Term | None:
    """A term at one value of a digit of the row, of the column, or of both; these are dropped.

    None where that meets nothing.
    """
    plain = all(one.pairs is None for one in term)
    return known_part(term, row, col, value) if plain else part(term, row, col, value)


@lru_cache(maxsize=1024)
def known_part(term: Term, row: Digit | None, col: Digit | None, value: int) -> Term | None:
    """The part of a term without relations: that of many lines is the same."""
    return part(term, row, col, value)


def part(term: Term, row: Digit | None, col: Digit | None, value: int) -> Term | None:
    """The part of a term, side by side."""
    found: Term | None = term if row is None else part_at(term, row, value)
    if found is None or col is None:
        return found
    found = part_at(transposed(found), col, value)
    return None if found is None else transposed(found)


def part_at(term: Term, digit: tuple[int, int], value: int) -> Term | None:
    """The part of a term at one value of a digit of the row."""
    stride, size = digit
    if size == 1:
        return term
    out: list[Link] = []
    for link in refined(term, (stride, stride * size), ()):
        below, end = link.row_stride, link.row_stride * link.rows
        if link.rows == 1 or not below <= stride < end:
            out.append(link)
            continue
        exact = (below, end) == (stride, stride * size)
        kept = at_value(link, value) if exact else [thinned(link, stride // below, value)]
        if kept is None:
            return None
        out += kept
    return ordered(out)


def at_value(link: Link, value: int) -> list[Link] | None:
    """A link at one value of its digit of the row; None where that meets nothing."""
    if link.free:
        return []
    ins = np.array([value])
    if link.pairs is not None:
        outs, every = link.pairs.fetch()
        ins = every[outs == value]
    return related((1, 1), (link.col_stride, link.cols), np.zeros(len(ins), np.int64), ins)


def thinned(link: Link, low: int, value: int) -> Link:
    """A link of pairs whose digit of the row has ``value`` in its upper part, above ``low``."""
    assert link.pairs is not None
    pairs = link.pairs

    def fetch() -> tuple[Index, Index]:
        outs, ins = pairs.fetch()
        here = outs // low == value
        return outs[here] % low, ins[here]

    # Each row of an index has one column, whatever the values.
    many = pairs.count * low // link.rows if not pairs.given else len(fetch()[0])
    return replace(link, rows=low, pairs=replace(pairs, count=many, fetch=fetch))


def tied(term: Term, row_digit: tuple[int, int], col_digit: tuple[int, int]) -> bool:
    """Whether a digit of the row is equal to one of the column."""
    (row_stride, size), (col_stride, other) = row_digit, col_digit
    if size != other:
        return False
    if size == 1:
        return True
    wanted = Link(row_stride, size, col_stride, size)
    cut = refined(term, (row_stride, row_stride * size), (col_stride, col_stride * size))
    return any(one.same(wanted) for one in cut)


def keyed(term: Term) -> Iterator[Link]:
    """The links that keep rows apart: those of different digits meet no common column."""
    return (one for one in term if one.equal)
