"""Whether a run can have been in a file: asked before the compiler takes memory for it."""

import numpy as np

from engine.experiment.dataset import Dataset
from engine.experiment.spec import Experiment, LinearSpec

PLAUSIBLE = 2**25  # bytes that a run may take in any case
FACTOR = 64  # and beyond: so many times the size of the file


def implausible(experiment: Experiment, data: Dataset, size: int) -> str:
    """What is wrong with an experiment whose tensors a file of ``size`` bytes cannot have held.

    Empty where it can.
    """
    width, total = data.x.shape[1], 0
    rows = min(experiment.data.batch_size or len(data), len(data))
    for spec in experiment.layers:
        if isinstance(spec, LinearSpec):
            total += (width + 1) * spec.out
            width = spec.out
        total += rows * width
    total *= np.dtype(experiment.dtype).itemsize
    if total <= max(PLAUSIBLE, FACTOR * size):
        return ""
    return (
        f"its experiment: one iteration takes {total:,} bytes, which a file of {size:,} cannot hold"
    )
