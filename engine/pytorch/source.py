"""Values as the source text of a script."""

import base64
import zlib
from typing import Any

import numpy as np

from engine.arrays import Array

LITERAL = 64  # elements of an array that are written out
LINE = 90  # characters of compressed data in a line


def array_text(array: Array) -> str:
    """An expression that makes a tensor of the same bits, shape and dtype.

    A small array is written out; a large one, or one with NaN or infinities, is packed bytes.
    """
    if array.size <= LITERAL and np.isfinite(array).all():
        return f"torch.tensor({array.tolist()!r}, dtype=torch.{array.dtype})"
    text = base64.b64encode(zlib.compress(array.tobytes(), 9)).decode()
    lines = [f'    "{text[i : i + LINE]}"' for i in range(0, len(text), LINE)]
    body = "\n".join(lines)
    return f'packed(\n{body},\n    "{array.dtype.str}",\n    {array.shape!r},\n)'


def keywords(options: dict[str, Any]) -> str:
    """Options as the text of keyword arguments, with the repr of each value."""
    return ", ".join(f"{name}={value!r}" for name, value in options.items())


class Raw(str):
    """Source text whose repr is itself, so that :func:`keywords` writes it without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)
