"""Colours for numbers that stay apart for colour-blind eyes: lightness carries the order."""

from functools import cache

import numpy as np

Rgb = tuple[int, int, int]

# Dark blue – white – dark orange: the two hues that every common colour blindness tells apart.
DIVERGING: tuple[Rgb, ...] = (
    (12, 60, 130),
    (60, 125, 190),
    (160, 200, 230),
    (246, 246, 242),
    (245, 195, 130),
    (215, 125, 40),
    (130, 62, 5),
)
# Violet – blue – green – yellow with lightness rising all the way.
SEQUENTIAL: tuple[Rgb, ...] = (
    (56, 8, 84),
    (58, 72, 138),
    (36, 124, 142),
    (54, 172, 118),
    (150, 210, 64),
    (250, 232, 42),
)
# Classes, in the order in which colour-blind eyes tell most of them apart (after Okabe and Ito).
CLASSES: tuple[Rgb, ...] = (
    (0, 92, 160),
    (230, 159, 0),
    (150, 205, 240),
    (95, 38, 0),
    (0, 158, 115),
    (240, 228, 100),
    (204, 121, 167),
    (120, 120, 120),
)
NOT_A_NUMBER: Rgb = (204, 80, 160)
INFINITE: Rgb = (200, 30, 30)

LEVELS = 256


@cache
def table(stops: tuple[Rgb, ...]) -> tuple[Rgb, ...]:
    """`LEVELS` colours, interpolated linearly between equally spaced stops."""
    at = np.linspace(0, len(stops) - 1, LEVELS)
    channels = [
        np.interp(at, np.arange(len(stops)), [stop[channel] for stop in stops])
        for channel in range(3)
    ]
    return tuple((round(r), round(g), round(b)) for r, g, b in zip(*channels, strict=True))


def colour(stops: tuple[Rgb, ...], where: float) -> Rgb:
    """The colour at `where` between 0 and 1, clipped to the ends."""
    return table(stops)[round(min(max(where, 0.0), 1.0) * (LEVELS - 1))]


def luminance(rgb: Rgb) -> float:
    """Relative luminance, 0 black to 1 white (WCAG 2, sRGB)."""
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in rgb)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrasting(rgb: Rgb) -> Rgb:
    """Black or white, whichever reads better on `rgb`."""
    return (0, 0, 0) if luminance(rgb) > 0.179 else (255, 255, 255)
