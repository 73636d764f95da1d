"""Convolution, as ``torch.nn.functional.conv1d`` and ``conv2d``, for any number of spatial axes.

The input x is (N, C, *S), the kernels w are (O, C/groups, *K); ``stride``, ``padding`` and
``dilation`` are one integer a spatial axis, the padding is zeros. As everywhere in the field it is
the cross-correlation, nothing is flipped. Every window becomes a column, so that all of them are
one matrix product for each group (im2col: K. Chellapilla, S. Puri and P. Simard, High performance
convolutional neural networks for document processing, 2006). The bias is added outside.

The value is linear in x and in w: the derivative along a tangent is the convolution of it.
"""

import math

import numpy as np

from engine.arrays import Array, Shape
from engine.functions.windows import Ints, extents, inside, padded, position, require, windows


def conv_shape(
    x_shape: Shape, w_shape: Shape, stride: Ints, padding: Ints, dilation: Ints, groups: int = 1
) -> Shape:
    """The shape (N, O, *out) of the convolution: out = ⌊(S + 2p − d(k − 1) − 1) / s⌋ + 1.

    Raises ValueError where the shapes do not fit each other or the options.
    """
    require_ranks(x_shape, w_shape)
    require_options(w_shape, stride, padding, dilation, groups)
    if x_shape[1] != w_shape[1] * groups:
        raise ValueError(wrong_channels(x_shape, w_shape, groups))
    if w_shape[0] % groups:
        raise ValueError(
            f"kernels {w_shape} cannot be dealt to {groups} groups for the input {x_shape}:"
            f" their number, {w_shape[0]}, must be a multiple of {groups}"
        )
    room = [n + 2 * p for n, p in zip(x_shape[2:], padding, strict=True)]
    reach = extents(w_shape[2:], dilation)
    if any(r > n for r, n in zip(reach, room, strict=True)):
        raise ValueError(
            f"kernels {w_shape} with dilation {dilation} reach over {reach}, beyond the input"
            f" {x_shape} with padding {padding}, which is {tuple(room)}:"
            f" a padding of {fitting(x_shape[2:], reach)} or more would fit"
        )
    out = ((n - r) // s + 1 for n, r, s in zip(room, reach, stride, strict=True))
    return (x_shape[0], w_shape[0], *out)


def require_ranks(x_shape: Shape, w_shape: Shape) -> None:
    """Raise ValueError unless input and kernels have the same spatial axes, at least one."""
    if len(x_shape) < 3 or len(x_shape) != len(w_shape):
        axes = max(len(w_shape) - 2, 1)
        raise ValueError(
            f"kernels {w_shape} do not fit the input {x_shape}: kernels with {axes} spatial"
            f" {'axis' if axes == 1 else 'axes'} need an input of rank {axes + 2},"
            f" samples and channels first"
        )


def require_options(
    w_shape: Shape, stride: Ints, padding: Ints, dilation: Ints, groups: int
) -> None:
    """Raise ValueError for an option that fits no input."""
    axes = len(w_shape) - 2
    require(axes, 1, kernel=w_shape[2:], stride=stride, dilation=dilation)
    require(axes, 0, padding=padding)
    if groups < 1:
        raise ValueError(f"groups must be at least 1, not {groups}")


def wrong_channels(x_shape: Shape, w_shape: Shape, groups: int) -> str:
    """What is said of kernels that read another number of channels than the input has."""
    said = f"kernels {w_shape} read {w_shape[1] * groups} channels, the input {x_shape}"
    said += f" has {x_shape[1]}: "
    if x_shape[1] % groups:
        return f"{said}{groups} groups would need a multiple of {groups} channels"
    return f"{said}kernels {(w_shape[0], x_shape[1] // groups, *w_shape[2:])} would fit"


def fitting(sizes: Shape, reach: Ints) -> Ints:
    """The least padding along each axis with which a window fits."""
    return tuple(max(-((n - r) // 2), 0) for n, r in zip(sizes, reach, strict=True))


def conv(x: Array, w: Array, stride: Ints, padding: Ints, dilation: Ints, groups: int = 1) -> Array:
    """The convolution (N, O, *out) of x (N, C, *S) with w (O, C/groups, *K).

    Raises ValueError as :func:`conv_shape` does.
    """
    shape = conv_shape(x.shape, w.shape, stride, padding, dilation, groups)
    return correlation(x, w, shape[2:], stride, padding, dilation, groups)


def conv_vjp_x(
    g: Array,
    x_shape: Shape,
    w: Array,
    stride: Ints,
    padding: Ints,
    dilation: Ints,
    groups: int = 1,
) -> Array:
    """The gradient (N, C, *S) of the input, for the gradient g (N, O, *out) of the output.

    Each window gets wᵀ g; where windows overlap, an element gets the sum.
    """
    count, out, kernel = x_shape[0], g.shape[2:], w.shape[2:]
    across = by_group(w, groups).swapaxes(1, 2) @ by_channel(g, groups)
    columns = across.reshape(x_shape[1], math.prod(kernel), count, *out)
    wider = [n + 2 * p for n, p in zip(x_shape[2:], padding, strict=True)]
    # channels first, in the order of the columns: a tenth faster than the order of the result
    total: Array = np.zeros((x_shape[1], count, *wider), g.dtype)
    for k, offset in enumerate(np.ndindex(kernel)):
        total[position(offset, out, stride, dilation)] += columns[:, k]
    return np.ascontiguousarray(total[inside(padding, x_shape[2:])].swapaxes(0, 1))


def conv_vjp_w(
    g: Array,
    x: Array,
    w_shape: Shape,
    stride: Ints,
    padding: Ints,
    dilation: Ints,
    groups: int = 1,
) -> Array:
    """The gradient (O, C/groups, *K) of the kernels, for the gradient g (N, O, *out) of the output.

    It is g times the columns, summed over samples and windows.
    """
    columns = columns_of(x, w_shape[2:], g.shape[2:], stride, padding, dilation, groups)
    out: Array = by_channel(g, groups) @ columns.swapaxes(1, 2)
    return out.reshape(w_shape)


def correlation(
    x: Array, w: Array, out: Shape, stride: Ints, padding: Ints, dilation: Ints, groups: int
) -> Array:
    """The first ``out`` windows of :func:`conv`, whose shapes are known to fit."""
    columns = columns_of(x, w.shape[2:], out, stride, padding, dilation, groups)
    product = by_group(w, groups) @ columns
    rows = product.reshape(w.shape[0], x.shape[0], *out)
    return np.ascontiguousarray(rows.swapaxes(0, 1))


def columns_of(
    x: Array, kernel: Ints, out: Shape, stride: Ints, padding: Ints, dilation: Ints, groups: int
) -> Array:
    """The windows of x as columns: (groups, C/groups · ΠK, N · Πout).

    Samples and windows come last, so that each row is copied along the rows of the image.
    """
    axes, (count, channels) = len(kernel), x.shape[:2]
    view = windows(padded(x, padding, padding), kernel, out, stride, dilation)
    behind = range(2, 2 + axes)
    order = (1, *range(2 + axes, 2 + 2 * axes), 0, *behind)
    height = channels // groups * math.prod(kernel)
    return view.transpose(order).reshape(groups, height, count * math.prod(out))


def by_group(w: Array, groups: int) -> Array:
    """The kernels (O, C/groups, *K) as matrices (groups, O/groups, C/groups · ΠK)."""
    return w.reshape(groups, w.shape[0] // groups, math.prod(w.shape[1:]))


def by_channel(g: Array, groups: int) -> Array:
    """What has channels (N, O, *out) as matrices (groups, O/groups, N · Πout)."""
    count, channels = g.shape[:2]
    width = count * math.prod(g.shape[2:])
    return g.swapaxes(0, 1).reshape(groups, channels // groups, width)
