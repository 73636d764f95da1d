"""Training without a past: whole iterations as fast as the ops run."""

from collections.abc import Mapping

import numpy as np

from engine.arrays import Array, frozen
from engine.program.program import Program

Tensors = Mapping[str, Array]


def run_iteration(program: Program, tensors: Tensors, iteration: int) -> dict[str, Array]:
    """Every tensor after one iteration, counted from 0; ``tensors`` stays as it was."""
    after = {**tensors, **program.batch(iteration)}
    with np.errstate(all="ignore"):
        for op in program.ops:
            results, names = op.run(after), op.writes
            if len(results) == 1 == len(names):  # nearly always, and faster
                after[names[0]] = frozen(results[0])
            else:
                after.update(zip(names, map(frozen, results), strict=False))
    return after
