"""What a recording has kept of a tensor that it has not kept whole."""

from dataclasses import dataclass
from enum import StrEnum

from engine.arrays import Array, Shape


class Degree(StrEnum):
    """How much of a tensor is there; the letters stand beside it on the screen."""

    WHOLE = "▪"
    SAMPLE = "≈"
    STATISTICS = "·"
    NOTHING = "–"

    @property
    def words(self) -> str:
        """What the letter means."""
        return WORDS[self]


WORDS = {
    Degree.WHOLE: "kept in full",
    Degree.SAMPLE: "statistics and a sample",
    Degree.STATISTICS: "statistics only",
    Degree.NOTHING: "not recorded",
}


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of all elements the least, the largest, mean and root mean square, and the share of zeros.

    The least and the largest are NaN where an element is; of complex numbers they are magnitudes.
    """

    minimum: float
    maximum: float
    mean: float
    rms: float
    zeros: float


@dataclass(frozen=True, eq=False)
class Kept:
    """What is known of a tensor of a shape and dtype without all of its elements.

    ``sample`` (n,) are elements at equal distances in C order; ``corner`` the first rows and
    columns of the last two axes. ``written`` is the event that wrote it, None where none did;
    ``nearest`` the event nearest to that after which the tensor is whole.
    """

    degree: Degree
    shape: Shape
    dtype: str
    statistics: Statistics | None = None
    sample: Array | None = None
    corner: Array | None = None
    written: int | None = None
    nearest: int | None = None
