import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.render.text.scaling import binary_exponent, position, scaled

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(FINITE, min_size=1, max_size=8))
def test_scaled_values_lie_below_one(values):
    array = np.array(values)
    unit = scaled(array, binary_exponent(array))
    assert np.abs(unit).max() < 1
    assert np.abs(unit).max() >= 0.5 or not array.any()


@given(FINITE, FINITE)
def test_the_ends_are_zero_and_one(a, b):
    low, high = sorted((a, b))
    expected = [0.0, 1.0] if low < high else [0.5, 0.5]
    assert position(np.array([low, high]), low, high).tolist() == expected


def test_positions_between_beyond_and_not_finite():
    values = np.array([0.0, 1.7e308, np.nan, np.inf])
    assert position(values, -1.7e308, 1.7e308).tolist() == pytest.approx(
        [0.5, 1.0, np.nan, np.inf], nan_ok=True
    )
    assert position(np.array([6.0]), 1.0, 3.0).tolist() == [2.5]


def test_no_values_have_exponent_zero():
    assert binary_exponent(np.zeros(0)) == 0
