"""Convolutions and transposed ones against PyTorch, their adjoint and central differences."""

import itertools

import numpy as np
import pytest

from engine.functions.conv_transpose import (
    conv_transpose,
    conv_transpose_shape,
    conv_transpose_vjp_w,
    conv_transpose_vjp_x,
)
from engine.functions.convolution import conv, conv_shape, conv_vjp_w, conv_vjp_x
from tests.engine.functions.second_opinion import along, close, near, normal, torch_gradients

# stride, padding, dilation, groups
ONE = list(itertools.product([(1,), (2,), (3,)], [(0,), (1,), (4,)], [(1,), (2,)], [1, 2]))
TWO = [
    *itertools.product([(1, 1), (2, 3)], [(0, 0), (2, 1)], [(1, 1), (2, 1), (1, 3)], [1, 2]),
    ((5, 1), (0, 3), (1, 2), 4),
    ((7, 7), (3, 3), (1, 1), 1),
]
IMAGES = {1: (3, 4, 11), 2: (2, 4, 7, 8)}
KERNELS = {1: (6, 3), 2: (8, 3, 2)}


def operands(stride, groups):
    """An input and kernels for a convolution with these options."""
    axes = len(stride)
    x = normal(*IMAGES[axes])
    w = normal(KERNELS[axes][0], x.shape[1] // groups, *KERNELS[axes][1:])
    return x, w


@pytest.mark.parametrize(("stride", "padding", "dilation", "groups"), ONE + TWO)
def test_value_and_gradients_are_those_of_torch(stride, padding, dilation, groups):
    x, w = operands(stride, groups)
    options = (stride, padding, dilation, groups)
    names = dict(zip(("stride", "padding", "dilation", "groups"), options, strict=True))
    value, g, (by_x, by_w) = torch_gradients(f"conv{len(stride)}d", (x, w), **names)
    assert conv_shape(x.shape, w.shape, *options) == value.shape
    close(conv(x, w, *options), value)
    close(conv_vjp_x(g, x.shape, w, *options), by_x)
    close(conv_vjp_w(g, x, w.shape, *options), by_w)


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("kernel", [(1, 1, 1), (3, 1, 2)])
def test_three_axes_are_those_of_torch(kernel, groups):
    x, w = normal(2, 4, 5, 4, 6), normal(2, 4 // groups, *kernel)
    options = ((1, 2, 2), (1, 0, 1), (1, 1, 2), groups)
    names = dict(zip(("stride", "padding", "dilation", "groups"), options, strict=True))
    value, g, (by_x, by_w) = torch_gradients("conv3d", (x, w), **names)
    close(conv(x, w, *options), value)
    close(conv_vjp_x(g, x.shape, w, *options), by_x)
    close(conv_vjp_w(g, x, w.shape, *options), by_w)


TRANSPOSED = [
    (stride, padding, more, dilation, groups)
    for stride in [(1, 1), (2, 3), (4, 1)]
    for padding in [(0, 0), (1, 2)]
    for more in [(0, 0), (1, 1), (3, 0), (0, 2)]
    for dilation in [(1, 1), (1, 3), (4, 2)]
    for groups in [1, 2]
    if all(m < max(s, d) for m, s, d in zip(more, stride, dilation, strict=True))
]
NAMES = ("stride", "padding", "output_padding", "dilation", "groups")


@pytest.mark.parametrize("options", TRANSPOSED)
def test_the_transposed_convolution_is_that_of_torch(options):
    stride, padding, _, dilation, groups = options
    x, w = normal(2, 4, 4, 5), normal(4, 6 // groups, 3, 2)
    named = dict(zip(NAMES, options, strict=True))
    value, g, (by_x, by_w) = torch_gradients("conv_transpose2d", (x, w), **named)
    assert conv_transpose_shape(x.shape, w.shape, *options) == value.shape
    close(conv_transpose(x, w, *options), value)
    close(conv_transpose_vjp_x(g, x.shape, w, stride, padding, dilation, groups), by_x)
    close(conv_transpose_vjp_w(g, x, w.shape, stride, padding, dilation, groups), by_w)


@pytest.mark.parametrize(
    "options",
    [((1,), (0,), (0,), (1,), 1), ((3,), (2,), (2,), (1,), 2), ((1,), (1,), (2,), (3,), 4)],
)
def test_the_transposed_convolution_of_sequences_is_that_of_torch(options):
    stride, padding, _, dilation, groups = options
    x, w = normal(3, 4, 6), normal(4, 8 // groups, 3)
    named = dict(zip(NAMES, options, strict=True))
    value, g, (by_x, by_w) = torch_gradients("conv_transpose1d", (x, w), **named)
    close(conv_transpose(x, w, *options), value)
    close(conv_transpose_vjp_x(g, x.shape, w, stride, padding, dilation, groups), by_x)
    close(conv_transpose_vjp_w(g, x, w.shape, stride, padding, dilation, groups), by_w)


def test_gradients_are_central_differences():
    options = ((2, 1), (1, 0), (1, 2), 2)
    x, w = operands(options[0], 2)
    g = normal(*conv_shape(x.shape, w.shape, *options), seed=1)
    t, u = normal(*x.shape, seed=2), normal(*w.shape, seed=3)
    by_x, by_w = conv_vjp_x(g, x.shape, w, *options), conv_vjp_w(g, x, w.shape, *options)
    near(np.sum(by_x * t), along(lambda a: np.sum(g * conv(a, w, *options)), x, t))
    near(np.sum(by_w * u), along(lambda a: np.sum(g * conv(x, a, *options)), w, u))


def test_gradients_of_the_transposed_convolution_are_central_differences():
    options, back = ((2,), (1,), (1,), (2,), 2), ((2,), (1,), (2,), 2)
    x, w = normal(2, 4, 5), normal(4, 3, 3)
    g = normal(*conv_transpose_shape(x.shape, w.shape, *options), seed=1)
    t, u = normal(*x.shape, seed=2), normal(*w.shape, seed=3)
    by_x = conv_transpose_vjp_x(g, x.shape, w, *back)
    by_w = conv_transpose_vjp_w(g, x, w.shape, *back)
    near(np.sum(by_x * t), along(lambda a: np.sum(g * conv_transpose(a, w, *options)), x, t))
    near(np.sum(by_w * u), along(lambda a: np.sum(g * conv_transpose(x, a, *options)), w, u))


def test_a_published_example():
    # Dumoulin and Visin 2016, figure 1.1: a 3 × 3 kernel over a 5 × 5 input
    x = np.array(
        [[3, 3, 2, 1, 0], [0, 0, 1, 3, 1], [3, 1, 2, 2, 3], [2, 0, 0, 2, 2], [2, 0, 0, 0, 1]]
    )
    w = np.array([[0, 1, 2], [2, 2, 0], [0, 1, 2]])
    value = conv(x[None, None] * 1.0, w[None, None] * 1.0, (1, 1), (0, 0), (1, 1))
    np.testing.assert_array_equal(value[0, 0], [[12, 12, 17], [10, 17, 19], [9, 6, 14]])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_is_kept(dtype):
    x, w = normal(2, 4, 7).astype(dtype), normal(4, 2, 3).astype(dtype)
    options = ((2,), (1,), (1,), 2)
    g = conv(x, w, *options)
    made = [
        g,
        conv_vjp_x(g, x.shape, w, *options),
        conv_vjp_w(g, x, w.shape, *options),
        conv_transpose(x, w, (2,), (1,), (1,), (1,), 2),
    ]
    assert {str(array.dtype) for array in made} == {dtype}


def test_the_operands_stay_as_they_are_and_the_batch_may_be_empty():
    x, w = normal(2, 1, 4, 4), normal(1, 1, 1, 1)
    before = x.copy(), w.copy()
    options = ((1, 1), (0, 0), (1, 1))
    g = conv(x, w, *options)
    g[...] = conv_vjp_x(g, x.shape, w, *options) + 1
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(w, before[1])
    empty = conv(x[:0], w, *options)
    assert empty.shape == (0, 1, 4, 4)
    assert conv_vjp_x(empty, (0, 1, 4, 4), w, *options).shape == (0, 1, 4, 4)
    np.testing.assert_array_equal(conv_vjp_w(empty, x[:0], w.shape, *options), [[[[0]]]])


PLAIN = ((1, 1), (0, 0), (1, 1), 1)
REFUSED = [
    ((2, 3, 8, 8), (4, 2, 3, 3), PLAIN, r"read 2 channels.*has 3: kernels \(4, 3, 3, 3\) would"),
    ((2, 3, 8, 8), (4, 3, 3), PLAIN, r"kernels with 1 spatial axis need an input of rank 3"),
    ((2, 3, 8), (4, 3, 3, 3), PLAIN, r"\(2, 3, 8\): .* 2 spatial axes need an input of rank 4"),
    ((2, 3), (4, 3), PLAIN, r"kernels \(4, 3\) do not fit the input \(2, 3\)"),
    ((2, 3, 2, 9), (4, 3, 5, 5), PLAIN, r"padding of \(2, 0\) or more would fit"),
    ((2, 3, 8, 8), (4, 1, 3, 3), (*PLAIN[:3], 2), "groups would need a multiple of 2 channels"),
    ((2, 4, 8, 8), (3, 2, 3, 3), (*PLAIN[:3], 2), "their number, 3, must be a multiple of 2"),
    ((2, 3, 8, 8), (4, 3, 3, 3), ((1,), *PLAIN[1:]), r"stride \(1,\) has 1 numbers where .* 2"),
    ((2, 3, 8, 8), (4, 3, 3, 3), ((1, 0), *PLAIN[1:]), r"stride \(1, 0\) must be at least 1"),
    ((2, 3, 8, 8), (4, 3, 3, 3), (PLAIN[0], (-1, 0), *PLAIN[2:]), r"padding \(-1, 0\) must be"),
    ((2, 3, 8, 8), (4, 3, 3, 3), (*PLAIN[:3], 0), "groups must be at least 1"),
    ((2, 3, 8, 8), (4, 3, 0, 3), PLAIN, r"kernel \(0, 3\) must be at least 1"),
]


@pytest.mark.parametrize(("x_shape", "w_shape", "options", "said"), REFUSED)
def test_what_does_not_fit_is_refused_in_one_sentence(x_shape, w_shape, options, said):
    with pytest.raises(ValueError, match=said):
        conv_shape(x_shape, w_shape, *options)
    with pytest.raises(ValueError, match=said):
        conv(np.zeros(x_shape), np.zeros(w_shape), *options)


def test_the_padding_that_is_proposed_is_the_least_that_fits():
    x_shape, w_shape, dilation = (1, 1, 2, 9), (1, 1, 5, 3), (2, 2)
    with pytest.raises(ValueError, match=r"a padding of \(4, 0\) or more"):
        conv_shape(x_shape, w_shape, (1, 1), (3, 0), dilation)
    assert conv_shape(x_shape, w_shape, (1, 1), (4, 0), dilation) == (1, 1, 2, 5)


@pytest.mark.parametrize(
    ("x_shape", "w_shape", "options", "said"),
    [
        ((1, 2, 3), (3, 2, 3), ((1,), (0,), (0,), (1,), 1), r"kernels \(2, 2, 3\) would fit"),
        ((1, 3, 3), (3, 2, 3), ((1,), (0,), (0,), (1,), 2), "3, must be a multiple of 2"),
        ((1, 2, 3), (2, 2, 3), ((2,), (0,), (2,), (1,), 1), "must be smaller than stride"),
        ((1, 2, 1), (2, 2, 3), ((1,), (2,), (0,), (1,), 1), r"sizes \(-1,\): a padding smaller"),
    ],
)
def test_what_does_not_fit_a_transposed_convolution_is_refused(x_shape, w_shape, options, said):
    with pytest.raises(ValueError, match=said):
        conv_transpose(np.zeros(x_shape), np.zeros(w_shape), *options)
