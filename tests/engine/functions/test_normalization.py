"""Normalizations against PyTorch, and their derivatives against central differences."""

import numpy as np
import pytest

from engine.functions.batch_norm import batch_norm, batch_norm_product, batch_norm_shape
from engine.functions.normalization import (
    group_norm,
    group_norm_product,
    group_norm_shape,
    layer_norm,
    layer_norm_product,
    layer_norm_shape,
)
from tests.engine.functions.second_opinion import along, close, near, normal, torch_gradients

# no axis of two: where these are nearly equal, x̂ is only known to fewer digits
SHAPES = [(6, 4), (3, 4, 5), (2, 4, 3, 5), (2, 4, 3, 2, 3)]
EPS = [1e-5, 0.1]


def data(*shape):
    """An input whose mean is not 0."""
    return normal(*shape) * 2 + 3


def agree(value, product, x, theirs):
    """Hold a normalization and its gradient against PyTorch's."""
    expected, g, (by_x,) = torch_gradients(theirs, (x,))
    close(value(x), expected)
    close(product(g, x), by_x)


@pytest.mark.parametrize("eps", EPS)
@pytest.mark.parametrize("shape", SHAPES)
def test_batch_norm_is_that_of_torch(shape, eps):
    agree(
        lambda x: batch_norm(x, eps),
        lambda g, x: batch_norm_product(g, x, eps),
        data(*shape),
        lambda f, x: f.batch_norm(x, None, None, training=True, eps=eps),
    )


@pytest.mark.parametrize("eps", EPS)
@pytest.mark.parametrize("axes", [1, 2])
@pytest.mark.parametrize("shape", SHAPES)
def test_layer_norm_is_that_of_torch(shape, axes, eps):
    agree(
        lambda x: layer_norm(x, axes, eps),
        lambda g, x: layer_norm_product(g, x, axes, eps),
        data(*shape),
        lambda f, x: f.layer_norm(x, shape[-axes:], eps=eps),
    )


@pytest.mark.parametrize("eps", EPS)
@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("shape", SHAPES)
def test_group_norm_is_that_of_torch(shape, groups, eps):
    agree(
        lambda x: group_norm(x, groups, eps),
        lambda g, x: group_norm_product(g, x, groups, eps),
        data(*shape),
        lambda f, x: f.group_norm(x, groups, eps=eps),
    )


# value, and the Jacobian's product with a tangent or a gradient
FORWARD = {
    "batch": (lambda x: batch_norm(x, 0.1), lambda t, x: batch_norm_product(t, x, 0.1)),
    "layer": (lambda x: layer_norm(x, 2, 0.1), lambda t, x: layer_norm_product(t, x, 2, 0.1)),
    "group": (lambda x: group_norm(x, 2, 0.1), lambda t, x: group_norm_product(t, x, 2, 0.1)),
}


@pytest.mark.parametrize("name", FORWARD)
def test_the_derivative_along_a_tangent_is_a_central_difference_and_symmetric(name):
    value, product = FORWARD[name]
    x, t, g = data(3, 4, 5), normal(3, 4, 5, seed=2), normal(3, 4, 5, seed=3)
    near(product(t, x), along(value, x, t))
    near(np.sum(product(g, x) * t), np.sum(g * product(t, x)))


@pytest.mark.parametrize("name", FORWARD)
def test_the_derivative_along_a_tangent_is_that_of_torch(name):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed (extra 'torch')")
    functional = torch.nn.functional
    x, t = data(3, 4, 5), normal(3, 4, 5, seed=2)
    theirs = {
        "batch": lambda x: functional.batch_norm(x, None, None, training=True, eps=0.1),
        "layer": lambda x: functional.layer_norm(x, (4, 5), eps=0.1),
        "group": lambda x: functional.group_norm(x, 2, eps=0.1),
    }
    _, forward = torch.autograd.functional.jvp(theirs[name], torch.tensor(x), torch.tensor(t))
    close(FORWARD[name][1](t, x), forward.numpy())


@pytest.mark.parametrize("name", FORWARD)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_is_kept_and_the_input_too(name, dtype):
    value, product = FORWARD[name]
    x = data(3, 4, 5).astype(dtype)
    before = x.copy()
    assert {str(array.dtype) for array in (value(x), product(x, x))} == {dtype}
    np.testing.assert_array_equal(x, before)


def test_a_channel_without_variance_becomes_zero():
    x = np.full((4, 2), 7.0)
    np.testing.assert_array_equal(batch_norm(x), np.zeros((4, 2)))
    np.testing.assert_array_equal(layer_norm(x, 1), np.zeros((4, 2)))


@pytest.mark.parametrize("shape", [(1, 4), (1, 4, 1, 1)])
def test_a_single_value_a_channel_is_refused_as_in_torch(shape):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed (extra 'torch')")
    x = normal(*shape)
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        torch.nn.functional.batch_norm(torch.tensor(x), None, None, training=True)
    with pytest.raises(ValueError, match=r"has 1 values a channel .* a batch of 2 or more"):
        batch_norm(x)
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        torch.nn.functional.group_norm(torch.tensor(x), 4)
    with pytest.raises(ValueError, match="fewer groups would fit"):
        group_norm(x, 4)


@pytest.mark.parametrize(
    ("refused", "said"),
    [
        (lambda: batch_norm_shape((3,)), r"\(3,\): \(N, C\) or"),
        (lambda: layer_norm_shape((3, 4), 3), "1 to 2 axes would"),
        (lambda: group_norm_shape((3, 4), 3), "multiple of the groups"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(refused, said):
    with pytest.raises(ValueError, match=said):
        refused()
