"""Layer and group normalization, as ``torch.nn.functional`` has them, without γ and β.

Both make x̂ = (x − μ) / σ over some axes of each sample; σ² = Var x + ε, with the biased variance.
What they and ``batch_norm`` have in common, x̂ and its derivative, stands here: the Jacobian is
symmetric, so that its product with a tangent is also that with a gradient. Sources: S. Ioffe and
C. Szegedy, Batch normalization, 2015, section 3; J. L. Ba, J. R. Kiros and G. E. Hinton, Layer
normalization, 2016; Y. Wu and K. He, Group normalization, 2018.
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


def layer_norm_shape(x_shape: Shape, axes: int) -> Shape:
    """The shape of the result, that of the input; raises ValueError for axes that are not there."""
    if not 1 <= axes <= len(x_shape):
        raise ValueError(
            f"layer_norm over the last {axes} axes does not fit the input {x_shape}:"
            f" 1 to {len(x_shape)} axes would"
        )
    return x_shape


def layer_norm(x: Array, axes: int, eps: float = 1e-5) -> Array:
    """x̂ over the last ``axes`` axes of x; raises ValueError as :func:`layer_norm_shape`."""
    layer_norm_shape(x.shape, axes)
    return standardized(x, last(axes), eps).xhat


def layer_norm_product(tangent: Array, x: Array, axes: int, eps: float = 1e-5) -> Array:
    """The Jacobian times a tangent of the input, or a gradient of the output times it."""
    return through(tangent, standardized(x, last(axes), eps))


def last(axes: int) -> Axes:
    """The last axes of an array, counted from its end."""
    return tuple(range(-axes, 0))


def group_norm_shape(x_shape: Shape, groups: int) -> Shape:
    """The shape of the result, that of the input (N, C, *S).

    Raises ValueError where the channels cannot be dealt to the groups and, as PyTorch, where there
    is but one value to take a mean of.
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
    return x_shape


def group_norm(x: Array, groups: int, eps: float = 1e-5) -> Array:
    """x̂ over each group of channels of each sample of x (N, C, *S).

    Raises ValueError as :func:`group_norm_shape` does.
    """
    group_norm_shape(x.shape, groups)
    return grouped(x, groups, eps).xhat.reshape(x.shape)


def group_norm_product(tangent: Array, x: Array, groups: int, eps: float = 1e-5) -> Array:
    """The Jacobian times a tangent of the input, or a gradient of the output times it."""
    at = grouped(x, groups, eps)
    return through(tangent.reshape(at.xhat.shape), at).reshape(x.shape)


def grouped(x: Array, groups: int, eps: float) -> Standard:
    """x̂ as (N, groups, C/groups · ΠS), where a group is one row."""
    rows = x.reshape(x.shape[0], groups, math.prod(x.shape[1:]) // groups)
    return standardized(rows, (2,), eps)
