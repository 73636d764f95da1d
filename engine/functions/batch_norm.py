"""Batch normalization in training, as ``torch.nn.functional.batch_norm`` without γ and β.

Each channel of x, (N, C, *S) or (N, C), gets mean 0 and variance 1 over the batch. Source: S. Ioffe
and C. Szegedy, Batch normalization: accelerating deep network training by reducing internal
covariate shift, 2015.
"""

import math

from engine.arrays import Array, Shape
from engine.functions.normalization import Axes, standardized, through


def batch_norm_shape(x_shape: Shape) -> Shape:
    """The shape of the result, that of the input.

    Raises ValueError where there are no channels and, as PyTorch, where there is but one value a
    channel to take a mean of.
    """
    if len(x_shape) < 2:
        raise ValueError(f"batch_norm does not fit the input {x_shape}: (N, C) or (N, C, …) would")
    count = math.prod(x_shape[:1] + x_shape[2:])
    if count < 2:
        raise ValueError(
            f"batch_norm has {count} values a channel for the input {x_shape}:"
            f" a batch of 2 or more would fit, or evaluation mode"
        )
    return x_shape


def batch_norm(x: Array, eps: float = 1e-5) -> Array:
    """x̂ with mean and biased variance of the batch; ValueError as :func:`batch_norm_shape`."""
    batch_norm_shape(x.shape)
    return standardized(x, over(x), eps).xhat


def batch_norm_product(tangent: Array, x: Array, eps: float = 1e-5) -> Array:
    """The Jacobian times a tangent of the input, or a gradient of the output times it."""
    return through(tangent, standardized(x, over(x), eps))


def over(x: Array) -> Axes:
    """Every axis but that of the channels."""
    return (0, *range(2, x.ndim))
