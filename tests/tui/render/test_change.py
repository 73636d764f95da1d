import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tui.render.change import change_summary, change_text


def test_count_and_largest_change():
    before = np.array([[0.5, 1.0, 2.0, 0.0], [0.0, 0.0, 3.0, 4.0]])
    after = np.array([[0.1, 1.5, 2.1, 1.204], [0.3, -0.2, 3.0, 4.0]])
    found = change_summary(before, after)
    assert (found.changed, found.size, found.index) == (6, 8, (0, 3))
    assert (found.max_delta, found.before, found.after) == (1.204, 0.0, 1.204)
    assert change_text(found) == "changed by this op: 6 of 8 cells, max |Δ| 1.204 at [0, 3]"


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        (None, [1.0], "written for the first time"),
        ([1.0, np.nan], [1.0, np.nan], "unchanged by this op: 2 cells"),
        ([[1.0]] * 3, [[1.0]] * 2, "replaced by this op: 2 cells, shape before (3, 1)"),
        (1.0, 0.5, "changed by this op: 1 of 1 cell, max |Δ| 0.5"),
        ([0.0], [-0.0], "changed by this op: 1 of 1 cell, max |Δ| 0.0 at [0]"),
        ([1.0, 5.0], [np.nan, 9.0], "changed by this op: 2 of 2 cells, max |Δ| nan at [0]"),
        ([1e308], [-1e308], "changed by this op: 1 of 1 cell, max |Δ| inf at [0]"),
        ([True, True], [True, False], "changed by this op: 1 of 2 cells, max |Δ| 1.0 at [1]"),
    ],
)
def test_texts(before, after, text):
    old = None if before is None else np.array(before)
    assert change_text(change_summary(old, np.array(after))) == text


def test_the_largest_change_is_found_in_any_chunk_and_memory_order():
    before = np.zeros((300, 1000)).T
    after = before.copy()
    after[2, 7], after[998, 299] = 1.0, -3.0
    found = change_summary(before, after)
    assert (found.changed, found.index, found.max_delta) == (2, (998, 299), 3.0)


def test_nan_outranks_the_changes_of_earlier_and_later_chunks():
    before = np.zeros(200_000)
    after = before.copy()
    after[[5, 100_000, 199_999]] = 7.0, np.nan, 9.0
    found = change_summary(before, after)
    assert (found.changed, found.index, math.isnan(found.max_delta)) == (3, (100_000,), True)


def test_a_big_tensor_is_sampled_and_says_so():
    before = np.zeros((1000, 100))
    after = before.copy()
    after[:, ::4] = 1.0
    found = change_summary(before, after, limit=2000)
    assert found.sampled
    assert found.changed == pytest.approx(25_000, rel=0.05)
    assert after[found.index] == 1.0
    assert "changed by this op: ≈" in change_text(found)
    assert "max |Δ| ≥1.0" in change_text(found)
    assert change_text(change_summary(before, before.copy(), limit=9)) == (
        "unchanged by this op in the sample: 100,000 cells"
    )


@given(
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4).flatmap(
        lambda shape: st.tuples(*[hnp.arrays(np.float64, shape)] * 2)
    )
)
def test_any_pair_of_arrays(pair):
    before, after = pair
    found = change_summary(before, after)
    raw = [a.tobytes() for a in pair]
    differing = sum(raw[0][i : i + 8] != raw[1][i : i + 8] for i in range(0, len(raw[0]), 8))
    assert found.changed == differing
    if found.index is not None:
        assert exact_bits(found.before) == exact_bits(before[found.index])
        delta = abs(float(after[found.index]) - float(before[found.index]))
        assert delta == found.max_delta or math.isnan(delta) == math.isnan(found.max_delta)


def exact_bits(value):
    return np.float64(value).tobytes()
