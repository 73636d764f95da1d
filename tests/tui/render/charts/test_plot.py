"""Curves with axes: any numbers at any size, told apart without colour."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tui.render.charts.plot import LABELS, Curve, Frame, plot_lines, ticks
from tui.render.text.line import width_of

NUMBERS = st.floats(allow_nan=True, allow_infinity=True, width=64)


def series(values: object, style: int = 0, step: float = 1.0) -> Curve:
    y = np.asarray(values, np.float64)
    return Curve(f"s{style}", np.arange(len(y)) * step, y, style)


def text(lines: list[list[tuple[str, str]]]) -> list[str]:
    return ["".join(span for span, _ in line) for line in lines]


def roles(lines: list[list[tuple[str, str]]], role: str) -> str:
    return "".join(span for line in lines for span, found in line if found == role)


@given(
    arrays(np.float64, st.integers(0, 40), elements=NUMBERS),
    arrays(np.float64, st.integers(0, 40), elements=NUMBERS),
    st.integers(0, 90),
    st.integers(0, 30),
    st.booleans(),
    st.booleans(),
    st.tuples(st.floats(-1e6, 1e6), st.floats(0, 1e6)).map(lambda at: (at[0], at[0] + at[1])),
)
def test_any_numbers_fill_exactly_the_room(first, second, width, height, log, own, span):
    shown = [series(first), series(second, 1, 0.5)]
    lines = plot_lines(shown, Frame(span, None, log, own), width, height, span[0])
    assert len(lines) == height
    assert {width_of(line) for line in lines} <= {width}


def test_a_line_goes_from_corner_to_corner_beside_its_labels():
    rows = text(plot_lines([series([0, 10])], Frame((0, 1)), LABELS + 1 + 20, 12))
    assert rows[0][-1] not in " ⠀"
    assert rows[0].startswith("    10.0┤")
    assert rows[9].startswith("     0.0┤")
    assert rows[9][LABELS + 1] not in " ⠀"
    assert rows[10].startswith(" " * LABELS + "└")


def test_curves_are_told_apart_by_symbols_and_by_roles():
    flat, high = [0.0] * 60, [1.0] * 60
    lines = plot_lines([series(flat), series(high, 1)], Frame((0, 59)), 80, 10)
    rows = text(lines)
    assert rows[0].rstrip().endswith("▲")
    assert rows[7].rstrip().endswith("●")
    assert "".join(rows).count("▲") == "".join(rows).count("●") == 1
    assert "●" in roles(lines, "curve")
    assert "▲" in roles(lines, "changed")


def test_curves_that_coincide_keep_both_symbols():
    rows = "".join(
        text(plot_lines([series([1, 2] * 20), series([1, 2] * 20, 1)], Frame((0, 39)), 80, 9))
    )
    assert "●" in rows
    assert "▲" in rows


@pytest.mark.parametrize(("values", "row"), [([0, 0, 1.0], 0), ([1, 1, 0.0], 7)])
def test_the_symbol_stands_at_the_last_value(values, row):
    rows = text(plot_lines([series(values)], Frame((0, 5)), 60, 10))
    (at,) = [y for y, line in enumerate(rows) if "●" in line]
    assert at == row
    assert not rows[at].split("●")[1].strip()


def test_where_nothing_is_known_there_is_a_sentence_and_no_scale():
    lines = text(plot_lines([series([])], Frame((0, 10)), 70, 10, empty="no loss yet"))
    assert "no loss yet" in lines[4]
    assert {line[:LABELS].strip() for line in lines} == {""}
    lines = text(plot_lines([series([np.nan])], Frame((0, 10)), 70, 10, empty="no loss yet"))
    assert "no loss yet" not in "".join(lines)
    assert "!" in lines[0]
    assert {line[:LABELS].strip() for line in lines} == {""}


def test_what_is_not_finite_is_a_gap_with_a_mark():
    values = [1.0] * 30 + [np.nan] + [1.0] * 30
    marked = plot_lines([series(values)], Frame((0, 60)), 70, 9)
    assert roles(marked, "bad") == "!"
    assert roles(plot_lines([series([1.0] * 61)], Frame((0, 60)), 70, 9), "bad") == ""


def test_a_logarithm_has_no_zero_and_says_nothing_of_it():
    lines = plot_lines([series([0.0, 0.001, 0.01, 0.1, 1.0])], Frame((0, 4), log=True), 70, 14)
    assert roles(lines, "bad") == ""
    labels = [row[:LABELS].strip() for row in text(lines)]
    assert [label for label in labels if label] == ["1.0", "0.1", "0.01", "0.001"]


def test_each_curve_on_its_own_scale_reaches_both_edges():
    small, large = [0, 1e-6] * 20, [0, 1e6] * 20
    frame = Frame((0, 39), own=True)
    lines = plot_lines([series(small), series(large, 1)], frame, 80, 10)
    assert set(roles(lines[:1], "curve")) - {" "}
    together = plot_lines([series(small), series(large, 1)], Frame((0, 39)), 80, 10)
    assert not set(roles(together[:1], "curve")) - {" "}
    assert text(lines)[0].startswith("    100%┤")


def test_the_cursor_stands_in_its_column_and_on_the_axis():
    rows = text(plot_lines([series([0, 1])], Frame((0, 10)), LABELS + 1 + 11, 8, 5))
    column = LABELS + 1 + 5
    assert rows[6][column] == "▲"
    assert rows[3][column] == "┊"
    assert "┊" not in "".join(text(plot_lines([series([0, 1])], Frame((0, 10)), 30, 8, 11)))


def test_a_part_of_a_curve_is_cut_at_the_edges():
    rows = text(plot_lines([series([0.0, 100.0])], Frame((0.25, 0.75)), 50, 10))
    labels = [row[:LABELS].strip() for row in rows[:8] if row[:LABELS].strip()]
    assert [float(label) for label in labels] == [60.0, 40.0]
    assert rows[0][-1] not in " ⠀"


@pytest.mark.parametrize(
    ("low", "high", "most", "unit", "expected"),
    [
        (0, 10, 6, 0, [0, 2, 4, 6, 8, 10]),
        (0, 1, 2, 0, [0, 1]),
        (0, 2100, 12, 21, [n * 210 for n in range(11)]),
        (0, 42, 10, 21, [0, 21, 42]),
        (5, 5, 10, 0, []),
    ],
)
def test_ticks_are_round_numbers(low, high, most, unit, expected):
    assert ticks(low, high, most, unit) == pytest.approx(expected)


@given(st.floats(-1e300, 1e300), st.floats(0, 1e300), st.integers(0, 20))
def test_ticks_lie_inside_and_are_few(low, span, most):
    found = ticks(low, low + span, most)
    assert len(found) <= most
    slack = 1e-6 * max(abs(low), abs(low + span))
    assert all(low - slack <= value <= low + span + slack for value in found)
