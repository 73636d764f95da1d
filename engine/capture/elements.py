"""The elements of captured tensors: bytes of any dtype as arrays, and what is told of them."""

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Array, Shape, frozen
from engine.run.kept import Statistics

# How NumPy reads the bytes of a dtype. It has no bfloat16: those are the upper half of a float32.
NUMPY: Final[Mapping[str, str]] = {
    "bool": "?",
    "uint8": "u1",
    "int8": "i1",
    "int16": "<i2",
    "int32": "<i4",
    "int64": "<i8",
    "float16": "<f2",
    "bfloat16": "<u2",
    "float32": "<f4",
    "float64": "<f8",
    "complex64": "<c8",
    "complex128": "<c16",
}


def array_of(dtype: str, data: bytes, shape: Shape) -> Array:
    """Bytes in C order as a read-only array; bfloat16 as float32, which has all of its values.

    Raises ValueError where the bytes do not make up the shape.
    """
    if dtype == "bool":  # a byte that is neither 0 nor 1 would be a bool that is neither
        flags: Any = np.frombuffer(data, "u1").reshape(shape) != 0
        return frozen(flags)
    raw: NDArray[Any] = np.frombuffer(data, NUMPY[dtype]).reshape(shape)
    if dtype == "bfloat16":
        raw = (raw.astype("<u4") << np.uint32(16)).view("<f4")
    return frozen(raw)


def statistics(array: NDArray[Any]) -> Statistics | None:
    """What is told of an array; None of one without elements. Of complex numbers the magnitudes."""
    if not array.size:
        return None
    with np.errstate(all="ignore"):
        flat = np.abs(array) if array.dtype.kind == "c" else array
        flat = flat.astype(np.float64, copy=False).reshape(-1)
        return Statistics(
            float(flat.min()),
            float(flat.max()),
            float(flat.mean()),
            math.sqrt(float(np.dot(flat, flat)) / flat.size),
            1 - int(np.count_nonzero(flat)) / flat.size,
        )


def is_finite(found: Statistics) -> bool:
    """Whether every element is finite: the least and the largest are NaN where one is."""
    return math.isfinite(found.minimum) and math.isfinite(found.maximum)
