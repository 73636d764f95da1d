"""What PyTorch and central differences say of a function, for the tests of kernels."""

import numpy as np
import pytest

from engine.arrays import Array

RNG_SEED = 5


def normal(*shape: int, seed: int = RNG_SEED) -> Array:
    """Numbers to try a kernel on, different for each shape and seed."""
    return np.random.default_rng([seed, *shape]).normal(size=shape)


def torch_gradients(function, arrays, **options):
    """Value and gradients of a function of torch.nn.functional by each of the arrays.

    ``function`` is its name, or takes torch.nn.functional before the arrays.
    An array that is None is handed on. The gradient g of the output is made for its shape, and
    returned too: (value, g, gradients).
    """
    torch = pytest.importorskip("torch", reason="PyTorch is not installed (extra 'torch')")
    given = [None if a is None else torch.tensor(a, requires_grad=True) for a in arrays]
    functional = torch.nn.functional
    if isinstance(function, str):
        value = getattr(functional, function)(*given, **options)
    else:
        value = function(functional, *given)
    g = normal(*value.shape, seed=7).astype(arrays[0].dtype)
    value.backward(torch.tensor(g))
    return value.detach().numpy(), g, [None if a is None else a.grad.numpy() for a in given]


def along(function, x, tangent, step=1e-5):
    """The central difference of a function at x along a tangent."""
    return (function(x + step * tangent) - function(x - step * tangent)) / (2 * step)


def close(ours, theirs):
    """Hold an array against another one at 1e-12, its shape, dtype and layout too."""
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype
    assert ours.flags.c_contiguous
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


def near(ours, difference):
    """Hold an array against central differences."""
    np.testing.assert_allclose(ours, difference, rtol=1e-6, atol=1e-8)
