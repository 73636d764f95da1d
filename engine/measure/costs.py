"""The layers in numbers: shapes, parameters, multiply-adds, memory; and the same of the Jacobians.

Nothing is run. Multiply-adds are those of the products with weights, for one batch; what is done
element by element is not counted.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from engine.arrays import Shape
from engine.chain.chain import chain
from engine.chain.primals import Primals
from engine.lines.line import Line
from engine.lines.node import ordered
from engine.measure.line_costs import line_costs
from engine.program.graph import Node
from engine.program.line_network import LineNetwork
from engine.program.program import Program
from engine.run.phases import Phase


@dataclass(frozen=True)
class LayerCost:
    """One layer for a batch of N: shapes, parameters, multiply-adds and bytes.

    ``before`` and ``after`` are the shapes of input and output, (N, d); ``parameters`` counts
    elements; ``forward`` and ``backward`` are the multiply-adds of an iteration.
    """

    name: str
    type: str
    before: Shape
    after: Shape
    parameters: int
    forward: int
    backward: int
    parameter_bytes: int
    output_bytes: int


@dataclass(frozen=True)
class JacobianCost:
    """∂of/∂wrt of a layer or the loss for a batch: its non-zeros, and the bytes of a dense copy.

    ``dims`` are (rows, columns) in numerator layout.
    """

    symbol: str
    of: str
    wrt: str
    dims: tuple[int, int]
    structure: str
    nonzeros: int
    dense_bytes: int


def work_of_a_row(program: Program) -> int:
    """The work of one row on its way forward: multiply-adds of layers, elements made by lines."""
    network = program.network
    if isinstance(network, LineNetwork):
        made = sum(
            math.prod(node.shape) for line in network.graph.lines for node in ordered(line.root)
        )
        return max(1, made // program.batches.size)
    return sum(node.layer.work for node in network.nodes)


def layer_costs(program: Program) -> list[LayerCost]:
    """The cost of each layer, from the input on; of a network of lines that of each line."""
    if isinstance(program.network, LineNetwork):
        return [line_cost(program, *found) for found in line_costs(program)]
    return [layer_cost(program, node) for node in program.network.nodes]


def line_cost(
    program: Program, line: Line, shape: Shape, read: list[str], forward: int, backward: int
) -> LayerCost:
    """The cost of one line, which has no single input; what it makes stands for both shapes."""
    infos = [program.tensors[name] for name in read]
    return LayerCost(
        name=line.name,
        type="line",
        before=shape,
        after=shape,
        parameters=sum(math.prod(info.shape) for info in infos),
        forward=forward,
        backward=backward,
        parameter_bytes=sum(info.nbytes for info in infos),
        output_bytes=program.tensors[line.name].nbytes,
    )


def layer_cost(program: Program, node: Node) -> LayerCost:
    """The cost of one layer. A product is counted once for each op that makes one.

    So a phase that is skipped costs nothing, nor does the gradient of x where none is made.
    """
    tensors = program.tensors
    shapes = node.layer.parameters
    names = [node.tensor(role) for role in shapes]
    matrices = {role: shape for role, shape in shapes.items() if len(shape) > 1}
    product = tensors[node.output].shape[0] * sum(map(math.prod, matrices.values()))
    made = [(op.phase, op.name) for op in program.ops]
    wanted = (*map(node.tensor, matrices), node.input)
    products = [program.gradients[name] for name in wanted if name in program.gradients]
    return LayerCost(
        name=node.name,
        type=node.layer.type,
        before=tensors[node.input].shape,
        after=tensors[node.output].shape,
        parameters=sum(math.prod(shape) for shape in shapes.values()),
        forward=product * made.count((Phase.FORWARD, node.output)),
        backward=product * sum(made.count((Phase.BACKWARD, name)) for name in products),
        parameter_bytes=sum(tensors[name].nbytes for name in names),
        output_bytes=tensors[node.output].nbytes,
    )


def jacobian_costs(program: Program) -> list[JacobianCost]:
    """The cost of each Jacobian of backward: that of the loss, then those of the last layer first.

    Layers are differentiated by their parameters and their input; the first one's input is x. Lines
    have none: each is a function of several tensors, in whatever order they read one another.
    """
    # at event 0 nothing is computed, nor needs to be: sizes and structures take no values
    primals = Primals(program, program.initial(), 0)
    if not program.network.nodes:
        return []
    pairs = [("loss", program.network.output)]
    for node in reversed(program.network.nodes):
        pairs += [(node.output, node.tensor(role)) for role in (*node.layer.parameters, "input")]
    return list(costs_of(primals, pairs))


def costs_of(primals: Primals, pairs: list[tuple[str, str]]) -> Iterator[JacobianCost]:
    """The costs of ∂of/∂wrt for pairs (of, wrt) of tensors with no layer between them."""
    for of, wrt in pairs:
        (only,) = chain(primals, of, wrt).factors
        found = only.jacobian
        yield JacobianCost(
            only.symbol, of, wrt, found.dims, found.structure, found.nonzeros, found.dense_bytes
        )
