"""Batch normalization, as ``torch.nn.functional.batch_norm``, in training and in evaluation.

x is (N, C, *S) or (N, C); γ, β and the running statistics are (C,), γ and β may be left out. In
training each channel has mean 0 and variance 1 over the batch, in evaluation the running
statistics take the place of the batch's, and are constants. Source: S. Ioffe and C. Szegedy, Batch
normalization: accelerating deep network training by reducing internal covariate shift, 2015.
"""

import math

import numpy as np

from engine.arrays import Array, Shape
from engine.functions.normalization import (
    Axes,
    affine_by_channel,
    of_channels,
    over_samples,
    require_parameters,
    scaled_by,
    scaled_by_channel,
    shape_of,
    standardized,
    through,
)


def batch_norm_shape(
    x_shape: Shape,
    gamma_shape: Shape | None,
    beta_shape: Shape | None,
    mean_shape: Shape | None = None,
    var_shape: Shape | None = None,
) -> Shape:
    """The shape of the result, that of the input.

    Raises ValueError where a parameter or a statistic does not fit and, as PyTorch, where there is
    but one value a channel to take a mean of; with given statistics one is enough.
    """
    if len(x_shape) < 2:
        raise ValueError(f"batch_norm does not fit the input {x_shape}: (N, C) or (N, C, …) would")
    require_parameters(
        x_shape[1:2], x_shape, gamma=gamma_shape, beta=beta_shape, mean=mean_shape, var=var_shape
    )
    if mean_shape is None and values_a_channel(x_shape) < 2:
        raise ValueError(
            f"batch_norm has {values_a_channel(x_shape)} values a channel for the input {x_shape}:"
            f" a batch of 2 or more would fit, or evaluation mode"
        )
    return x_shape


def values_a_channel(x_shape: Shape) -> int:
    """How many values a mean is taken of: N · ΠS."""
    return math.prod(x_shape[:1] + x_shape[2:])


def batch_norm(x: Array, gamma: Array | None, beta: Array | None, eps: float = 1e-5) -> Array:
    """γ ⊙ x̂ + β with mean and biased variance of the batch, as in training.

    Raises ValueError as :func:`batch_norm_shape` does.
    """
    batch_norm_shape(x.shape, shape_of(gamma), shape_of(beta))
    xhat = standardized(x, over(x), eps).xhat
    return affine_by_channel(xhat, gamma, beta)


def batch_norm_vjp_x(g: Array, x: Array, gamma: Array | None, eps: float = 1e-5) -> Array:
    """The gradient of the input, for the gradient g of the output; both have the shape of x."""
    return through(scaled_by_channel(g, gamma), standardized(x, over(x), eps))


def batch_norm_vjp_gamma(g: Array, x: Array, eps: float = 1e-5) -> Array:
    """The gradient (C,) of γ: g ⊙ x̂, summed over all axes but that of the channels."""
    return over_samples(g * standardized(x, over(x), eps).xhat)


def batch_norm_vjp_beta(g: Array) -> Array:
    """The gradient (C,) of β, also in evaluation: g, summed over all axes but the channels'."""
    return over_samples(g)


def batch_norm_jvp_x(tangent: Array, x: Array, gamma: Array | None, eps: float = 1e-5) -> Array:
    """The derivative of the output along a tangent of the input."""
    return scaled_by_channel(through(tangent, standardized(x, over(x), eps)), gamma)


def batch_norm_jvp_gamma(tangent: Array, x: Array, eps: float = 1e-5) -> Array:
    """The derivative of the output along a tangent (C,) of γ; along one of β, its broadcast."""
    return scaled_by_channel(standardized(x, over(x), eps).xhat, tangent)


def over(x: Array) -> Axes:
    """Every axis but that of the channels."""
    return (0, *range(2, x.ndim))


def running_statistics(
    x: Array, mean: Array, var: Array, momentum: float = 0.1
) -> tuple[Array, Array]:
    """New running mean and variance (C,): (1 − momentum) old + momentum of the batch.

    As PyTorch, the variance of the batch is the unbiased one here, though x̂ has the biased one.
    """
    count = values_a_channel(x.shape)
    batch_mean = np.mean(x, axis=over(x))
    batch_var = np.var(x, axis=over(x)) * (count / (count - 1))
    return (
        (1 - momentum) * mean + momentum * batch_mean,
        (1 - momentum) * var + momentum * batch_var,
    )


def batch_norm_eval(
    x: Array,
    mean: Array,
    var: Array,
    gamma: Array | None,
    beta: Array | None,
    eps: float = 1e-5,
) -> Array:
    """γ ⊙ (x − mean) / √(var + ε) + β with given statistics, as in evaluation.

    Raises ValueError as :func:`batch_norm_shape` does.
    """
    batch_norm_shape(x.shape, shape_of(gamma), shape_of(beta), mean.shape, var.shape)
    xhat = known_standard(x, mean, var, eps)
    return affine_by_channel(xhat, gamma, beta)


def batch_norm_eval_vjp_x(g: Array, var: Array, gamma: Array | None, eps: float = 1e-5) -> Array:
    """The gradient of the input, γ g / √(var + ε): elementwise, as the statistics are constants.

    A diagonal Jacobian is symmetric: this is also the derivative along a tangent of the input, for
    the tangent in the place of g.
    """
    return scaled_by_channel(g, scaled_by(1 / np.sqrt(var + eps), gamma))


def batch_norm_eval_vjp_gamma(
    g: Array, x: Array, mean: Array, var: Array, eps: float = 1e-5
) -> Array:
    """The gradient (C,) of γ: g ⊙ x̂, summed over all axes but that of the channels."""
    return over_samples(g * known_standard(x, mean, var, eps))


def batch_norm_eval_jvp_gamma(
    tangent: Array, x: Array, mean: Array, var: Array, eps: float = 1e-5
) -> Array:
    """The derivative of the output along a tangent (C,) of γ; along one of β, its broadcast."""
    return scaled_by_channel(known_standard(x, mean, var, eps), tangent)


def known_standard(x: Array, mean: Array, var: Array, eps: float) -> Array:
    """x̂ of the given mean and variance."""
    axes = x.ndim
    out: Array = (x - of_channels(mean, axes)) * of_channels(1 / np.sqrt(var + eps), axes)
    return out
