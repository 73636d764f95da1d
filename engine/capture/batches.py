"""The batches of a captured run as the data of an experiment, as far as they were kept."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.arrays import Array
from engine.capture.as_layers import refuse
from engine.capture.captured import CapturedRun

MOST_NUMBERS: Final = 2**26  # of data that are written out


@dataclass(frozen=True, eq=False)
class Batches:
    """The rows of all different batches in their order, the size of one, and the epochs.

    ``iterations`` is how many of the captured ones they are; ``why`` what came then, if anything.
    """

    arrays: tuple[Array, ...]
    size: int
    epochs: int
    iterations: int
    why: str = ""


def batches_of(run: CapturedRun, names: tuple[str, ...], most: int) -> Batches:
    """The batches of the first iterations, ``most`` at most, that entered under some names.

    Batches that come again in the same order are epochs; others make a single one. Raises
    GradstepError where already the first was not kept in full.
    """
    found: list[tuple[Array, ...]] = []
    why, numbers = "", 0
    for iteration in range(most):
        event = run.timeline.begin(iteration)
        arrays = [run.places.at(run.places.locate(event, name)) for name in names]
        whole = [one for one in arrays if one is not None]
        if len(whole) < len(names):
            missing = next(name for name, one in zip(names, arrays, strict=True) if one is None)
            why = f"the batch of iteration {iteration + 1} ({missing}) was not kept in full"
            break
        numbers += sum(one.size for one in whole)
        if numbers > MOST_NUMBERS and found:
            why = f"its data are more than {MOST_NUMBERS:,} numbers"
            break
        found.append(tuple(whole))
    if not found:
        raise refuse(None, f"{why or 'it has no iteration'}: capture it with --window 0:10")
    lengths = [len(one[0]) if one[0].ndim else 0 for one in found]
    if not lengths[0] or any(one.ndim == 0 or len(one) != len(b[0]) for b in found for one in b):
        raise refuse(None, f"{' and '.join(names)} are no rows of samples")
    count, distinct = regular([tuple(one.tobytes() for one in batch) for batch in found], lengths)
    if count < len(found):
        why = f"the batch of iteration {count + 1} has another size"
    arrays_ = tuple(np.concatenate(parts) for parts in zip(*found[:distinct], strict=True))
    return Batches(arrays_, lengths[0], -(-count // distinct), count, why)


def regular(keys: list[tuple[bytes, ...]], lengths: list[int]) -> tuple[int, int]:
    """How many batches an experiment has too, and after how many they come again.

    All have one size there but for the last of an epoch, which may be smaller.
    """
    alike = next((i for i, one in enumerate(lengths) if one != lengths[0]), len(lengths))
    choices = [*range(1, alike + 1)]
    if alike < len(lengths) and lengths[alike] < lengths[0]:
        choices.append(alike + 1)
    for count in range(len(keys), 0, -1):
        for distinct in choices:
            if distinct > count:
                break
            if all(keys[i] == keys[i % distinct] for i in range(distinct, count)):
                return count, distinct
    return 1, 1
