"""Outlines of long series: nothing of a column is lost, and going on is like beginning anew."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.render.charts.outline import Grid, Outline, Outlines, ends_of, needs_log

NUMBERS = st.floats(-1e300, 1e300) | st.sampled_from([np.nan, np.inf, -np.inf])


def parts(outline):
    return outline.columns.tolist(), outline.points, outline.broken.tolist()


def same(one, other):
    np.testing.assert_array_equal(parts(one)[1], parts(other)[1])
    return parts(one)[::2] == parts(other)[::2]


def test_a_column_has_its_first_lowest_highest_and_last_value():
    values = np.array([3.0, 1.0, 9.0, 4.0, np.nan, 7.0])
    outline = Outline.of(values, Grid(span=9, columns=3))
    assert outline.columns.tolist() == [0, 1]
    np.testing.assert_array_equal(outline.points, [[3, 1, 9, 9], [4, 4, 7, 7]])
    assert outline.broken.tolist() == [False, True]


@settings(max_examples=80, deadline=None)
@given(
    values=st.lists(NUMBERS, max_size=60),
    cuts=st.lists(st.integers(0, 60)),
    dots=st.integers(1, 90),
)
def test_going_on_is_like_beginning_anew(values, cuts, dots):
    grid, outlines, whole = Grid(60, dots), Outlines(), np.array(values, np.float64)
    for cut in (*sorted(cuts), len(values)):
        grown = outlines.of("own", "a run", whole[:cut], grid)
        assert same(grown, Outline.of(whole[:cut], grid))


def test_only_what_is_new_is_read():
    """Of a series that has grown the open column and what follows; of the rest the last value."""
    outlines, grid = Outlines(), Grid(1000, 10)
    values = np.arange(1000.0)
    outlines.of("own", "a run", values[:950], grid)
    values[:900] = np.nan
    grown = outlines.of("own", "a run", values, grid)
    assert not grown.broken.any()
    assert outlines.of("own", "another", values, grid).broken.sum() == 9
    assert outlines.of("own", "another", values, Grid(1000, 20)).broken.sum() == 18


def test_a_series_that_ends_otherwise_is_read_anew():
    outlines, grid = Outlines(), Grid(10, 10)
    outlines.of("own", "a run", np.array([1.0, 2.0]), grid)
    again = outlines.of("own", "a run", np.array([5.0, 6.0, 7.0]), grid)
    assert again.points[:, 0].tolist() == [5, 6, 7]


@pytest.mark.parametrize(
    ("values", "log"),
    [
        ([1.0, 1000.0], False),
        ([1.0, 1001.0], True),
        ([1e-300, 1e300], True),
        ([0.0, 1e6], False),
        ([-1.0, 1e6], False),
        ([1.0, np.inf], False),
        ([np.nan], False),
        ([], False),
    ],
)
def test_only_positive_values_over_more_than_three_decades_need_a_logarithm(values, log):
    assert needs_log(ends_of([Outline.of(np.array(values), Grid(2, 2))])) == log


def test_a_logarithmic_curve_of_a_geometric_series_is_straight():
    values = np.logspace(0, 140, 8)
    outline = Outline.of(values, Grid(8, 8))
    bits = outline.dots((1.0, 1e140), True, 4, 2)
    # dots (row from the bottom) of the eight columns
    heights = []
    order = [(0x40, 0x04, 0x02, 0x01), (0x80, 0x20, 0x10, 0x08)]
    for column in range(8):
        half = order[column % 2]
        found = [
            4 * up + dot
            for up, row in enumerate(bits[::-1])
            for dot, bit in enumerate(half)
            if row[column // 2] & bit
        ]
        heights.append(found[0])
    assert heights == list(range(8))
