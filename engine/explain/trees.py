"""What an op computes as a tree of functions, whatever the op was made of."""

from dataclasses import dataclass, field

from engine.explain.layers import layer_output, layer_tree, loss_tree
from engine.explain.reading import AFTER, Reading
from engine.explain.updates import update_tree
from engine.formulas.symbols import gradient
from engine.lines.algebra import plus
from engine.lines.derive import gradients
from engine.lines.node import Node, constant, tensor, tensors
from engine.program.graph import GRADIENT
from engine.program.graph import Node as Layer
from engine.program.line_compiler import own
from engine.program.line_network import Graph, LineNetwork
from engine.program.line_pass import other_graph
from engine.run.phases import Phase


@dataclass(frozen=True, eq=False)
class Tree:
    """The ``root`` of what an op writes into one tensor, and names of parts of it.

    ``rule`` is the same without what was there before, for a gradient that is added to.
    """

    root: Node
    rule: Node
    labels: dict[Node, str] = field(default_factory=dict)


def tree_of(reading: Reading, name: str) -> Tree | None:
    """The tree of a tensor that an op writes; None where none says it.

    So it is with zeros, a mask that is drawn by chance, and an update that lines cannot write.
    """
    match reading.op.phase:
        case Phase.ZERO_GRAD:
            return None
        case Phase.UPDATE:
            found = update_tree(reading, name)
            return None if found is None else Tree(found.root, found.root, found.labels)
    lines = isinstance(reading.program.network, LineNetwork)
    made = of_line(reading) if lines else of_layer(reading, name)
    return None if made is None else Tree(added(reading, name, made), made)


def added(reading: Reading, name: str, made: Node) -> Node:
    """The tree with what was there before, where the op adds to something."""
    before = reading.before.get(name)
    if not reading.op.adds or before is None or not before.any():
        return made
    symbol = reading.program.tensors[name].symbol
    return plus(tensor(name, before.shape, symbol=symbol), made)


def of_line(reading: Reading) -> Node | None:
    """The right-hand side of a line, or what flows back from it to one tensor."""
    graph = graph_of(reading)
    if graph is None:
        return None
    target, _, source = reading.op.name.rpartition("@")
    name = source or reading.op.name
    line = next(line for line in graph.lines if line.name == name)
    if reading.op.phase != Phase.BACKWARD:
        return line.root
    wrt = next(n for n in tensors(line.root) if n.name == target.removesuffix(GRADIENT))
    seed: Node = constant(1.0)
    if line is not graph.loss:
        symbol = gradient(line.name)
        seed = tensor(line.name + GRADIENT, line.root.shape, symbol=symbol)
    return gradients(line.root, seed, [wrt], own(line))[wrt]


def graph_of(reading: Reading) -> Graph | None:
    """The lines for the number of rows of the batch."""
    network = reading.program.network
    assert isinstance(network, LineNetwork)
    found = network.graphs.get(reading.rows)
    return found or other_graph(reading.program, network, reading.rows)


def of_layer(reading: Reading, name: str) -> Node | None:
    """The output of a layer, the loss, or a gradient."""
    network, rows = reading.program.network, reading.rows
    op, last = reading.op, reading.program.network.nodes[-1]
    if op.layer is None:
        y = reading.before["y"]
        yhat = layer_output(last, rows)
        loss = loss_tree(network.loss, yhat, y.shape, y.dtype.kind in "iu")
        back = op.phase == Phase.BACKWARD
        return gradients(loss, constant(1.0), [yhat], None)[yhat] if back else loss
    layer = next(node for node in network.nodes if node.name == op.layer)
    if name == mask_of(layer):
        return None
    if op.phase == Phase.FORWARD:
        return layer_tree(layer, rows, mask_of(layer) + AFTER)
    return flowing(layer, rows, name.removesuffix(GRADIENT))


def mask_of(layer: Layer) -> str:
    """The name of the mask of a layer that has one."""
    return layer.tensor("mask")


def flowing(layer: Layer, rows: int, wrt: str) -> Node | None:
    """What flows back from the output of a layer to one tensor that it reads."""
    root = layer_tree(layer, rows, mask_of(layer))
    if root is None:
        return None
    out = layer_output(layer, rows)
    wanted = next(one for one in tensors(root) if one.name == wrt)
    seed = tensor(out.name + GRADIENT, out.shape, symbol=gradient(out.symbol))
    return gradients(root, seed, [wanted], out)[wanted]
