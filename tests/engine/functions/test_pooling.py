"""Pools against PyTorch and central differences: ties, NaN, padding, rounding up."""

import math

import numpy as np
import pytest

from engine.functions.max_pooling import (
    max_places,
    max_pool,
    max_pool_shape,
    picked,
    put_back,
)
from engine.functions.pooling import (
    adaptive_avg_pool,
    adaptive_avg_pool_shape,
    adaptive_avg_pool_vjp,
    avg_pool,
    avg_pool_shape,
    avg_pool_vjp,
)
from tests.engine.functions.second_opinion import along, close, near, normal, torch_gradients

ONE, TWO = (2, 3, 11), (2, 3, 7, 8)
# input, kernel, stride, padding
SLIDING = [
    (ONE, (2,), None, (0,)),
    (ONE, (3,), (1,), (1,)),
    (ONE, (4,), (3,), (2,)),
    (ONE, (2,), (5,), (1,)),
    (TWO, (2, 2), None, (0, 0)),
    (TWO, (3, 2), (2, 3), (1, 1)),
    (TWO, (3, 3), (1, 1), (0, 1)),
    (TWO, (5, 4), (3, 2), (2, 2)),
    (TWO, (1, 3), (2, 1), (0, 1)),
    (TWO, (7, 8), None, (0, 0)),
]


def max_pool_vjp(g, x, kernel, *options):
    """The gradient of the input, as lines compute it: put back where the maxima are."""
    return put_back(g, max_places(x, kernel, *options), x.shape, len(kernel))


def max_pool_jvp(tangent, x, kernel, *options):
    """The derivative along a tangent: what it is where the maxima are."""
    return picked(tangent, max_places(x, kernel, *options), len(kernel))


def ties(shape):
    """Numbers of which many are equal."""
    return np.random.default_rng(3).integers(-1, 2, shape).astype(float)


@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("numbers", [lambda s: normal(*s), ties], ids=["different", "ties"])
@pytest.mark.parametrize(("shape", "kernel", "stride", "padding"), SLIDING)
def test_maxima_are_those_of_torch(shape, kernel, stride, padding, numbers, dilation, ceil_mode):
    x, dilations = numbers(shape), (dilation,) * len(kernel)
    if any(d * (k - 1) >= n for d, k, n in zip(dilations, kernel, shape[2:], strict=True)):
        kernel = tuple(-(-k // dilation) for k in kernel)
        padding = tuple(min(p, k // 2) for p, k in zip(padding, kernel, strict=True))
    options = {"stride": stride, "padding": padding, "dilation": dilation, "ceil_mode": ceil_mode}
    name = f"max_pool{len(kernel)}d"
    value, g, (by_x,) = torch_gradients(name, (x,), kernel_size=kernel, **options)
    ours = (kernel, stride, padding, dilations, ceil_mode)
    assert max_pool_shape(shape, *ours) == value.shape
    close(max_pool(x, *ours), value)
    close(max_pool_vjp(g, x, *ours), by_x)
    torch = pytest.importorskip("torch")
    both = getattr(torch.nn.functional, name)(
        torch.tensor(x), kernel, return_indices=True, **options
    )
    np.testing.assert_array_equal(max_places(x, *ours), both[1].numpy())


@pytest.mark.parametrize("kernel", [(2, 2), (3, 3), (4, 2)])
def test_nan_and_infinities_are_those_of_torch(kernel):
    x = normal(2, 2, 8, 8)
    spoilt = np.random.default_rng(2).random(x.shape)
    x[spoilt < 0.2], x[spoilt > 0.5] = math.nan, -math.inf
    padding = tuple(k // 2 for k in kernel)
    options = {"stride": 1, "padding": padding}
    value, g, (by_x,) = torch_gradients("max_pool2d", (x,), kernel_size=kernel, **options)
    assert np.isnan(value).any()
    assert np.isneginf(value).any()
    close(max_pool(x, kernel, (1, 1), padding), value)
    close(max_pool_vjp(g, x, kernel, (1, 1), padding), by_x)


def test_of_equal_elements_the_first_in_row_major_order_gets_the_gradient():
    x = np.array([[[[1.0, 5.0, 5.0], [5.0, 0.0, 5.0]]]])
    found = max_pool_vjp(np.array([[[[10.0, 1.0]]]]), x, (2, 2), (1, 1))
    np.testing.assert_array_equal(found[0, 0], [[0, 11, 0], [0, 0, 0]])


def test_the_derivative_of_maxima_is_a_central_difference():
    x, t = normal(*TWO), normal(*TWO, seed=2)
    options = ((3, 2), (2, 1), (1, 1), (1, 2), True)
    forward = max_pool_jvp(t, x, *options)
    near(forward, along(lambda a: max_pool(a, *options), x, t))
    g = normal(*forward.shape, seed=4)
    near(np.sum(g * forward), np.sum(max_pool_vjp(g, x, *options) * t))


@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize("count_include_pad", [False, True])
@pytest.mark.parametrize(("shape", "kernel", "stride", "padding"), SLIDING)
def test_means_are_those_of_torch(shape, kernel, stride, padding, count_include_pad, ceil_mode):
    x = normal(*shape)
    options = {"padding": padding, "count_include_pad": count_include_pad, "ceil_mode": ceil_mode}
    name = f"avg_pool{len(kernel)}d"
    value, g, (by_x,) = torch_gradients(name, (x,), kernel_size=kernel, stride=stride, **options)
    ours = (kernel, stride, padding, ceil_mode, count_include_pad)
    assert avg_pool_shape(shape, *ours[:4]) == value.shape
    close(avg_pool(x, *ours), value)
    close(avg_pool_vjp(g, shape, *ours), by_x)


def test_the_gradient_of_means_is_a_central_difference():
    x, t = normal(*TWO), normal(*TWO, seed=2)
    options = ((3, 2), (2, 2), (1, 1), True, False)
    g = normal(*avg_pool_shape(TWO, *options[:4]), seed=3)
    forward = along(lambda a: avg_pool(a, *options), x, t)
    near(avg_pool(t, *options), forward)
    near(np.sum(avg_pool_vjp(g, TWO, *options) * t), np.sum(g * forward))


@pytest.mark.parametrize("out", [(1, 1), (2, 3), (3, 5), (7, 8), (9, 1), (4, 20), (13, 11)])
def test_adaptive_means_are_those_of_torch(out):
    x = normal(*TWO)
    value, g, (by_x,) = torch_gradients("adaptive_avg_pool2d", (x,), output_size=out)
    assert adaptive_avg_pool_shape(TWO, out) == value.shape
    close(adaptive_avg_pool(x, out), value)
    close(adaptive_avg_pool_vjp(g, TWO), by_x)


@pytest.mark.parametrize("out", [1, 3, 11, 14])
def test_adaptive_means_of_sequences_are_those_of_torch(out):
    x = normal(*ONE)
    value, g, (by_x,) = torch_gradients("adaptive_avg_pool1d", (x,), output_size=out)
    close(adaptive_avg_pool(x, (out,)), value)
    close(adaptive_avg_pool_vjp(g, ONE), by_x)


def test_an_infinity_stays_in_its_window():
    x = normal(1, 1, 5, 5)  # windows of two, three and two elements
    x[0, 0, 2, 2], x[0, 0, 4, 4] = math.inf, math.nan
    value, _, _ = torch_gradients("adaptive_avg_pool2d", (x,), output_size=(3, 3))
    close(adaptive_avg_pool(x, (3, 3)), value)
    value, _, _ = torch_gradients("avg_pool2d", (x,), kernel_size=2)
    close(avg_pool(x, (2, 2)), value)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_is_kept_and_the_input_too(dtype):
    x = normal(2, 1, 5, 5).astype(dtype)
    before = x.copy()
    kernel = (2, 2)
    top, mean, even = max_pool(x, kernel), avg_pool(x, kernel), adaptive_avg_pool(x, (2, 3))
    made = [
        *(top, mean, even),
        max_pool_vjp(top, x, kernel),
        max_pool_jvp(x, x, kernel),
        avg_pool_vjp(mean, x.shape, kernel),
        adaptive_avg_pool_vjp(even, x.shape),
    ]
    assert {str(array.dtype) for array in made} == {dtype}
    np.testing.assert_array_equal(x, before)


def test_any_axes_may_stand_before_those_that_are_pooled():
    x = normal(2, 3, 4, 6, 6)
    flat = x.reshape(24, 1, 6, 6)
    np.testing.assert_array_equal(max_pool(x, (2, 2)).reshape(24, 1, 3, 3), max_pool(flat, (2, 2)))
    np.testing.assert_array_equal(max_pool(x[0, 0, 0], (2, 2)), max_pool(x, (2, 2))[0, 0, 0])
    assert max_pool(x[:0], (2, 2)).shape == (0, 3, 4, 3, 3)
    assert max_pool_vjp(x[:0, :, :, ::2, ::2], x[:0], (2, 2)).shape == (0, 3, 4, 6, 6)


@pytest.mark.parametrize(
    ("shape", "options", "said"),
    [
        ((2, 3, 4), ((5,),), r"\(5,\) .* does not fit the input \(2, 3, 4\) .* at most \(4,\)"),
        ((2, 3, 4), ((3,), None, (2,)), r"padding \(2,\) of a pool must be at most half .* \(1,\)"),
        ((2, 3, 4), ((2,), (0,)), r"stride \(0,\) must be at least 1"),
        ((2, 3, 4), ((2, 2, 2, 2),), "one integer an axis"),
        ((2, 3, 0), ((2,), None, (1,)), r"a kernel of at most \(0,\)"),
        ((2, 3, 4), ((2,), (1, 1)), r"stride \(1, 1\) has 2 numbers where there are 1"),
    ],
)
def test_windows_that_do_not_fit_are_refused(shape, options, said):
    for pool in (max_pool_shape, avg_pool_shape):
        with pytest.raises(ValueError, match=said):
            pool(shape, *options)


def test_a_window_without_an_element_is_refused():
    # the positions −1 and 3 of three elements: PyTorch writes beyond its array here
    with pytest.raises(ValueError, match="steps over all elements"):
        max_pool_shape((1, 1, 3), (2,), (1,), (1,), (4,))
    assert max_pool_shape((1, 1, 4), (2,), (1,), (1,), (4,)) == (1, 1, 2)


@pytest.mark.parametrize(("shape", "out"), [((2, 4), (2, 2, 2)), ((2, 3, 0), (1,)), ((2, 3), (0,))])
def test_adaptive_windows_that_do_not_fit_are_refused(shape, out):
    with pytest.raises(ValueError, match=r"need an input with|at least 1"):
        adaptive_avg_pool(np.zeros(shape), out)
