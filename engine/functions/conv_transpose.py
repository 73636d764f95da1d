"""Transposed convolution, as ``torch.nn.functional.conv_transpose1d`` and ``conv_transpose2d``.

The input x is (N, C, *S), the kernels w are (C, O/groups, *K). It is the adjoint of the convolution
with the same kernels and options, from its output back to its input (Dumoulin and Visin 2016, ch.
4); so its gradients are convolutions. ``output_padding`` says which of the inputs of that
convolution is meant, where a stride makes several of them end in the same output.

The value is linear in x and in w: the derivative along a tangent is the function of it.
"""

from engine.arrays import Array, Shape
from engine.functions.convolution import (
    conv_vjp_w,
    conv_vjp_x,
    correlation,
    require_options,
    require_ranks,
)
from engine.functions.windows import Ints, extents, require


def conv_transpose_shape(
    x_shape: Shape,
    w_shape: Shape,
    stride: Ints,
    padding: Ints,
    output_padding: Ints,
    dilation: Ints,
    groups: int = 1,
) -> Shape:
    """The shape (N, O, *out) of the result: out = (S − 1) s − 2p + d(k − 1) + 1 + output padding.

    Raises ValueError where the shapes do not fit each other or the options.
    """
    require_ranks(x_shape, w_shape)
    require_options(w_shape, stride, padding, dilation, groups)
    require(len(w_shape) - 2, 0, output_padding=output_padding)
    if x_shape[1] != w_shape[0]:
        raise ValueError(
            f"kernels {w_shape} read {w_shape[0]} channels, the input {x_shape} has {x_shape[1]}:"
            f" kernels {(x_shape[1], *w_shape[1:])} would fit"
        )
    if w_shape[0] % groups:
        raise ValueError(
            f"the input {x_shape} of kernels {w_shape} cannot be dealt to {groups} groups:"
            f" its channels, {x_shape[1]}, must be a multiple of {groups}"
        )
    for more, s, d in zip(output_padding, stride, dilation, strict=True):
        if more >= max(s, d):
            raise ValueError(
                f"output_padding {output_padding} must be smaller than stride {stride} or"
                f" dilation {dilation} along every axis: beyond, nothing is written"
            )
    sizes = zip(
        x_shape[2:], stride, padding, output_padding, extents(w_shape[2:], dilation), strict=True
    )
    out = tuple((n - 1) * s - 2 * p + reach + more for n, s, p, more, reach in sizes)
    if min(out) < 1:
        raise ValueError(
            f"the transposed convolution of the input {x_shape} with kernels {w_shape} would have"
            f" the sizes {out}: a padding smaller than {padding} would fit"
        )
    return (x_shape[0], w_shape[1] * groups, *out)


def conv_transpose(
    x: Array,
    w: Array,
    stride: Ints,
    padding: Ints,
    output_padding: Ints,
    dilation: Ints,
    groups: int = 1,
) -> Array:
    """The transposed convolution (N, O, *out) of x (N, C, *S) with w (C, O/groups, *K).

    Raises ValueError as :func:`conv_transpose_shape` does.
    """
    shape = conv_transpose_shape(
        x.shape, w.shape, stride, padding, output_padding, dilation, groups
    )
    return conv_vjp_x(x, shape, w, stride, padding, dilation, groups)


def conv_transpose_vjp_x(
    g: Array,
    x_shape: Shape,
    w: Array,
    stride: Ints,
    padding: Ints,
    dilation: Ints,
    groups: int = 1,
) -> Array:
    """The gradient (N, C, *S) of the input, for the gradient g (N, O, *out) of the output.

    The convolution of g. Output padding of a stride or more, which a dilation allows, has more
    windows than the input has elements; those beyond got nothing, and give nothing.
    """
    return correlation(g, w, x_shape[2:], stride, padding, dilation, groups)


def conv_transpose_vjp_w(
    g: Array,
    x: Array,
    w_shape: Shape,
    stride: Ints,
    padding: Ints,
    dilation: Ints,
    groups: int = 1,
) -> Array:
    """The gradient (C, O/groups, *K) of the kernels, for the gradient g (N, O, *out)."""
    return conv_vjp_w(x, g, w_shape, stride, padding, dilation, groups)
