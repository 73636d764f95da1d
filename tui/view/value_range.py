"""A range of values that a person wants to see: highlighted cells, limits of a heat map."""

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import GradstepError

NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|[-+]?inf"
BETWEEN = re.compile(rf"\s*({NUMBER})\s*(?:\.\.+|…|,|\s)\s*({NUMBER})\s*\Z", re.IGNORECASE)
BEYOND = re.compile(rf"\s*(<=?|>=?|≤|≥)\s*({NUMBER})\s*\Z", re.IGNORECASE)
EXAMPLES = "-1..1, >0.5 or <=0"


@dataclass(frozen=True)
class ValueRange:
    """The values from ``low`` to ``high``; an open end does not belong to them."""

    low: float
    high: float
    low_open: bool = False
    high_open: bool = False

    def holds(self, values: NDArray[Any]) -> NDArray[np.bool_]:
        """Which of the values lie in the range; NaN never does."""
        with np.errstate(invalid="ignore"):
            above = values > self.low if self.low_open else values >= self.low
            below = values < self.high if self.high_open else values <= self.high
        return np.asarray(above & below)

    @property
    def limits(self) -> tuple[float, float] | None:
        """The two ends, if both are finite."""
        both = math.isfinite(self.low) and math.isfinite(self.high)
        return (self.low, self.high) if both else None


def parse_range(text: str) -> ValueRange:
    """A range as a person types it: ``-1..1``, ``>0.5``, ``<=0``. Raises GradstepError."""
    if found := BETWEEN.match(text):
        low, high = float(found[1]), float(found[2])
        if low > high:
            raise GradstepError(f"the range is empty: {found[1]} is greater than {found[2]}")
        return ValueRange(low, high)
    if found := BEYOND.match(text):
        sign, value = found[1], float(found[2])
        is_open = sign in "<>"
        if sign[0] in "<≤":
            return ValueRange(-math.inf, value, high_open=is_open)
        return ValueRange(value, math.inf, low_open=is_open)
    raise GradstepError(f"{text!r} is no range of values: write {EXAMPLES}")
