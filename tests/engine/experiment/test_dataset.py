"""Batches as a pure function of (seed, epoch, k); standardized inputs; labels as classes."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.experiment.dataset import Batches, batches, load_data
from tests.engine.small_experiments import experiment


def cut(rows, size, shuffle=True, drop_last=False, seed=0):
    return Batches(rows, size, shuffle, drop_last, seed)


def rows_of_epoch(batches_, epoch):
    everything = np.arange(batches_.rows)
    return [everything[batches_.rows_of(epoch, k)] for k in range(batches_.count)]


@settings(max_examples=100, deadline=None)
@given(
    st.integers(1, 40),
    st.integers(1, 12),
    st.booleans(),
    st.booleans(),
    st.integers(0, 5),
    st.integers(0, 5),
)
def test_an_epoch_takes_every_row_once(rows, size, shuffle, drop_last, seed, epoch):
    size = min(size, rows)
    parts = rows_of_epoch(cut(rows, size, shuffle, drop_last, seed), epoch)
    left_over = rows % size
    lengths = [size] * (rows // size) + ([left_over] if left_over and not drop_last else [])
    assert [len(part) for part in parts] == lengths
    taken = np.concatenate(parts)
    assert len(set(taken.tolist())) == len(taken) == sum(lengths)
    if not shuffle:
        assert taken.tolist() == list(range(len(taken)))


def test_a_batch_depends_on_seed_epoch_and_k_alone():
    one, other = cut(50, 7), cut(50, 7)
    expected = [rows_of_epoch(one, epoch) for epoch in range(10)]
    for epoch in (9, 0, 4, 3, 9):  # in any order, and past what is cached
        for k in (7, 0, 3):
            assert np.arange(50)[other.rows_of(epoch, k)].tolist() == expected[epoch][k].tolist()
    orders = {tuple(np.concatenate(parts).tolist()) for parts in expected}
    orders |= {tuple(np.concatenate(rows_of_epoch(cut(50, 7, seed=s), 0))) for s in range(1, 5)}
    assert len(orders) == 14


def test_the_shuffled_order_cannot_be_changed_by_who_gets_it():
    with pytest.raises(ValueError, match="read-only"):
        cut(5, 2).rows_of(0, 0)[0] = 3


def test_every_place_is_equally_likely():
    """400 epochs of 4 rows: each of the 24 orders about 16.7 times, none rare or frequent."""
    orders = Counter(tuple(np.concatenate(rows_of_epoch(cut(4, 4), e))) for e in range(400))
    assert len(orders) == 24
    assert max(orders.values()) < 40


def test_batches_carry_the_rows_of_x_and_y_together_and_read_only():
    x = [[float(i), -float(i)] for i in range(7)]
    y = [[10.0 * i] for i in range(7)]
    spec = experiment(data={"x": x, "y": y, "batch_size": 3, "shuffle": True})
    data = load_data(spec)
    parts = batches(spec, data)
    assert (parts.count, len(data)) == (3, 7)
    for k in range(3):
        bx, by = parts.batch(data, 1, k)
        np.testing.assert_array_equal(bx[:, 0] * 10, by[:, 0])
        assert not bx.flags.writeable
        assert not by.flags.writeable
        assert len(bx) == (3, 3, 1)[k]


def test_a_batch_larger_than_the_data_is_all_of_it():
    spec = experiment(data={"batch_size": 100})
    assert (batches(spec, load_data(spec)).count, batches(spec, load_data(spec)).size) == (1, 7)


def inputs(rows, **data):
    y = [[0.0]] * len(rows)
    return load_data(experiment(data={"x": rows, "y": y, **data})).x


def test_standardized_columns_have_mean_0_and_deviation_1():
    x = inputs([[1.0, 10.0], [2.0, 20.0], [6.0, 60.0]], standardize=True)
    # mean 3, deviation sqrt((4 + 1 + 9) / 3)
    expected = np.array([-2, -1, 3]) / np.sqrt(14 / 3)
    np.testing.assert_allclose(x, np.stack([expected, expected], axis=1), rtol=1e-15)


@pytest.mark.parametrize("constant", [0.1, 0.7, 1e-9, 1e9 + 0.1, 0.0])
def test_a_constant_column_becomes_0_also_where_its_mean_is_rounded(constant):
    x = inputs([[constant, float(i)] for i in range(10)], standardize=True)
    assert x[:, 0].tolist() == [0.0] * 10
    assert x[:, 1].std() == pytest.approx(1)


def test_standardizing_is_done_in_double_precision_before_the_dtype():
    rows = [[1e8 + i] for i in range(4)]  # all equal in float32
    y = [[0.0]] * 4
    spec = experiment(data={"x": rows, "y": y, "standardize": True}, dtype="float32")
    x = load_data(spec).x
    assert x.dtype == np.float32
    np.testing.assert_allclose(x[:, 0], (np.arange(4) - 1.5) / np.sqrt(1.25), rtol=1e-6)


def test_data_may_hold_nan_and_infinities():
    x = inputs([[float("nan"), 1.0], [float("inf"), 2.0]])
    np.testing.assert_array_equal(x, [[np.nan, 1.0], [np.inf, 2.0]])
    assert np.isnan(inputs([[float("nan")], [1.0]], standardize=True)).all()


@pytest.mark.parametrize(("dtype", "flat"), [("float32", True), ("float64", False)])
def test_the_dtypes_of_inputs_and_targets(dtype, flat):
    y = [0, 2, 1, 0, 0, 0, 0] if flat else [[1.0]] * 7
    loss = {"type": "cross_entropy" if flat else "mse"}
    data = load_data(experiment(data={"y": y}, loss=loss, dtype=dtype))
    assert data.x.dtype == dtype
    assert data.y.dtype == (np.int64 if flat else dtype)
    assert data.y.shape == ((7,) if flat else (7, 1))
    assert not data.x.flags.writeable
    assert not data.y.flags.writeable
