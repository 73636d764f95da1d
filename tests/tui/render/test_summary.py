import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.engine.memory import peak_of
from tui.render.summary import spark, summarize, summarize_difference, summary_text

ARRAYS = st.sampled_from(
    [np.float64, np.float32, np.float16, np.int64, np.uint64, np.bool_]
).flatmap(lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, min_side=0, max_side=6)))


def test_statistics_of_finite_values_and_counts_of_the_rest():
    array = np.array([[0.0, 1.0, 2.0, 3.0], [np.nan, np.inf, -np.inf, np.inf]])
    found = summarize(array, bins=3)
    assert (found.size, found.minimum, found.maximum) == (8, 0.0, 3.0)
    assert (found.mean, found.std) == (1.5, math.sqrt(1.25))
    assert (found.nan, found.posinf, found.neginf, found.zeros) == (1, 2, 1, 1)
    assert found.histogram == (1, 1, 2)
    assert not found.sampled


def test_values_near_the_largest_float_do_not_overflow():
    found = summarize(np.array([1e308, -1e308, 1.5e308]), bins=2)
    assert found.mean == pytest.approx(0.5e308)
    assert found.std == pytest.approx(math.sqrt(3.5 / 3) * 1e308, rel=1e-12)
    assert found.histogram == (1, 2)


def test_subnormal_values_keep_their_spread():
    found = summarize(np.array([0.0, 1e-320]))
    assert found.mean == pytest.approx(5e-321, rel=1e-3)
    assert found.std == pytest.approx(5e-321, rel=1e-3)


@pytest.mark.parametrize("count", range(1, 40))
def test_the_mean_of_equal_values_is_that_value(count):
    found = summarize(np.full(count, 0.1))
    assert (found.mean, found.std) == (0.1, 0.0)


def test_integer_range_is_exact():
    found = summarize(np.array([2**53 + 1, -(2**63)]))
    assert (found.minimum, found.maximum) == (-(2**63), 2**53 + 1)


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (np.array(1.0271), "value 1.027"),
        (np.zeros((0, 3)), "empty"),
        (np.zeros(4), "all 0.0"),
        (np.full(2, np.nan), "no finite value  2 NaN"),
        (np.array([True, False]), "min 0 max 1  mean 0.5 ± 0.5  0 NaN  1 zero"),
        (np.array([3, 3, np.inf]), "min 3.0 max 3.0  mean 3.0 ± 0.0  0 NaN  1 +inf  0 zero"),
        (
            np.repeat([False, True], 16),
            "min 0 ⡇    ⢸ max 1  mean 0.5 ± 0.5  0 NaN  16 zero",
        ),
        (np.repeat([False, True], 15), "min 0 max 1  mean 0.5 ± 0.5  0 NaN  15 zero"),
    ],
)
def test_texts(array, text):
    assert summary_text(summarize(array), 80) == text


@pytest.mark.parametrize(
    ("width", "text"),
    [
        (63, "min -1.0 ⡇  ⡇ ⢸ max 1.0  mean 0.0 ± 0.8165  11 NaN  11 zero"),
        (58, "min -1.0 ⡇  ⡇ ⢸ max 1.0  mean 0.0 ± 0.8165  11 NaN"),
        (42, "min -1.0 ⡇  ⡇ ⢸ max 1.0  mean 0.0  11 NaN"),
        (34, "min -1.0 max 1.0  mean 0.0  11 NaN"),
        (32, "min -1.0 max 1.0  11 NaN"),
        (6, "11 NaN"),
        (3, "11…"),
        (0, ""),
    ],
)
def test_the_least_important_goes_first_and_nan_last(width, text):
    assert summary_text(summarize(np.repeat([-1.0, 0.0, 1.0, np.nan], 11)), width) == text


def test_a_sample_is_marked_and_scaled():
    array = np.zeros((1000, 40))
    array[:, :10] = 1.0
    found = summarize(array, limit=1000)
    assert found.sampled
    assert found.zeros == pytest.approx(30_000, rel=0.05)
    assert found.mean == pytest.approx(0.25, rel=0.05)
    assert summary_text(found, 80).startswith("≈ min 0.0")


def test_a_sample_visits_every_column():
    # A stride of 4 would meet the first column only.
    array = np.tile([0.0, 1.0, 2.0, 3.0], (1000, 1))
    assert summarize(array, limit=1000).maximum == 3.0


@pytest.mark.parametrize("transposed", [False, True])
def test_a_big_tensor_is_not_copied(transposed):
    array = np.broadcast_to(np.arange(2000.0), (2000, 2000))
    array = array.T if transposed else array
    found, peak = peak_of(lambda: summarize(array, limit=10_000))
    assert found.size == 4_000_000
    assert peak < 1_000_000 < array.nbytes


def test_spark_shows_every_bin_that_is_not_empty():
    assert spark((0, 1, 1000, 500)) == "⢀⣧"
    assert spark((0, 0, 0, 7, 7)) == " ⢸⡇"
    assert spark((0, 0)) == " "
    assert spark(()) == ""


@given(ARRAYS, st.integers(1, 50), st.integers(0, 12))
def test_any_array_has_a_summary(array, limit, bins):
    found = summarize(array, bins=bins, limit=limit)
    assert found.size == array.size
    assert len(found.histogram) == bins
    assert found.sampled == (array.size > limit)
    if not found.sampled and bins:
        assert sum(found.histogram) + found.nan + found.posinf + found.neginf == array.size
    if not math.isnan(found.minimum):
        assert float(found.minimum) <= found.mean <= float(found.maximum)


@given(ARRAYS, st.integers(0, 90))
def test_the_text_keeps_to_its_width(array, width):
    assert len(summary_text(summarize(array), width)) <= width


@given(hnp.arrays(np.float64, st.integers(1, 30), elements=st.floats(-1e6, 1e6)))
def test_moments_are_those_of_numpy(array):
    found = summarize(array)
    assert found.mean == pytest.approx(array.mean(), rel=1e-9, abs=1e-9)
    assert found.std == pytest.approx(array.std(), rel=1e-6, abs=1e-6)


def test_a_difference_is_summarized_itself_not_the_values():
    after, before = np.array([1.0, 5.0, np.nan]), np.array([0.5, 7.0, np.nan])
    found = summarize_difference(after, before)
    assert (found.minimum, found.maximum, found.zeros, found.nan) == (-2.0, 0.5, 1, 0)
    assert summary_text(summarize_difference(after, after), 80) == "all 0.0"


def test_the_difference_of_large_arrays_is_sampled_in_the_same_places():
    before = np.arange(100_000.0)
    found = summarize_difference(before + 3.0, before, limit=1000)
    assert found.sampled
    assert (found.minimum, found.maximum, found.size) == (3.0, 3.0, 100_000)
