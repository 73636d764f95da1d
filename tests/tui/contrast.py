"""Whether a text can be read: contrast as WCAG 2.1 defines it (relative luminance, 1.4.3)."""

from textual.color import Color

READABLE = 4.5  # what level AA asks of text


def luminance(colour: Color) -> float:
    """Relative luminance."""
    parts = [c / 255 for c in colour.rgb]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21."""
    bright, dark = sorted((luminance(Color.parse(one)), luminance(Color.parse(other))))[::-1]
    return (bright + 0.05) / (dark + 0.05)
