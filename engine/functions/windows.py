"""Windows that slide over the last axes of an array: what convolutions and pools have in common.

A window has ``kernel`` positions along each spatial axis, ``dilation`` apart; the next one begins
``stride`` further on; ``padding`` is what is put before and after each axis. All of them are one
integer an axis. Sources: V. Dumoulin and F. Visin, A guide to convolution arithmetic for deep
learning, 2016; ``torch.nn.Conv2d`` and ``torch.nn.MaxPool2d`` for the edge cases.
"""

from collections.abc import Sequence
from types import EllipsisType

import numpy as np

from engine.arrays import Array, Shape

Ints = tuple[int, ...]
Index = tuple[slice | EllipsisType, ...]


def extents(kernel: Ints, dilation: Ints) -> Ints:
    """How far a window reaches along each axis: d (k − 1) + 1."""
    return tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True))


def require(axes: int, least: int, **options: Ints) -> None:
    """Raise ValueError where an option has not one integer of at least ``least`` for each axis."""
    for name, given in options.items():
        if len(given) != axes:
            raise ValueError(
                f"{name} {given} has {len(given)} numbers where there are {axes} spatial axes:"
                f" it needs one for each"
            )
        if min(given, default=least) < least:
            raise ValueError(f"{name} {given} must be at least {least} along every axis")


def padded(x: Array, before: Sequence[int], after: Sequence[int], value: float = 0.0) -> Array:
    """``x`` with ``value`` before and after its last axes; ``x`` itself where there is nothing."""
    if not any(before) and not any(after):
        return x
    lead, sizes = x.shape[: -len(before)], x.shape[-len(before) :]
    wider = [b + n + a for b, n, a in zip(before, sizes, after, strict=True)]
    out: Array = np.full((*lead, *wider), value, x.dtype)
    out[inside(before, sizes)] = x
    return out


def inside(before: Sequence[int], sizes: Sequence[int]) -> Index:
    """The index of what :func:`padded` was given in what it returned."""
    return (..., *(slice(b, b + n) for b, n in zip(before, sizes, strict=True)))


def position(offset: Ints, out: Shape, stride: Ints, dilation: Ints) -> Index:
    """The index that takes the position ``offset`` of every window, (…, *out)."""
    starts = (i * d for i, d in zip(offset, dilation, strict=True))
    return (
        ...,
        *(slice(b, b + (n - 1) * s + 1, s) for b, n, s in zip(starts, out, stride, strict=True)),
    )


def windows(x: Array, kernel: Ints, out: Shape, stride: Ints, dilation: Ints) -> Array:
    """The windows of ``x`` (…, *S) as a view (…, *out, *kernel) that takes no memory."""
    axes = len(kernel)
    reach = extents(kernel, dilation)
    view = np.lib.stride_tricks.sliding_window_view(x, reach, axis=tuple(range(-axes, 0)))
    starts = position((0,) * axes, out, stride, dilation)[1:]
    found: Array = view[(..., *starts, *(slice(None, None, d) for d in dilation))]
    return found
