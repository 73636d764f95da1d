"""How a product of derivatives is meant: what of it is transposed."""

from typing import Literal

from engine.worksheet.rows import Layout

Reading = Literal["numerator", "transposed", "gradient"]
"""Derivatives in numerator layout that make one in numerator layout, or its transpose, as in
(∂ŷ/∂z₃)ᵀ (∂ℓ/∂ŷ)ᵀ; or derivatives in gradient layout, as in ∂ŷ/∂z₃ ∂ℓ/∂ŷ."""

READINGS: tuple[Reading, ...] = ("numerator", "transposed", "gradient")


def layout_of(reading: Reading) -> Layout:
    """The layout of the result."""
    return "numerator" if reading == "numerator" else "gradient"


def readings_of(layout: Layout) -> tuple[Reading, ...]:
    """All readings, those of a layout first."""
    return READINGS if layout == "numerator" else ("transposed", "gradient", "numerator")
