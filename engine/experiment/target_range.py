"""Targets of the binary losses, between 0 and 1 or ±1, and what to do where they are not.

``torch.nn.BCELoss`` refuses a target outside [0, 1], NaN included; ``BCEWithLogitsLoss`` takes it
and then has a loss without a lower bound. A hinge of other targets than ±1 is no margin.
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
    kind = LOSSES[loss]
    if not kind.refuses:
        return None
    wrong = ~np.isin(y, kind.labels) if kind.labels else outside(y)
    if not wrong.any():
        return None
    where = tuple(np.argwhere(wrong)[0].tolist())
    place = ", ".join(map(str, where))
    out = "are neither" if kind.labels else "are outside"
    many = f"; {int(wrong.sum())} of {wrong.size} {out}" if wrong.sum() > 1 else ""
    takes = "−1 and 1" if kind.labels else "between 0 and 1"
    said = f"{loss} takes targets {takes}, but y[{place}] is {y[where]:g}{many}"
    return f"{said}: {label_remedy(y) if kind.labels else remedy(y)}"


def label_remedy(y: Array) -> str:
    """What to do with targets that are not −1 and 1, as their values suggest it."""
    values = set(np.unique(y[np.isfinite(y)]))
    if len(values) < len(np.unique(y)):
        return "repair or leave out the rows with missing values"
    if values <= {0.0, 1.0}:
        return "labels 0 and 1 become −1 and 1 by 2 y − 1"
    if values <= {1.0, 2.0}:
        return "labels 1 and 2 become −1 and 1 by 2 y − 3"
    if all(value == np.floor(value) for value in values) and min(values) >= 0:
        return "classes take multi_margin or cross_entropy, one output for each class"
    return "numbers of any size take mse"


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
