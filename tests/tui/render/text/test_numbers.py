from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tui.render.text.numbers import (
    cells,
    compact,
    count_text,
    dims_text,
    exact,
    nbytes_text,
    shape_text,
)
from tui.view.number_format import NumberFormat

DTYPES = [np.float64, np.float32, np.float16, np.int64, np.uint8, np.bool_]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.12013, "0.1201"),
        (-0.031234, "-0.0312"),
        (-3.1e-5, "-3.1e-5"),
        (1.2e9, "1.2e+09"),
        (1.0, "1.0"),
        (9.99996, "10.0"),
        (12345.678, "12346"),
        (0.0, "0.0"),
        (-0.0, "0.0"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        (float("-inf"), "-inf"),
        (-1.7e308, "-2e+308"),
        (-5e-324, "-5e-324"),
        (np.float32(0.1), "0.1"),
        (np.int64(42), "42"),
        (np.array(7), "7"),
        (-(2**63), "-9.2e18"),
        (10**400, "1e+400"),
        (True, "True"),
        (np.bool_(False), "False"),
    ],
)
def test_compact(value, text):
    assert compact(value) == text


@given(st.floats(), st.integers(0, 12))
def test_compact_keeps_to_the_width_and_to_the_value(value, width):
    text = compact(value, width)
    assert len(text) <= width
    if set(text) - {"#"}:
        shown, true = Decimal(text), Decimal(value)  # 1.5e308 in five characters is 2e308
        assert (
            shown.is_nan() if true.is_nan() else shown == true or abs(shown - true) <= abs(true) / 2
        )


@given(st.floats(allow_nan=False))
def test_seven_characters_hold_any_float(value):
    assert "#" not in compact(value)


def test_fixed_cells_line_up():
    window = np.array([[0.1201, -0.031, 0.0], [-0.41, np.nan, -np.inf], [12.0, -0.0, 1.204]])
    assert cells(window) == [
        [" 0.1201", "-0.0310", "0.0000"],
        ["-0.4100", "    nan", "  -inf"],
        ["12.0000", " 0.0000", "1.2040"],
    ]


def test_significant_cells_align_their_points():
    window = np.array([[0.1201], [1234.5], [-3.0], [-0.0], [np.inf]])
    assert [row[0] for row in cells(window, NumberFormat.SIGNIFICANT, 3)] == [
        "   0.120",
        "1234    ",
        "  -3.00 ",
        "   0    ",
        "     inf",
    ]


def test_one_exponent_style_for_a_window():
    window = np.array([[1e100, 2.5], [np.nan, -1e-5]])
    assert cells(window, NumberFormat.SCIENTIFIC, 1) == [
        ["1.0e+100", " 2.5e+000"],
        ["     nan", "-1.0e-005"],
    ]


def test_fixed_digits_that_would_mislead_become_scientific():
    assert cells(np.array([[1e300, 0.0]]), digits=2) == [["1.00e+300", "0.00e+000"]]
    assert cells(np.array([[1e-9, 0.0]]), digits=2) == [["1.00e-09", "0.00e+00"]]


def test_hex_cells_hold_every_bit_of_their_dtype():
    values = np.array([0.1, -2.0, 0.0])
    assert [float.fromhex(text) for text in cells(values[None], NumberFormat.HEX)[0]] == list(
        values
    )
    assert cells(np.array([[0.1]], np.float32), NumberFormat.HEX) == [["0x1.99999ap-4"]]
    assert cells(np.array([[255, -1]]), NumberFormat.HEX) == [["0xff", "-0x1"]]


def test_integers_and_booleans_are_shown_as_such():
    assert cells(np.array([[1, -20], [300, 4]])) == [["  1", "-20"], ["300", "  4"]]
    assert cells(np.array([[True], [False]])) == [[" True"], ["False"]]


def test_a_window_has_two_axes():
    with pytest.raises(ValueError, match="2 axes, not 1"):
        cells(np.zeros(3))


@given(
    st.sampled_from(DTYPES).flatmap(
        lambda dtype: hnp.arrays(
            dtype, hnp.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=4)
        )
    ),
    st.sampled_from(NumberFormat),
    st.integers(-1, 20),
)
def test_cells_of_a_column_have_one_width(window, fmt, digits):
    texts = cells(window, fmt, digits)
    assert [len(row) for row in texts] == [window.shape[1]] * window.shape[0]
    for column in zip(*texts, strict=True):
        assert len({len(text) for text in column}) == 1
        named = {"nan", "inf", "-inf"}
        points = {t.index(".") for t in column if t.strip() not in named and "." in t}
        assert len(points) <= 1


@given(hnp.arrays(np.float64, (3, 2)), st.integers(0, 17))
def test_scientific_cells_read_back(window, digits):
    shown = np.array(cells(window, NumberFormat.SCIENTIFIC, digits), dtype=np.float64)
    # Rounding the largest float up leaves the range of floats.
    inside = ~np.isfinite(window) | np.isfinite(shown)
    expected = np.array([[float(f"{v:.{digits}e}") for v in row] for row in window.tolist()])
    np.testing.assert_array_equal(shown[inside], expected[inside])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.float32(0.1), "0.1"),
        (np.float64(np.float32(0.1)), "0.10000000149011612"),
        (np.array(-0.0), "-0.0"),
        (np.int8(-3), "-3"),
        (np.bool_(True), "True"),
        (np.float64("nan"), "nan"),
        (1 / 3, "0.3333333333333333"),
    ],
)
def test_exact(value, text):
    assert exact(value) == text


@given(st.floats(width=32, allow_nan=False))
def test_exact_reads_back_in_its_dtype(value):
    assert np.float32(exact(np.float32(value))) == np.float32(value)


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0"),
        (524288, "524,288"),
        (10**7, "10,000,000"),
        (10**7 + 1, "1.0·10⁷"),
        (2_199_023_255_552, "2.2·10¹²"),
        (9_960_000_000, "1.0·10¹⁰"),
        (10**400, "1.0·10⁴⁰⁰"),
    ],
)
def test_count_text(count, text):
    assert count_text(count) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1_258_291, "1.2 MiB"),
        (1024**2 - 1, "1.0 MiB"),
        (17_592_186_044_416, "16.0 TiB"),
        (1024**9 * 5, "5,120 YiB"),
    ],
)
def test_nbytes_text(count, text):
    assert nbytes_text(count) == text


def test_shapes_and_dimensions():
    assert [shape_text(s) for s in [(4, 3), (2,), (), (np.int64(2), 1)]] == [
        "(4, 3)",
        "(2,)",
        "()",
        "(2, 1)",
    ]
    assert [dims_text(d) for d in [(1, 3), (4, 4), ()]] == ["1×3", "4×4", "scalar"]
