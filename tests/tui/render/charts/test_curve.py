import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.render.charts.curve import block_spark, braille_curve, cursor_column, nonfinite_columns

SERIES = st.lists(st.floats(), max_size=40)


def dots(lines):
    """The curve as rows of booleans, read off the braille code points, top row first."""
    down = [[0, 3], [1, 4], [2, 5], [6, 7]]
    return [
        [bool((ord(c) - 0x2800) >> bit & 1) for c in line for bit in bits]
        for line in lines
        for bits in down
    ]


def test_a_rising_line():
    assert braille_curve([0, 1, 2, 3], 2, 1) == ["⡠⠊"]


def test_a_step_is_joined_by_a_vertical_line():
    shown = dots(braille_curve([0, 0, 3, 3], 2, 1))
    assert [sum(column) for column in zip(*shown, strict=True)] == [1, 2, 2, 1]
    assert all(any(row) for row in shown)


def test_a_constant_runs_through_the_middle():
    shown = dots(braille_curve([5.0] * 9, 3, 3))
    assert [any(row) for row in shown] == [row == 5 for row in range(12)]
    assert all(shown[5])


def test_a_spike_among_many_values_is_not_lost():
    values = np.zeros(100_000)
    values[77_777] = 1.0
    shown = dots(braille_curve(values, 20, 4))
    assert [column for column, dot in enumerate(shown[0]) if dot] == [round(77_777 * 39 / 99_999)]
    assert all(shown[-1])


def test_a_dip_among_many_values_is_not_lost():
    values = np.arange(100_000) % 2 + 1.0
    values[77_776] = -9.0
    shown = dots(braille_curve(values, 20, 4))
    assert [column for column, dot in enumerate(shown[-1]) if dot] == [round(77_776 * 39 / 99_999)]
    assert all(shown[0])


def test_nothing_bridges_a_gap():
    shown = dots(braille_curve([0.0, math.nan, math.nan, 1.0], 4, 1))
    assert [column for column in range(8) if any(row[column] for row in shown)] == [0, 7]


def test_log_axis_spaces_powers_of_ten_evenly_and_leaves_out_zero():
    shown = dots(braille_curve([1e-3, 1e-2, 1e-1, 1.0, 0.0], 4, 1, log=True))
    tops = [[row[column] for row in shown] for column in (0, 2, 4, 5)]
    assert [column.index(True) for column in tops] == [3, 2, 1, 0]
    assert not any(row[7] for row in shown)


def test_a_single_point_and_no_point():
    assert braille_curve([3.0], 2, 1) == ["⠂⠀"]
    assert braille_curve([], 2, 2) == ["⠀⠀", "⠀⠀"]


def test_curve_beyond_half_the_range_of_floats():
    assert braille_curve([-1.7e308, 1.7e308], 1, 1) == braille_curve([0, 1], 1, 1)


def test_marks_stand_where_the_values_are():
    values = [0.0, math.inf, 2.0, 3.0, math.nan]
    assert nonfinite_columns(values, 5) == [False, True, False, False, True]
    assert nonfinite_columns([0.0] * 99 + [math.nan], 4) == [False, False, False, True]
    assert nonfinite_columns([], 2) == [False, False]
    assert nonfinite_columns([math.nan], 0) == []


def test_the_cursor_goes_from_the_first_column_to_the_last():
    assert [cursor_column(i, 5, 9) for i in range(5)] == [0, 2, 4, 6, 8]
    assert [cursor_column(i, 3, 10) for i in (-5, 99)] == [0, 9]
    assert [cursor_column(0, n, w) for n, w in [(0, 5), (1, 5), (3, 0)]] == [0, 0, 0]


@given(st.integers(1, 60), st.integers(1, 30), st.data())
def test_cursor_and_mark_agree(n, width, data):
    index = data.draw(st.integers(0, n - 1))
    values = [0.0] * n
    values[index] = math.nan
    marks = nonfinite_columns(values, width)
    assert [column for column, marked in enumerate(marks) if marked] == [
        cursor_column(index, n, width)
    ]


@pytest.mark.parametrize(
    ("values", "width", "text"),
    [
        ([0, 1, 2, 3, 4, 5, 6, 7], 8, "▁▂▃▄▅▆▇█"),
        ([7, 0], 4, "█▁  "),
        ([1, math.nan, 3], 3, "▁!█"),
        ([0, 0, 9, 0, 1, math.inf], 3, "▁█!"),
        ([2, 2], 2, "▅▅"),
        ([], 3, "   "),
        ([1, 2], 0, ""),
        ([math.nan], 2, "! "),
    ],
)
def test_block_spark(values, width, text):
    assert block_spark(values, width) == text


@given(SERIES, st.integers(-1, 25), st.integers(-1, 6), st.booleans())
def test_curves_have_the_size_asked_for(values, width, height, log):
    lines = braille_curve(values, width, height, log=log)
    assert [len(line) for line in lines] == [max(0, width)] * max(0, height)
    assert all(0x2800 <= ord(c) <= 0x28FF for line in lines for c in line)
    assert len(block_spark(values, width)) == max(0, width)
    assert len(nonfinite_columns(values, width)) == max(0, width)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=60))
def test_the_extremes_are_always_drawn(values):
    shown = dots(braille_curve(values, 10, 3))
    if min(values) < max(values):
        assert any(shown[0])
        assert any(shown[-1])
    assert all(
        any(row[column] for row in shown) for column in (range(20) if len(values) > 1 else [0])
    )
