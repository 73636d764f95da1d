import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tui.render.text.sampling import flat_slice, sample, sample_step


@given(st.integers(0, 10**13), st.integers(0, 10**6))
def test_a_step_keeps_the_limit_and_shares_no_factor(size, limit):
    step = sample_step(size, limit)
    assert -(-size // step) <= max(1, limit)
    assert step == 1 or math.gcd(step, size) == 1


@given(hnp.arrays(np.int64, hnp.array_shapes(max_dims=3, max_side=5)), st.booleans())
def test_slices_run_in_row_major_order(array, transposed):
    array = array.T if transposed else array
    assert flat_slice(array, slice(1, None, 2)).tolist() == array.ravel()[1::2].tolist()


def test_what_fits_is_taken_whole():
    assert sample(np.arange(6).reshape(2, 3), 6).tolist() == [0, 1, 2, 3, 4, 5]
