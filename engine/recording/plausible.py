"""Whether a run can have been in a file: asked before the compiler takes memory for it."""

import math
from collections.abc import Mapping

import numpy as np

from engine.arrays import Shape
from engine.experiment.dataset import Dataset, batches, in_lines
from engine.experiment.spec import Experiment, ParameterSpec
from engine.lines.node import ordered
from engine.nn.table import LAYERS
from engine.program.line_network import Parameter
from engine.program.line_values import Values
from engine.program.lines import GIVEN, Builder

PLAUSIBLE = 2**25  # bytes that a run may take in any case
FACTOR = 64  # and beyond: so many times the size of the file


def implausible(experiment: Experiment, data: Dataset, size: int) -> str:
    """What is wrong with an experiment whose tensors a file of ``size`` bytes cannot have held.

    Empty where it can.
    """
    if in_lines(experiment):
        total = line_elements(experiment, data)
    else:
        total = layer_elements(experiment, data)
    total *= np.dtype(experiment.dtype).itemsize
    if total <= max(PLAUSIBLE, FACTOR * size):
        return ""
    return (
        f"its experiment: one iteration takes {total:,} bytes, which a file of {size:,} cannot hold"
    )


def layer_elements(experiment: Experiment, data: Dataset) -> int:
    """Elements of the parameters, and of the outputs of a batch."""
    width, total = math.prod(data.x.shape[1:]), 0
    rows = min(experiment.data.batch_size or len(data), len(data))
    for spec in experiment.layers:
        row = LAYERS[spec.type]
        outputs = row.outputs(spec, width)
        total += sum(math.prod(one.shape(width, outputs)) for one in row.parameters.values())
        width = outputs
        total += rows * width
    return total


def line_elements(experiment: Experiment, data: Dataset) -> int:
    """Elements of the parameters, and of everything that the lines make of a batch on their way.

    The lines are read over parameters that have a shape and no memory. What is wrong with them the
    compiler says.
    """
    cut = batches(experiment, data)
    builder = Builder(experiment, data, cut)
    values = Values(experiment, data, builder.sample)
    sizes = values.sizes()
    parameters: dict[str, Parameter] = {}
    for name, spec in experiment.parameters.items():
        if spec.tied is None:
            shape = shape_of(spec, sizes)
            if builder.sample and len(shape) == 1:
                shape = (*shape, 1)
            parameters[name] = Parameter(name, np.broadcast_to(np.zeros(()), shape), False)
    total = sum(one.value.size for one in parameters.values())
    known = {name: values.constant(name, one) for name, one in experiment.constants.items()}
    given = values.given()
    if given is not None:
        known[GIVEN] = given
    if values.problems:
        return total
    rows = min(cut.size, len(data))
    graph = builder.graph(rows, sizes, builder.shaped(), known, parameters, set())
    total += sum(math.prod(one.weight.shape) for one in builder.held.values())
    if graph is None:
        return total
    return total + sum(math.prod(node.shape) for line in graph.lines for node in ordered(line.root))


def shape_of(spec: ParameterSpec, sizes: Mapping[str, int]) -> Shape:
    """The shape of a parameter: of its values, else as it is written, letters as sizes."""
    if spec.value is not None or spec.shape is None:
        return np.shape(spec.value) if spec.value is not None else ()
    return tuple(sizes.get(one, 1) if isinstance(one, str) else one for one in spec.shape)
