"""Arrays as the bytes of a file."""

import io
from collections.abc import Mapping
from typing import Any

import numpy as np


def npz(arrays: Mapping[str, Any]) -> bytes:
    """Arrays as a compressed NPZ file."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()
