"""Max pools, as ``torch.nn.functional.max_pool1d`` and ``max_pool2d``, for all numbers of axes.

The windows slide over the last axes of x (N, C, *S), as many as ``kernel`` has integers; ``stride``
is the kernel unless given, ``padding`` nothing, which stands for −∞. Every output is one element
of the input: value, gradient and derivative follow from the place of that element.
"""

import math
from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Array, Shape
from engine.functions.pooling import Pool, pool
from engine.functions.windows import Ints, padded, position

Places = NDArray[np.intp]


def max_pool_shape(
    x_shape: Shape,
    kernel: Ints,
    stride: Ints | None = None,
    padding: Ints | None = None,
    dilation: Ints | None = None,
    ceil_mode: bool = False,
) -> Shape:
    """The shape (…, *out) of the maxima; raises ValueError where the options do not fit."""
    found = max_windows(x_shape, kernel, stride, padding, dilation, ceil_mode)
    return (*x_shape[: -len(kernel)], *found.out)


def max_pool(
    x: Array,
    kernel: Ints,
    stride: Ints | None = None,
    padding: Ints | None = None,
    dilation: Ints | None = None,
    ceil_mode: bool = False,
) -> Array:
    """The maximum of every window of x (…, *S), (…, *out); NaN where the window has one.

    Raises ValueError as :func:`max_pool_shape` does.
    """
    places = max_places(x, kernel, stride, padding, dilation, ceil_mode)
    return picked(x, places, len(kernel))


def max_places(
    x: Array,
    kernel: Ints,
    stride: Ints | None = None,
    padding: Ints | None = None,
    dilation: Ints | None = None,
    ceil_mode: bool = False,
) -> Places:
    """Where the maximum of each window is, (…, *out), counted through the spatial axes of x.

    The indices of PyTorch's ``return_indices``: of equal elements the first in row-major order,
    of several NaN the last.
    """
    found = max_windows(x.shape, kernel, stride, padding, dilation, ceil_mode)
    wide = padded(x, found.padding, found.after, -math.inf)
    steps = row_major(found.sizes)
    best: Array = np.full((*x.shape[: -len(kernel)], *found.out), -math.inf, x.dtype)
    # Which element of its window, from 1: a byte is moved faster than a place.
    which = np.zeros(best.shape, np.min_scalar_type(math.prod(kernel)))
    moves, has_nan = [0], bool(np.isnan(x).any())
    for k, offset in enumerate(np.ndindex(kernel), 1):
        here = wide[position(offset, found.out, found.stride, found.dilation)]
        better = here > best
        if has_nan:
            better |= np.isnan(here)
        moves.append(sum(i * d * n for i, d, n in zip(offset, found.dilation, steps, strict=True)))
        np.copyto(best, here, where=better)
        np.copyto(which, k, where=better)
    places: Places = np.add(np.array(moves)[which], corners(found))
    if not which.all():
        # the first element that is not padding is the place where all elements are −∞
        np.copyto(places, first_inside(found), where=which == 0)
    return places


def max_windows(
    x_shape: Shape,
    kernel: Ints,
    stride: Ints | None,
    padding: Ints | None,
    dilation: Ints | None,
    ceil_mode: bool,
) -> Pool:
    """The windows of a max pool; raises ValueError where one has no element to choose from."""
    found = pool(x_shape, kernel, stride, padding, dilation, ceil_mode)
    if max(found.dilation) == 1:  # half a kernel of padding leaves an element to every window
        return found
    for axis, size in enumerate(found.sizes):
        if (first_along(found, axis) >= size).any():
            raise ValueError(
                f"a kernel {kernel} with dilation {found.dilation} and padding {found.padding}"
                f" steps over all elements of the input {x_shape} along a spatial axis:"
                f" a smaller padding would fit"
            )
    return found


def first_along(found: Pool, axis: int) -> Places:
    """The first element of each window along an axis that is not padding."""
    begins, step = found.begins(axis), found.dilation[axis]
    # a floor of what is negative: as many steps as lead out of the padding
    first: Places = begins - np.minimum(begins, 0) // step * step
    return first


def first_inside(found: Pool) -> Places:
    """The first element of each window that is not padding, (*out), as a place."""
    if not any(found.padding):
        return corners(found)
    return spread([first_along(found, axis) for axis in range(len(found.out))], found)


def corners(found: Pool) -> Places:
    """The place of the first position of each window, (*out); in the padding it is none."""
    return spread([found.begins(axis) for axis in range(len(found.out))], found)


def spread(along: Sequence[Places], found: Pool) -> Places:
    """Indices along each axis as places, (*out): their sum in steps of the row-major order."""
    rows = (index * n for index, n in zip(along, row_major(found.sizes), strict=True))
    return reduce(np.add.outer, rows)


def row_major(sizes: Shape) -> Ints:
    """How far apart neighbours along each axis are, in elements."""
    return tuple(math.prod(sizes[axis + 1 :]) for axis in range(len(sizes)))


def picked(x: Array, places: Places, axes: int) -> Array:
    """The elements of x (…, *S), with so many spatial axes, at the places (…, *out)."""
    chosen = np.take_along_axis(flat(x, axes), flat(places, axes), axis=-1)
    return chosen.reshape(places.shape)


def put_back(g: Array, places: Places, x_shape: Shape, axes: int) -> Array:
    """The adjoint of :func:`picked`: an element (…, *S) gets the sum of what chose it."""
    count = math.prod(x_shape[-axes:])
    index = flat(places, axes)
    lead = np.arange(math.prod(index.shape[:-1]), dtype=np.intp).reshape(*index.shape[:-1], 1)
    total: Array = np.zeros(math.prod(x_shape), g.dtype)
    np.add.at(total, (index + lead * count).ravel(), g.ravel())
    return total.reshape(x_shape)


def flat(x: NDArray[Any], axes: int) -> NDArray[Any]:
    """An array (…, *S) with its spatial axes as one."""
    return x.reshape(*x.shape[:-axes], math.prod(x.shape[-axes:]))
