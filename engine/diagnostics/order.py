"""The order of the samples: batches that know one class only."""

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Array
from engine.diagnostics.detector import Detector, number, plural
from engine.diagnostics.diagnosis import Card, Certainty, Found, Limit, Severity
from engine.functions.losses.as_written import AsWritten
from engine.functions.losses.loss import Loss
from engine.run.phases import Phase
from engine.streams import stream

SORTED = Limit(
    0.5,
    "sorted",
    "half of the variety that batches of shuffled rows have: chance makes a few percent",
)
TRIALS = 8  # shuffles that the order is compared with
ORDERS = 2**31 + 2  # keeps the streams of these shuffles apart from all others
LEAST_ROWS = 8  # batches of fewer rows are taken together


class SortedBatches(Detector):
    """Samples sorted by their targets, in batches, and not shuffled."""

    card = Card(
        name="sorted-batches",
        title="The samples are sorted, and not shuffled",
        looks="Where shuffling is off and an epoch has several batches: the entropy of the classes "
        "inside a batch (or the variance of the targets), against that of shuffled rows.",
        levels="warning; as much as what it explains: a loss that rises or swings",
        cause="each batch knows one class, or one end of the targets: the network unlearns in one "
        "what it has learnt in the other",
        remedy="shuffle = true in [data]",
        certainty=Certainty.LIKELY,
        limits=(SORTED,),
    )

    @cached_property
    def varieties(self) -> tuple[float, float] | None:
        """The variety inside the batches, and that of shuffled ones; None without an order."""
        batches, y = self.program.batches, self.program.data.y
        size = batches.size * -(-LEAST_ROWS // batches.size)
        count = len(y) // size
        if batches.shuffle or batches.count < 2 or count < 2 or not np.isfinite(y).all():
            return None
        if not any("y" in op.reads for op in self.program.ops):
            return None
        classes = labels(self.program.network.loss, y)
        measure: Callable[[NDArray[Any], int], float]
        measure = mean_variance if classes is None else mean_entropy
        values: NDArray[Any] = y.reshape(len(y), -1) if classes is None else classes
        rows = count * size
        shuffled = [
            measure(values[stream(0, ORDERS, k).permutation(len(y))[:rows]], count)
            for k in range(TRIALS)
        ]
        return measure(values[:rows], count), float(np.mean(shuffled))

    def found(self) -> Iterator[Found]:
        event = next((op.index for op in self.program.ops if op.phase == Phase.FORWARD), None)
        if self.varieties is None or event is None:
            return
        inside, shuffled = self.varieties
        if not inside < SORTED * shuffled:
            return
        classes = labels(self.program.network.loss, self.program.data.y) is not None
        what = "the entropy of the classes" if classes else "the variance of the targets"
        batches = plural(self.program.batches.count, "batch")
        yield Found(
            event,
            "y",
            f"in {batches} of {self.program.batches.size} rows in the order of the data {what} is "
            f"{number(inside)} on average; of shuffled rows it is {number(shuffled)}",
            Severity.WARNING,
            numbers={"inside": inside, "shuffled": shuffled},
        )


def labels(loss: Loss, y: Array) -> NDArray[np.int64] | None:
    """The class of each row (N,); None where targets are numbers, as far as the loss tells."""
    if y.ndim == 1 and y.dtype.kind in "iu":
        return np.unique(y, return_inverse=True)[1]
    if (loss.distance or isinstance(loss, AsWritten)) and len(np.unique(y)) > 2:
        return None
    found: NDArray[np.int64] = np.unique(y, axis=0, return_inverse=True)[1].reshape(-1)
    return found


def mean_entropy(classes: NDArray[np.int64], count: int) -> float:
    """The mean over ``count`` equal stretches of the entropy of their classes, in nats."""
    table = np.zeros((count, int(classes.max()) + 1))
    stretch = np.repeat(np.arange(count), len(classes) // count)
    np.add.at(table, (stretch, classes), 1)
    share = table / table.sum(axis=1, keepdims=True)
    return float(-np.mean(np.sum(share * np.log(np.where(share > 0, share, 1)), axis=1)))


def mean_variance(values: Array, count: int) -> float:
    """The mean over ``count`` equal stretches of the variance of their rows (N, K)."""
    parts = values.astype(np.float64).reshape(count, -1, values.shape[1])
    return float(parts.var(axis=1).sum(axis=1).mean())
