"""Whether a run can have been in a file: asked before the compiler takes memory for it."""

import math

import numpy as np

from engine.experiment.dataset import Dataset, in_lines
from engine.experiment.spec import Experiment
from engine.nn.table import LAYERS

PLAUSIBLE = 2**25  # bytes that a run may take in any case
FACTOR = 64  # and beyond: so many times the size of the file


def implausible(experiment: Experiment, data: Dataset, size: int) -> str:
    """What is wrong with an experiment whose tensors a file of ``size`` bytes cannot have held.

    Empty where it can.
    """
    if in_lines(experiment):
        return ""  # the shapes of lines are known to those alone who compile them
    width, total = math.prod(data.x.shape[1:]), 0
    rows = min(experiment.data.batch_size or len(data), len(data))
    for spec in experiment.layers:
        row = LAYERS[spec.type]
        outputs = row.outputs(spec, width)
        total += sum(math.prod(one.shape(width, outputs)) for one in row.parameters.values())
        width = outputs
        total += rows * width
    total *= np.dtype(experiment.dtype).itemsize
    if total <= max(PLAUSIBLE, FACTOR * size):
        return ""
    return (
        f"its experiment: one iteration takes {total:,} bytes, which a file of {size:,} cannot hold"
    )
