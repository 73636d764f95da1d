"""Links of digits against plain matrices of 0 and 1: products, unions, parts, and what is met."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.jacobian.links import (
    Link,
    Pairs,
    Term,
    digits,
    equal,
    free_col,
    free_row,
    related,
)
from engine.jacobian.terms import (
    added,
    contains,
    count,
    entries,
    hull,
    met,
    ordered,
    restricted,
    tied,
    times,
    transposed,
)


def matrix(term: Term, rows: int, cols: int):
    """A term as a matrix of 0 and 1."""
    out = np.zeros(rows * cols, int)
    out[entries(term, cols)] = 1
    return out.reshape(rows, cols)


@st.composite
def terms(draw, rows: tuple[int, ...], cols: tuple[int, ...]) -> Term:
    """Axes of the rows, some equal or related to axes of the columns."""
    left, right = list(digits(cols)), []
    for digit in digits(rows):
        kind = draw(st.sampled_from(["free", "equal", "related"]))
        same = [other for other in left if other[1] == digit[1]]
        if kind == "equal" and same:
            other = draw(st.sampled_from(same))
            left.remove(other)
            right += equal(digit[0], other[0], digit[1])
        elif kind == "related" and left:
            other = draw(st.sampled_from(left))
            left.remove(other)
            seed = draw(st.integers(0, 99))
            some = np.random.default_rng(seed).random((digit[1], other[1])) < 0.5
            some[0, 0] = True
            right += related(digit, other, *np.nonzero(some)) or []
        else:
            right += free_row(*digit)
    for other in left:
        right += free_col(*other)
    return ordered(right)


SHAPES = st.sampled_from([(6,), (2, 3), (3, 2), (6, 2), (2, 2, 3), (4, 3), (12,), (2, 6)])


@settings(max_examples=150, deadline=None)
@given(data=st.data(), outer=SHAPES, inner=SHAPES, cols=SHAPES)
def test_a_product_contains_that_of_the_matrices(data, outer, inner, cols):
    sizes = [int(np.prod(shape)) for shape in (outer, inner, cols)]
    # The inner tensor in another shape of the same size: a reshape changes nothing.
    again = data.draw(SHAPES.filter(lambda shape: np.prod(shape) == sizes[1]))
    a, b = data.draw(terms(outer, inner)), data.draw(terms(again, cols))
    expected = matrix(a, *sizes[:2]) @ matrix(b, *sizes[1:]) > 0
    found = times(a, b)
    if found is None:
        assert not expected.any()
        return
    assert not (expected & (matrix(found, sizes[0], sizes[2]) == 0)).any()
    if again == inner:  # digits that agree are exact
        assert np.array_equal(matrix(found, sizes[0], sizes[2]), expected)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), rows=SHAPES, cols=SHAPES)
def test_counts_and_what_is_met_are_those_of_the_matrix(data, rows, cols):
    term = data.draw(terms(rows, cols))
    sizes = int(np.prod(rows)), int(np.prod(cols))
    plain = matrix(term, *sizes)
    assert count(term) == plain.sum() == len(entries(term, sizes[1]))
    some = np.arange(sizes[0])[:: data.draw(st.integers(1, 3))]
    assert np.array_equal(met(term, some), np.flatnonzero(plain[some].any(axis=0)))
    assert np.array_equal(matrix(transposed(term), *sizes[::-1]), plain.T)
    value = data.draw(st.integers(0, rows[0] - 1))
    part = restricted(term, digits(rows)[0], None, value)
    block = plain.reshape(rows[0], -1, sizes[1])[value]
    if part is None:
        assert not block.any()
    else:
        assert np.array_equal(matrix(part, *block.shape), block)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), rows=SHAPES, cols=SHAPES)
def test_a_union_and_a_hull_contain_all(data, rows, cols):
    sizes = int(np.prod(rows)), int(np.prod(cols))
    drawn = [data.draw(terms(rows, cols)) for _ in range(3)]
    plain = [matrix(term, *sizes) for term in drawn]
    union = added((drawn[0],), tuple(drawn[1:]))
    whole = sum(matrix(term, *sizes) for term in union) > 0
    assert np.array_equal(whole, sum(plain) > 0)
    assert not ((sum(plain) > 0) & (matrix(hull(tuple(drawn)), *sizes) == 0)).any()
    if contains(drawn[0], drawn[1]):
        assert (plain[0] >= plain[1]).all()


def test_a_digit_of_the_batch_is_tied_where_all_others_may_mix():
    rows, cols = (4, 3), (4, 5)
    softmax_like = ordered([*equal(3, 5, 4), *free_row(1, 3), *free_col(1, 5)])
    assert tied(softmax_like, digits(rows)[0], digits(cols)[0])
    assert not tied(softmax_like, digits(rows)[1], digits(cols)[1])


def test_one_sample_of_an_index_keeps_its_own_rows():
    places = np.array([2, 0, 1, 1])  # of two samples, two indices each
    pairs = Pairs(4, lambda: (np.arange(4), places), given=False)
    term = ordered([Link(1, 4, 1, 3, pairs)])
    part = restricted(term, (2, 2), None, 1)
    assert part is not None
    assert count(part) == 2
    assert matrix(part, 2, 3).tolist() == [[0, 1, 0], [0, 1, 0]]


@pytest.mark.parametrize("size", [1, 5])
def test_relations_are_the_simplest_links(size):
    diagonal = related((1, size), (1, size), np.arange(size), np.arange(size))
    assert diagonal == [] if size == 1 else diagonal is not None and diagonal[0].equal
    full = related((1, 2), (1, size), *np.nonzero(np.ones((2, size))))
    assert full is not None
    assert all(link.free for link in full)
    assert related((1, 2), (1, size), np.array([], int), np.array([], int)) is None
