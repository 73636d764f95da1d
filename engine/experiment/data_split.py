"""Rows set aside for validation: which ones depends on the seed and the number of rows alone."""

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Array
from engine.experiment.data_problem import DataProblem
from engine.streams import stream

SPLIT = 2**31 + 2  # keeps the stream of the split apart from all others
Rows = NDArray[np.int64]


def split(y: Array, fraction: float, seed: int, stratify: bool) -> tuple[Rows, Rows]:
    """The rows for training and those for validation, each in ascending order, of int64.

    ``fraction`` of all rows, rounded, is set aside, at least one and not all. With ``stratify``
    every class has the same share of it as far as whole rows allow, and is never set aside whole.
    Raises DataProblem for fewer than 2 rows, or where ``stratify`` cannot be done.
    """
    rows = len(y)
    if rows < 2:
        raise DataProblem("validation", f"needs at least 2 rows, and there is {rows}")
    count = min(max(int(rows * fraction + 0.5), 1), rows - 1)
    order = stream(seed, SPLIT).permutation(rows)
    if stratify:
        order = stratified(order, class_of_rows(y), count)
    aside = np.sort(order[:count])
    return np.setdiff1d(np.arange(rows), aside), aside


def class_of_rows(y: Array) -> NDArray[np.int64]:
    """The class of each row of the targets, numbered from 0: (N,).

    Flat integers are classes. Raises DataProblem for flat floats, and rows that are no classes.
    """
    if not (is_classes(y) if y.ndim == 2 else y.ndim == 1 and y.dtype.kind == "i"):
        raise DataProblem("stratify", "needs targets that are classes, and these are not")
    _, found = np.unique(y, axis=0, return_inverse=True)
    return found.reshape(-1)


def is_classes(y: Array) -> bool:
    """Whether rows of targets are one-hot, or a single column of zeros and ones."""
    binary = bool(((y == 0) | (y == 1)).all())
    return binary and (y.shape[1] == 1 or bool((y.sum(axis=1) == 1).all()))


def stratified(order: Rows, classes: NDArray[np.int64], count: int) -> Rows:
    """``count`` of the rows in this order, (count,), with their share of every class.

    What the shares leave over goes to the classes that lack most of a row. Raises DataProblem where
    so many rows would leave none of a class.
    """
    sizes = np.bincount(classes)
    wanted = sizes * (count / len(order))
    # sizes − 1: a row of every class stays to be trained on.
    shares = np.minimum(np.floor(wanted).astype(np.int64), sizes - 1)
    for k in np.argsort(shares - wanted, kind="stable"):
        if shares.sum() < count and shares[k] < sizes[k] - 1:
            shares[k] += 1
    if shares.sum() < count:
        most = int((sizes - 1).sum())
        said = f"sets {count} rows aside, but only {most} leave a row of every class to train on"
        raise DataProblem("validation", said)
    ordered = classes[order]
    front = [order[ordered == k][:share] for k, share in enumerate(shares)]
    return np.concatenate(front)
