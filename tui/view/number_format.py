"""The forms that a float is shown in."""

from enum import StrEnum


class NumberFormat(StrEnum):
    """How the cells of a grid show a float."""

    FIXED = "fixed"
    SCIENTIFIC = "scientific"
    SIGNIFICANT = "significant"
    HEX = "hex"
