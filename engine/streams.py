"""Streams of random numbers, each from a seed and a path alone."""

import numpy as np


def stream(seed: int, *path: int) -> np.random.Generator:
    """NumPy's default generator (PCG64), seeded with the seed and the path and nothing else.

    A stream for each path, so that how much is drawn from one changes nothing in another.
    """
    return np.random.default_rng([seed, *path])
