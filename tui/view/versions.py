"""A tensor after, before, or what is between the two; the difference is made where it is seen."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tui.view.axes import changed_bits, comparable

Array = NDArray[Any]


class Version(StrEnum):
    """Which of the two values of a tensor is shown, or the change."""

    AFTER = "after"
    BEFORE = "before"
    DIFFERENCE = "difference"


class Elements(Protocol):
    """An array, or one whose elements are computed where it is indexed."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> np.dtype[Any]: ...

    def __getitem__(self, key: Any, /) -> Any: ...


@dataclass(frozen=True, eq=False)
class Difference:
    """``after − before`` of two arrays of one shape, computed for what is asked for alone."""

    after: Array
    before: Array
    dtype: np.dtype[Any] = np.dtype(np.float64)  # noqa: RUF009

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of both arrays."""
        return self.after.shape

    def __getitem__(self, key: Any) -> Array:
        return difference(np.asarray(self.after[key]), np.asarray(self.before[key]))


def difference(after: Array, before: Array) -> Array:
    """``after − before`` in float64; exactly 0 where the bits are the same, NaN and ±∞ too."""
    with np.errstate(all="ignore"):
        found = after.astype(np.float64) - before.astype(np.float64)
    return np.where(changed_bits(before, after), found, 0.0)


def shown_version(version: Version, after: Array, before: Array | None) -> Elements | None:
    """The array of a version; None where there is no ``before``, or none of the same kind."""
    if version == Version.AFTER:
        return after
    if before is None or (version == Version.DIFFERENCE and not comparable(after, before)):
        return None
    return before if version == Version.BEFORE else Difference(after, before)
