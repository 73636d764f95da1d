"""The written names of tensors: z₁, ŷ, W⁽¹⁾, ∂ℓ/∂W⁽¹⁾."""

from collections.abc import Mapping

SUBSCRIPT = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")

Symbols = Mapping[str, str]
"""The symbols of one layer by role: input, output and its parameters."""


def subscript(number: int) -> str:
    """``12`` as ``₁₂``."""
    return str(number).translate(SUBSCRIPT)


def superscript(number: int) -> str:
    """``1`` as ``⁽¹⁾``."""
    return f"⁽{str(number).translate(SUPERSCRIPT)}⁾"


def gradient(symbol: str) -> str:
    """The symbol of the gradient of the loss by a tensor: ``∂ℓ/∂z₁``."""
    return f"∂ℓ/∂{symbol}"
