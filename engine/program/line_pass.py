"""The lines of a program run forward on any rows: what metrics and the doctor ask of them.

Shapes are known before anything runs, so that the lines are read once for each number of rows.
"""

from collections.abc import Iterator, Mapping
from weakref import WeakKeyDictionary

import msgspec
import numpy as np

from engine.arrays import Array, scalar
from engine.errors import ExperimentError
from engine.experiment.dataset import Dataset
from engine.experiment.spec import Experiment
from engine.lines.node import Misfit
from engine.lines.tape import Tape
from engine.program.line_network import Graph, LineNetwork
from engine.program.line_values import Values
from engine.program.lines import Builder
from engine.program.program import Program
from engine.run.op import ROWS

MOST_BYTES = 2**27  # of the tensors of one pass over rows
MOST_SIZE = 2**31  # that a file may name


class Pass:
    """The lines of a batch of so many rows, in order; calling it runs them, the loss too."""

    def __init__(self, graph: Graph, dtype: str) -> None:
        self.graph = graph
        self.steps = [
            (line.name, Tape([line.root], dtype).compute(line.root)) for line in graph.lines
        ]

    def __call__(self, tensors: Mapping[str, Array]) -> dict[str, Array]:
        """The tensors with those of every line; ``loss`` is that of these rows."""
        found = dict(tensors)
        for name, run in self.steps:
            (found[name],) = run(found)
        return found


_known: WeakKeyDictionary[LineNetwork, dict[int, Pass | None]] = WeakKeyDictionary()


def pass_over(program: Program, rows: int) -> Pass | None:
    """The lines for so many rows; None where a size in them, or a given gradient, forbids it."""
    network = program.network
    assert isinstance(network, LineNetwork)
    known = _known.setdefault(network, {})
    if rows not in known:
        same = all(line.role == "activation" for line in network.graph.lines)
        graph = network.graphs.get(rows) if same else None
        graph = graph or other_graph(program, network, rows)
        known[rows] = None if graph is None else Pass(graph, program.experiment.dtype)
    return known[rows]


def other_graph(program: Program, network: LineNetwork, rows: int) -> Graph | None:
    """The lines read once more, for a number of rows that no batch has, in evaluation mode."""
    training = msgspec.structs.replace(program.experiment.training, mode="eval")
    experiment = msgspec.structs.replace(program.experiment, training=training)
    builder = Builder(experiment, program.data, program.batches)
    try:
        sizes = Values(experiment, program.data, builder.sample).sizes()
        parameters = {one.name: one for one in network.parameters_}
        return builder.graph(rows, sizes, program.data, network.constants, parameters, set())
    except (ExperimentError, Misfit):
        return None


def passes(
    program: Program, tensors: Mapping[str, Array], data: Dataset
) -> Iterator[tuple[int, dict[str, Array]]]:
    """The rows of some data run through the lines: how many, and every tensor of theirs.

    All at once where they fit into MOST_BYTES, else in batches of the program's size. Rows that
    the lines do not take, being fewer than a size that is written in them, are left out.
    """
    network = program.network
    assert isinstance(network, LineNetwork)
    size, total = program.batches.size, len(data)
    bytes_of_a_row = 8 * sum(int(np.prod(line.root.shape)) for line in network.graph.lines) / size
    whole = total * bytes_of_a_row <= MOST_BYTES and pass_over(program, total) is not None
    step = total if whole else size
    for start in range(0, total, step):
        rows = slice(start, start + step)
        x, y = data.x[rows], data.y[rows]
        run = pass_over(program, len(x))
        if run is not None:
            given = {"x": x, "y": y, ROWS: scalar(len(x))}
            kept = {name: value for name, (_, value) in network.buffers.items()}
            yield len(x), run({**kept, **network.constants, **tensors, **given})


def pinned(experiment: Experiment, data: Dataset) -> Experiment:
    """The experiment with the sizes that its data give it written down.

    So that the same lines can be read again with some of the rows, or with data that are in the
    form of the lines already: a class that is missing there, or an axis more, changes no size.
    """
    if experiment.network is None:
        return experiment  # layers alone name no sizes
    taken = {*experiment.parameters, *experiment.constants}
    found = Values(experiment, data, experiment.network.per == "sample").sizes()
    sizes = {name: n for name, n in found.items() if name not in taken and 1 <= n <= MOST_SIZE}
    return msgspec.structs.replace(experiment, sizes=sizes)
