"""The decision regions of a network with two inputs: its predictions on a grid over its data."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.arrays import Array
from engine.measure.costs import work_of_a_row
from engine.measure.line_metrics import prediction_of, targets_of
from engine.measure.metrics import correct, is_binary, ones, predict, threshold_of
from engine.program.line_network import LineNetwork
from engine.program.line_pass import pass_over
from engine.program.program import Program

MARGIN = 0.15  # of the range of the data, added on every side
WORK = 40_000_000  # multiply-adds of one picture, which bounds the points of its grid
POINTS = 40_000
Range = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Regions:
    """Predictions (rows, cols) in float64 on a grid over the plane of the two inputs.

    Row 0 has the largest second input, as in a picture, column 0 the smallest first one.
    With ``classes`` an answer is the index of the largest output, else it is the first output, and
    ``threshold`` is the decision boundary (None: a regression). ``right`` is the accuracy on the
    data; ``x`` and ``y`` are the ranges of the first and the second input.
    """

    x: Range
    y: Range
    answers: Array
    classes: int
    threshold: float | None
    right: float | None


def has_regions(program: Program) -> bool:
    """Whether the network has two inputs, so that its data lies in a plane.

    And an answer for each of them: lines need not have one.
    """
    x, network = program.data.x, program.network
    if isinstance(network, LineNetwork):
        shape = network.shape_of(prediction_of(network))
        if len(shape) < 2 or shape[0] != program.batches.size or x.dtype.kind != "f":
            return False
        return x.shape[1:] in ((2,), (2, 1)) and pass_over(program, len(program.data)) is not None
    return x.ndim == 2 and x.shape[1] == 2


def regions(program: Program, tensors: Mapping[str, Array], cols: int, rows: int) -> Regions:
    """The predictions on at most ``cols`` × ``rows`` points, fewer where the network is large.

    Raises ValueError unless there are two inputs.
    """
    if not has_regions(program):
        raise ValueError("decision regions need a network with two inputs")
    data = program.data
    cols, rows = bounded(program, cols, rows)
    plane = data.x.reshape(len(data.x), 2)
    x, y = (limits(plane[:, i]) for i in range(2))
    across, up = np.linspace(x[0], x[1], cols), np.linspace(y[1], y[0], rows)
    grid = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, *data.x.shape[1:])
    grid = grid.astype(data.x.dtype)
    with np.errstate(all="ignore"):
        out = predict(program, tensors, grid)
        found = correct(program, predict(program, tensors, data.x), targets_of(data.y))
    count = classes(program)
    answers = out.argmax(axis=1).astype(np.float64) if count else out[:, 0].astype(np.float64)
    if count:
        answers[np.isnan(out).any(axis=1)] = np.nan  # argmax takes a NaN for the largest
    right = None if found is None else float(found.mean())
    return Regions(x, y, answers.reshape(rows, cols), count, threshold(program), right)


def bounded(program: Program, cols: int, rows: int) -> tuple[int, int]:
    """(columns, rows), fewer by one factor where the forward pass would be too much work."""
    cost = work_of_a_row(program)
    most = max(16, min(POINTS, WORK // max(1, cost)))
    factor = max(1.0, float(cols * rows / most) ** 0.5)
    return max(1, int(cols / factor)), max(1, int(rows / factor))


def limits(values: Array) -> Range:
    """The range of an input (N,) with a margin; half a unit around values that do not differ."""
    finite = values[np.isfinite(values)].astype(np.float64)
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    margin = MARGIN * (high - low) or 0.5
    return low - margin, high + margin


def classes(program: Program) -> int:
    """The number of classes that argmax decides between; 0 where the output is no such decision."""
    network = program.network
    if isinstance(network, LineNetwork):
        outputs = math.prod(network.shape_of(prediction_of(network))[1:])
    else:
        outputs = network.nodes[-1].layer.outputs
    return outputs if outputs > 1 and labels(program) is not None else 0


def threshold(program: Program) -> float | None:
    """The threshold of a binary output, ½ of a probability, 0 of a logit; None where it is none."""
    y = ones(program, targets_of(program.data.y))
    if y.ndim == 1 or classes(program) or not is_binary(y):
        return None
    return threshold_of(program)


def labels(program: Program) -> Array | None:
    """The class index of each row of the data, (N,); None where the targets are no classes."""
    y = ones(program, targets_of(program.data.y))
    if y.ndim == 1:
        return y
    if y.shape[1] > 1:
        one_hot = is_binary(y) and bool((y.sum(axis=1) == 1).all())
        return y.argmax(axis=1) if one_hot else None
    return y[:, 0].astype(np.int64) if is_binary(y) else None
