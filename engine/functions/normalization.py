"""Layer and group normalization, as ``torch.nn.functional.layer_norm`` and ``group_norm``.

Both make x̂ = (x − μ) / σ over some axes of each sample and give γ ⊙ x̂ + β; γ and β may be left
out. σ² = Var x + ε, with the biased variance. What they and ``batch_norm`` have in common, x̂ and
its derivative, stands here. Sources: S. Ioffe and C. Szegedy, Batch normalization, 2015, section 3;
J. L. Ba, J. R. Kiros and G. E. Hinton, Layer normalization, 2016; Y. Wu and K. He, Group
normalization, 2018.
"""

import math
from typing import NamedTuple

import numpy as np

from engine.arrays import Array, Shape

Axes = tuple[int, ...]


class Standard(NamedTuple):
    """x̂ = (x − μ) / σ over ``axes``, and 1/σ, which broadcasts against it."""

    xhat: Array
    scale: Array
    axes: Axes


def standardized(x: Array, axes: Axes, eps: float) -> Standard:
    """x with mean 0 over the axes and variance 1, but for ``eps``, which is added to it."""
    centred = x - mean(x, axes)
    scale: Array = 1 / np.sqrt(mean(centred * centred, axes) + eps)
    return Standard(centred * scale, scale, axes)


def through(tangent: Array, at: Standard) -> Array:
    """The Jacobian of x̂ times a tangent: (t − mean t − x̂ mean(x̂ ⊙ t)) / σ.

    Ioffe and Szegedy 2015, section 3, with the three terms collected. From dμ = mean t and
    dσ = mean(x̂ ⊙ t) follows dx̂ = (t − dμ)/σ − x̂ dσ/σ, which is the matrix
    (I − 1 1ᵀ/m − x̂ x̂ᵀ/m) / σ times t. It is symmetric, so that this is also the vector-Jacobian
    product, for the gradient of x̂ in the place of t.
    """
    along = mean(at.xhat * tangent, at.axes)
    out: Array = (tangent - mean(tangent, at.axes) - at.xhat * along) * at.scale
    return out


def mean(x: Array, axes: Axes) -> Array:
    """The mean over the axes, which stay with one element each."""
    out: Array = np.mean(x, axis=axes, keepdims=True)
    return out


def affine(xhat: Array, gamma: Array | None, beta: Array | None) -> Array:
    """γ ⊙ x̂ + β, for γ and β that broadcast against x̂; either may be left out."""
    out = scaled_by(xhat, gamma)
    return out if beta is None else out + beta


def scaled_by(x: Array, gamma: Array | None) -> Array:
    """γ ⊙ x; x itself without γ."""
    return x if gamma is None else x * gamma


def of_channels(parameter: Array, axes: int) -> Array:
    """A parameter (C,) so that it broadcasts along axis 1 of an array with so many axes."""
    return parameter.reshape(-1, *(1,) * (axes - 2))


def affine_by_channel(xhat: Array, gamma: Array | None, beta: Array | None) -> Array:
    """γ ⊙ x̂ + β for γ and β (C,), along axis 1."""
    out = scaled_by_channel(xhat, gamma)
    return out if beta is None else out + of_channels(beta, xhat.ndim)


def scaled_by_channel(x: Array, gamma: Array | None) -> Array:
    """γ ⊙ x for γ (C,), along axis 1; x itself without γ."""
    return x if gamma is None else x * of_channels(gamma, x.ndim)


def over_samples(x: Array) -> Array:
    """The sum (C,) over every axis but that of the channels, axis 1."""
    out: Array = np.sum(x, axis=(0, *range(2, x.ndim)))
    return out


def require_parameters(needed: Shape, x_shape: Shape, **parameters: Shape | None) -> None:
    """Raise ValueError where γ or β is there and has not the shape that the input needs."""
    for name, shape in parameters.items():
        if shape is not None and shape != needed:
            raise ValueError(
                f"{name} {shape} does not fit the input {x_shape}: the shape {needed} would"
            )


def layer_norm_shape(
    x_shape: Shape, axes: int, gamma_shape: Shape | None, beta_shape: Shape | None
) -> Shape:
    """The shape of the result, that of the input; raises ValueError where γ or β does not fit."""
    if not 1 <= axes <= len(x_shape):
        raise ValueError(
            f"layer_norm over the last {axes} axes does not fit the input {x_shape}:"
            f" 1 to {len(x_shape)} axes would"
        )
    require_parameters(x_shape[-axes:], x_shape, gamma=gamma_shape, beta=beta_shape)
    return x_shape


def layer_norm(
    x: Array, axes: int, gamma: Array | None, beta: Array | None, eps: float = 1e-5
) -> Array:
    """γ ⊙ x̂ + β over the last ``axes`` axes of x; γ and β have their shape.

    Raises ValueError as :func:`layer_norm_shape` does.
    """
    layer_norm_shape(x.shape, axes, shape_of(gamma), shape_of(beta))
    return affine(standardized(x, last(axes), eps).xhat, gamma, beta)


def layer_norm_vjp_x(
    g: Array, x: Array, axes: int, gamma: Array | None, eps: float = 1e-5
) -> Array:
    """The gradient of the input, for the gradient g of the output; both have the shape of x."""
    return through(scaled_by(g, gamma), standardized(x, last(axes), eps))


def layer_norm_vjp_gamma(g: Array, x: Array, axes: int, eps: float = 1e-5) -> Array:
    """The gradient of γ: g ⊙ x̂, summed over the axes before those of the layer."""
    return layer_norm_vjp_beta(g * standardized(x, last(axes), eps).xhat, axes)


def layer_norm_vjp_beta(g: Array, axes: int) -> Array:
    """The gradient of β: g, summed over the axes before those of the layer."""
    out: Array = np.sum(g, axis=tuple(range(g.ndim - axes)))
    return out


def layer_norm_jvp_x(
    tangent: Array, x: Array, axes: int, gamma: Array | None, eps: float = 1e-5
) -> Array:
    """The derivative of the output along a tangent of the input."""
    return scaled_by(through(tangent, standardized(x, last(axes), eps)), gamma)


def layer_norm_jvp_gamma(tangent: Array, x: Array, axes: int, eps: float = 1e-5) -> Array:
    """The derivative of the output along a tangent of γ; along one of β it is the tangent."""
    return standardized(x, last(axes), eps).xhat * tangent


def last(axes: int) -> Axes:
    """The last axes of an array, counted from its end."""
    return tuple(range(-axes, 0))


def shape_of(parameter: Array | None) -> Shape | None:
    """The shape of a parameter; None where there is none."""
    return None if parameter is None else parameter.shape


def group_norm_shape(
    x_shape: Shape, groups: int, gamma_shape: Shape | None, beta_shape: Shape | None
) -> Shape:
    """The shape of the result, that of the input (N, C, *S).

    Raises ValueError where the channels cannot be dealt to the groups, where γ or β does not fit,
    and, as PyTorch, where there is but one value to take a mean of.
    """
    if len(x_shape) < 2 or groups < 1 or x_shape[1] % groups:
        raise ValueError(
            f"group_norm with {groups} groups does not fit the input {x_shape}: it needs samples,"
            f" then channels whose number is a multiple of the groups"
        )
    if math.prod(x_shape) == groups:
        raise ValueError(
            f"group_norm with {groups} groups has one value a group for the input {x_shape}, which"
            f" is its own mean: fewer groups would fit"
        )
    require_parameters(x_shape[1:2], x_shape, gamma=gamma_shape, beta=beta_shape)
    return x_shape


def group_norm(
    x: Array, groups: int, gamma: Array | None, beta: Array | None, eps: float = 1e-5
) -> Array:
    """γ ⊙ x̂ + β over each group of channels of each sample of x (N, C, *S); γ and β are (C,).

    Raises ValueError as :func:`group_norm_shape` does.
    """
    group_norm_shape(x.shape, groups, shape_of(gamma), shape_of(beta))
    xhat = grouped(x, groups, eps).xhat.reshape(x.shape)
    return affine_by_channel(xhat, gamma, beta)


def group_norm_vjp_x(
    g: Array, x: Array, groups: int, gamma: Array | None, eps: float = 1e-5
) -> Array:
    """The gradient of the input, for the gradient g of the output; both have the shape of x."""
    at = grouped(x, groups, eps)
    into = scaled_by_channel(g, gamma).reshape(at.xhat.shape)
    return through(into, at).reshape(x.shape)


def group_norm_vjp_gamma(g: Array, x: Array, groups: int, eps: float = 1e-5) -> Array:
    """The gradient (C,) of γ: g ⊙ x̂, summed over all axes but that of the channels."""
    return over_samples(g * grouped(x, groups, eps).xhat.reshape(x.shape))


def group_norm_vjp_beta(g: Array) -> Array:
    """The gradient (C,) of β: g, summed over all axes but that of the channels."""
    return over_samples(g)


def group_norm_jvp_x(
    tangent: Array, x: Array, groups: int, gamma: Array | None, eps: float = 1e-5
) -> Array:
    """The derivative of the output along a tangent of the input."""
    at = grouped(x, groups, eps)
    moved = through(tangent.reshape(at.xhat.shape), at).reshape(x.shape)
    return scaled_by_channel(moved, gamma)


def group_norm_jvp_gamma(tangent: Array, x: Array, groups: int, eps: float = 1e-5) -> Array:
    """The derivative of the output along a tangent (C,) of γ; along one of β, its broadcast."""
    xhat = grouped(x, groups, eps).xhat.reshape(x.shape)
    return scaled_by_channel(xhat, tangent)


def grouped(x: Array, groups: int, eps: float) -> Standard:
    """x̂ as (N, groups, C/groups · ΠS), where a group is one row."""
    rows = x.reshape(x.shape[0], groups, math.prod(x.shape[1:]) // groups)
    return standardized(rows, (2,), eps)
