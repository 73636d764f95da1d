"""Average pools, as ``torch.nn.functional.avg_pool2d`` and ``adaptive_avg_pool2d``; all sizes.

The windows slide over the last axes of x (N, C, *S), as many as ``kernel`` has integers; ``stride``
is the kernel unless given, ``padding`` nothing. Maxima are in ``max_pooling``.

An average is linear: its derivative along a tangent is the average of the tangent.
"""

from typing import NamedTuple

import numpy as np

from engine.arrays import Array, Shape
from engine.functions.windows import Ints, extents, inside, padded, position, require


class Pool(NamedTuple):
    """The windows of a pool over an input (…, *S), one integer an axis."""

    kernel: Ints
    stride: Ints
    padding: Ints
    dilation: Ints
    sizes: Shape
    out: Shape

    @property
    def after(self) -> Ints:
        """What is put behind each axis, so that the last window ends within it."""
        reach = extents(self.kernel, self.dilation)
        rows = zip(self.out, self.stride, self.padding, self.sizes, reach, strict=True)
        return tuple(max((o - 1) * s + r - p - n, 0) for o, s, p, n, r in rows)

    def begins(self, axis: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
        """Where each window begins along an axis of the input; negative in the padding."""
        return np.arange(self.out[axis], dtype=np.intp) * self.stride[axis] - self.padding[axis]


def pool(
    x_shape: Shape,
    kernel: Ints,
    stride: Ints | None = None,
    padding: Ints | None = None,
    dilation: Ints | None = None,
    ceil_mode: bool = False,
) -> Pool:
    """The windows of a pool over an input of shape (…, *S).

    out = ⌊(S + 2p − d(k − 1) − 1) / s⌋ + 1. ``ceil_mode`` rounds up instead, and leaves out a
    window that would begin behind the input and its first padding. Raises ValueError where the
    options do not fit the input.
    """
    axes = len(kernel)
    stride = kernel if stride is None else stride
    padding = (0,) * axes if padding is None else padding
    dilation = (1,) * axes if dilation is None else dilation
    require(axes, 1, kernel=kernel, stride=stride, dilation=dilation)
    require(axes, 0, padding=padding)
    if not axes or len(x_shape) < axes:
        raise ValueError(f"a kernel {kernel} does not fit the input {x_shape}: one integer an axis")
    if any(p > k // 2 for p, k in zip(padding, kernel, strict=True)):
        raise ValueError(
            f"padding {padding} of a pool must be at most half of the kernel {kernel},"
            f" {tuple(k // 2 for k in kernel)}: a window would lie in it"
        )
    sizes = x_shape[-axes:]
    reach = extents(kernel, dilation)
    room = [n + 2 * p - r for n, p, r in zip(sizes, padding, reach, strict=True)]
    rows = zip(sizes, room, stride, padding, strict=True)
    out = tuple(window_count(n, left, s, p, ceil_mode) for n, left, s, p in rows)
    if min(out) < 1 or min(sizes) < 1:
        raise ValueError(
            f"a pool whose kernel {kernel} reaches over {reach} does not fit the input {x_shape}"
            f" with padding {padding}: a kernel of at most {largest(sizes, padding, dilation)}"
            f" would fit"
        )
    return Pool(kernel, stride, padding, dilation, sizes, out)


def window_count(size: int, room: int, stride: int, padding: int, ceil_mode: bool) -> int:
    """How many windows there are along an axis with ``room`` for the first one to move."""
    if not ceil_mode:
        return room // stride + 1
    count = -(-room // stride) + 1
    return count - ((count - 1) * stride >= size + padding)


def largest(sizes: Shape, padding: Ints, dilation: Ints) -> Ints:
    """The largest kernel that fits; 0 along an axis without elements."""
    rows = zip(sizes, padding, dilation, strict=True)
    return tuple((n + 2 * p - 1) // d + 1 if n else 0 for n, p, d in rows)


def avg_pool_shape(
    x_shape: Shape,
    kernel: Ints,
    stride: Ints | None = None,
    padding: Ints | None = None,
    ceil_mode: bool = False,
) -> Shape:
    """The shape (…, *out) of the averages; raises ValueError where the options do not fit."""
    found = pool(x_shape, kernel, stride, padding, None, ceil_mode)
    return (*x_shape[: -len(kernel)], *found.out)


def avg_pool(
    x: Array,
    kernel: Ints,
    stride: Ints | None = None,
    padding: Ints | None = None,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """The mean of every window of x (…, *S), (…, *out).

    With ``count_include_pad`` the zeros of the padding count as elements. What a window of
    ``ceil_mode`` has beyond the padding never does. Raises ValueError as :func:`avg_pool_shape`.
    """
    found = pool(x.shape, kernel, stride, padding, None, ceil_mode)
    wide = padded(x, found.padding, found.after)
    out: Array = np.zeros((*x.shape[: -len(kernel)], *found.out), x.dtype)
    for offset in np.ndindex(kernel):
        out += wide[position(offset, found.out, found.stride, found.dilation)]
    out /= divisors(found, count_include_pad).astype(x.dtype)
    return out


def avg_pool_vjp(
    g: Array,
    x_shape: Shape,
    kernel: Ints,
    stride: Ints | None = None,
    padding: Ints | None = None,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """The gradient (…, *S) of the input, for the gradient g (…, *out): a share to each element."""
    found = pool(x_shape, kernel, stride, padding, None, ceil_mode)
    share = g / divisors(found, count_include_pad).astype(g.dtype)
    rows = zip(found.padding, found.sizes, found.after, strict=True)
    wider = [before + n + after for before, n, after in rows]
    total: Array = np.zeros((*x_shape[: -len(kernel)], *wider), g.dtype)
    for offset in np.ndindex(kernel):
        total[position(offset, found.out, found.stride, found.dilation)] += share
    return np.ascontiguousarray(total[inside(found.padding, found.sizes)])


def divisors(found: Pool, count_include_pad: bool) -> Array:
    """What each window is divided by, (*out): the product of its lengths along the axes."""
    out: Array = np.ones(())
    for axis, (size, k, p) in enumerate(zip(found.sizes, found.kernel, found.padding, strict=True)):
        edge = p if count_include_pad else 0
        begins = found.begins(axis)
        ends = np.minimum(begins + k, size + edge)
        out = np.multiply.outer(out, (ends - np.maximum(begins, -edge)).astype(np.float64))
    return out


def adaptive_avg_pool_shape(x_shape: Shape, out: Ints) -> Shape:
    """The shape (…, *out); raises ValueError where the input has fewer axes, or an empty one."""
    require(len(out), 1, out=out)
    if len(x_shape) < len(out) or min(x_shape[-len(out) :], default=0) < 1:
        raise ValueError(
            f"averages of the sizes {out} need an input with {len(out)} spatial axes of at least"
            f" one element, not {x_shape}"
        )
    return (*x_shape[: -len(out)], *out)


def adaptive_avg_pool(x: Array, out: Ints) -> Array:
    """The means of x (…, *S) over as many windows as ``out`` says, as equal as can be.

    Window i goes from ⌊i S / out⌋ to ⌈(i + 1) S / out⌉. Raises ValueError as
    :func:`adaptive_avg_pool_shape` does.
    """
    adaptive_avg_pool_shape(x.shape, out)
    for axis, size in enumerate(out, start=x.ndim - len(out)):
        x = bin_sums(x, axis, size) / along(bin_sizes(x.shape[axis], size), axis, x)
    return x


def adaptive_avg_pool_vjp(g: Array, x_shape: Shape) -> Array:
    """The gradient (…, *S) of the input, for the gradient g (…, *out) of the output.

    Element j lies in window i exactly where window j of the way back would have element i, so that
    the adjoint of the sums is the same sums with the two sizes exchanged.
    """
    for axis in range(g.ndim):
        size = x_shape[axis]
        if g.shape[axis] != size:  # windows of one element each change nothing
            share = g / along(bin_sizes(size, g.shape[axis]), axis, g)
            g = bin_sums(share, axis, size)
    return g


def bin_sizes(size: int, out: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """How many of ``size`` elements are in each of ``out`` windows."""
    i = np.arange(out, dtype=np.intp)
    return -((-(i + 1) * size) // out) - i * size // out


def bin_sums(x: Array, axis: int, out: int) -> Array:
    """The sums along an axis over ``out`` windows, which may have an element in common."""
    size = x.shape[axis]
    counts = bin_sizes(size, out)
    steps = np.arange(counts.max(), dtype=np.intp)
    index = (np.arange(out, dtype=np.intp) * size // out)[:, None] + steps
    taken = np.moveaxis(x, axis, -1)[..., np.minimum(index, size - 1)]
    # not a product with zeros: an infinity outside a window must not make it NaN
    sums = np.where(steps < counts[:, None], taken, x.dtype.type(0)).sum(axis=-1)
    return np.ascontiguousarray(np.moveaxis(sums, -1, axis))


def along(numbers: np.ndarray[tuple[int], np.dtype[np.intp]], axis: int, x: Array) -> Array:
    """Numbers as an array that broadcasts along an axis of x, in its dtype."""
    shape = [1] * x.ndim
    shape[axis] = numbers.size
    return numbers.reshape(shape).astype(x.dtype)
