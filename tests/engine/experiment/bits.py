"""Arrays equal to the bit."""

from typing import Any


def same(found: Any, wanted: Any) -> bool:
    """Equal to the bit, NaN and the sign of a zero included."""
    return (found.dtype, found.shape) == (wanted.dtype, wanted.shape) and (
        found.tobytes() == wanted.tobytes()
    )
