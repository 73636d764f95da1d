"""Targets of the binary cross-entropies: between 0 and 1, and what to do where they are not.

``torch.nn.BCELoss`` refuses a target outside [0, 1], NaN included; ``BCEWithLogitsLoss`` takes it
and then has a loss without a lower bound.
"""

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Array
from engine.nn.table import LOSSES


def outside(y: Array) -> NDArray[np.bool_]:
    """Where targets are outside [0, 1], NaN included: booleans in the shape of y."""
    out: NDArray[np.bool_] = ~((y >= 0) & (y <= 1))
    return out


def refusal(loss: str, y: Array) -> str | None:
    """Why a loss refuses these targets: the first that is wrong, how many, and the remedy."""
    wrong = outside(y) if LOSSES[loss].refuses else np.zeros(0, bool)
    if not wrong.any():
        return None
    where = tuple(np.argwhere(wrong)[0].tolist())
    place = ", ".join(map(str, where))
    many = f"; {int(wrong.sum())} of {wrong.size} are outside" if wrong.sum() > 1 else ""
    said = f"{loss} takes targets between 0 and 1, but y[{place}] is {y[where]:g}{many}"
    return f"{said}: {remedy(y)}"


def remedy(y: Array) -> str:
    """What to do with targets outside [0, 1], as their values suggest it."""
    values = np.unique(y[np.isfinite(y)])
    if len(values) < len(np.unique(y)):
        return "repair or leave out the rows with missing values"
    if set(values) <= {-1.0, 1.0}:
        return "labels −1 and 1 become 0 and 1 by (y + 1) / 2"
    if set(values) <= {1.0, 2.0}:
        return "labels count from 0: subtract 1"
    if set(values) <= {0.0, 255.0} or (values.min() >= 0 and values.max() == 255):
        return "divide them by 255"
    if values.min() >= 0 and (values == np.floor(values)).all() and len(values) > 2:
        return (
            f"classes 0 … {values.max():g} take cross_entropy, one output for each class; "
            "numbers take mse"
        )
    if values.min() >= 0 and values.max() <= 100:
        return "percentages are divided by 100; numbers of any size take mse"
    return "numbers of any size take mse; probabilities stay between 0 and 1"
