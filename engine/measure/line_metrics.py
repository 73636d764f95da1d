"""How good a network of lines is on some rows: what its lines say of them, and how much is right.

The prediction is the line ``yhat``, else what the loss of the table reads, else the last line. It
is judged where the lines themselves say how: classes by a loss that takes them or by whole numbers
as y, numbers by a difference of the prediction and y.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from engine.arrays import Array
from engine.experiment.dataset import Dataset
from engine.functions.losses.as_written import AsWritten
from engine.functions.losses.loss import Loss
from engine.lines.losses import LossOf, Terms
from engine.lines.node import Call, Node, Tensor, ordered
from engine.program.line_network import Graph, LineNetwork
from engine.program.line_pass import passes
from engine.program.program import Program


def losses_of(graph: Graph) -> Iterator[tuple[Loss, Node, Node]]:
    """The losses of the table that the lines take of a prediction and y: loss, prediction, y."""
    for line in graph.lines:
        for node in ordered(line.root):
            if isinstance(node, Call) and isinstance(node.function, LossOf | Terms):
                prediction, target = node.operands
                if any(isinstance(n, Tensor) and n.name == "y" for n in ordered(target)):
                    yield node.function.loss, prediction, target


def prediction_of(network: LineNetwork) -> str:
    """The name of the tensor that is compared with y."""
    graph = network.graph
    if graph.output == "yhat":
        return "yhat"
    found = {
        node.name
        for _, prediction, _ in losses_of(graph)
        for node in ordered(prediction)
        if isinstance(node, Tensor)
    }
    return found.pop() if len(found) == 1 else graph.output


def judge(network: LineNetwork) -> Loss | None:
    """The loss of the table that says what a right answer is; None where there is no single one."""
    if not isinstance(network.loss, AsWritten):
        return network.loss
    found = {loss for loss, _, _ in losses_of(network.graph)}
    return found.pop() if len(found) == 1 else None


def measures_distance(network: LineNetwork) -> bool:
    """Whether y are numbers that the prediction is to come near to."""
    loss = judge(network)
    if loss is not None:
        return loss.distance
    pair = {prediction_of(network), "y"}
    return any(
        isinstance(node, Call)
        and getattr(node.function, "name", "") == "-"
        and {one.name for one in node.operands if isinstance(one, Tensor)} == pair
        for line in network.graph.lines
        for node in ordered(line.root)
    )


def measured(
    program: Program, tensors: Mapping[str, Array], data: Dataset
) -> tuple[float, Array | None, Array]:
    """The loss of some rows, the prediction as rows (n, K), and the y (n, …) it belongs to.

    The loss is that of all rows as one batch; where they do not fit into memory, or the lines take
    no such batch, the mean of the losses of batches, each by its rows, and NaN of none. The
    prediction is None where it has no row for each sample.
    """
    network = program.network
    assert isinstance(network, LineNetwork)
    name = prediction_of(network)
    losses, counts, parts = [], [], []
    for count, found in passes(program, tensors, data):
        losses.append(float(found["loss"]))
        counts.append(count)
        parts.append(np.asarray(found[name]))
    rows = sum(counts)
    if not rows:
        return np.nan, None, data.y[:0]
    loss = losses[0] if len(losses) == 1 else float(np.average(losses, weights=counts))
    alike = all(one.ndim and len(one) == n for one, n in zip(parts, counts, strict=True))
    return loss, as_rows(np.concatenate(parts)) if alike else None, data.y[:rows]


def as_rows(array: Array) -> Array:
    """A tensor of rows (n, K): all axes but the first in one."""
    return array.reshape(len(array), -1) if array.ndim != 2 else array


def targets_of(y: Array) -> Array:
    """y as metrics have it: class indices (n,), or rows (n, K)."""
    return y if y.dtype.kind in "iu" and y.ndim == 1 else as_rows(y)
