"""What follows from lines as they are written, before anything is measured.

Which activations are hidden units, how deep in the network a line is, and whether the loss can be
below zero.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from engine.arrays import Array
from engine.functions.losses.bce import BCE
from engine.functions.losses.cross_entropy import CrossEntropy
from engine.functions.losses.loss import Loss
from engine.lines.elementwise import Activated
from engine.lines.line import Line
from engine.lines.losses import LossOf, Terms
from engine.lines.node import Call, Constant, Node, Tensor, ordered
from engine.lines.tape import Tape
from engine.program.line_network import LineNetwork
from engine.program.program import Program

PRODUCTS = ("@", "conv1d", "conv2d", "conv_transpose2d")  # functions with weights
MOVES = ("transpose", "reshape")
AS_THEY_ARE = ("sum", "mean", "max", "min", "index", "transpose", "reshape", "concat", "stack")
NEVER_BELOW = ("abs", "square", "exp", "norm", "var", "std", "sqrt", "relu", "sigmoid")
SHARES = ("softplus", "softmax", "one_hot", "ones", "zeros")


def word(node: Call) -> str:
    """The word of a function in a line; a cast or a repetition put in between has none."""
    found: str = getattr(node.function, "name", "")
    return found


@dataclass(frozen=True, eq=False)
class Hidden:
    """An activation of hidden units in a line: what it gives, and the axis of its units."""

    line: str
    kind: str
    axis: int
    value: Callable[[Mapping[str, Array]], Array]


def hidden_units(program: Program, kinds: tuple[str, ...]) -> Iterator[Hidden]:
    """The activations of these kinds with a row for each sample that weights read afterwards.

    Others are no units: the relu of a hinge is off where an answer is right, and the sigmoid of an
    answer may be sure.
    """
    network = program.network
    assert isinstance(network, LineNetwork)
    rows, read = max(network.graphs), dict[str, bool]()
    for line in reversed(network.graph.lines):
        made = ordered(line.root)
        flows = dict.fromkeys(made, False) | {line.root: read.get(line.name, False)}
        for node in reversed(made):
            if isinstance(node, Call):
                for one in node.operands:
                    flows[one] = flows[one] or flows[node] or word(node) in PRODUCTS
            elif isinstance(node, Tensor):
                read[node.name] = read.get(node.name, False) or flows[node]
        for node in made:
            activated = isinstance(node, Call) and isinstance(node.function, Activated)
            if activated and flows[node] and node.shape[:1] == (rows,) and node.rank > 1:
                assert isinstance(node, Call)
                if word(node) in kinds and of_samples(program, node):
                    yield hidden(program, line, node)


def of_samples(program: Program, node: Node) -> bool:
    """Whether something below has a row for each sample."""
    read = (one for one in ordered(node) if isinstance(one, Tensor))
    return any(program.tensors[one.name].per_sample for one in read)


def hidden(program: Program, line: Line, node: Call) -> Hidden:
    """One activation; where it is the whole line nothing is computed again.

    Units lie along axis 1 of pictures (N, C, H, W) and of columns (N, n, 1), else along the last.
    """
    axis = 1 if node.rank != 3 or node.shape[-1] == 1 else 2
    if node is line.root:
        return Hidden(line.name, word(node), axis, lambda tensors: tensors[line.name])
    run = Tape([node], program.experiment.dtype).compute(node)
    return Hidden(line.name, word(node), axis, lambda tensors: run(tensors)[0])


def depths(program: Program) -> list[list[str]]:
    """The lines with weights by their depth: those that depend on no other first.

    Only lines that have a gradient count. What stands side by side, the query, key and value of
    attention or the gates of a cell, has the same depth.
    """
    network = program.network
    assert isinstance(network, LineNetwork)
    parameters = {one.name for one in network.parameters_}
    depth: dict[str, int] = {}
    found: dict[int, list[str]] = {}
    for line in network.graph.lines[:-1]:
        made = ordered(line.root)
        read = [depth.get(one.name, 0) for one in made if isinstance(one, Tensor)]
        before = max(read, default=0)
        weighted = line.name in program.gradients and of_samples(program, line.root)
        depth[line.name] = before + (weighted and any(takes(one, parameters) for one in made))
        if depth[line.name] > before:
            found.setdefault(depth[line.name], []).append(line.name)
    return [found[level] for level in sorted(found)]


def takes(node: Node, parameters: set[str]) -> bool:
    """Whether a node is a product with a parameter, as it is or with its axes moved."""
    if not isinstance(node, Call) or word(node) not in PRODUCTS:
        return False
    return any(
        isinstance(one, Tensor) and one.name in parameters for one in map(unmoved, node.operands)
    )


def unmoved(node: Node) -> Node:
    """What a node is before its axes were moved."""
    while isinstance(node, Call) and word(node) in MOVES:
        node = node.operands[0]
    return node


def never_negative(network: LineNetwork) -> bool:
    """Whether the loss of these lines cannot be below 0, as far as its functions tell."""
    signs: dict[str, int | None] = {
        name: 1 for name, value in network.constants.items() if (value >= 0).all()
    }
    for line in network.graph.lines:
        found: dict[Node, int | None] = {}
        for node in ordered(line.root):
            found[node] = sign_of(node, found, signs)
        signs[line.name] = found[line.root]
    return signs[network.graph.loss.name] == 1


def sign_of(
    node: Node, found: Mapping[Node, int | None], signs: Mapping[str, int | None]
) -> int | None:
    """1 for what is never below 0, −1 for what is never above, None for what may be either."""
    if isinstance(node, Constant):
        return 1 if node.value >= 0 else -1
    if not isinstance(node, Call):
        return signs.get(node.name) if isinstance(node, Tensor) else None
    name, given = word(node), [found[one] for one in node.operands]
    if isinstance(node.function, LossOf | Terms):
        return 1 if bounded(node.function.loss, node.operands[1]) else None
    if name == "**" and isinstance(power := node.operands[1], Constant) and power.value % 2 == 0:
        return 1
    if name in NEVER_BELOW or name in SHARES:
        return 1
    if name == "log_softmax":
        return -1
    if name == "negative" and given[0] is not None:
        return -given[0]
    if name in ("*", "/") and None not in given:
        return math.prod(one for one in given if one is not None)
    if name == "-" and None not in given:
        given = [given[0], -(given[1] or 0)]
    if name in ("+", "-", *AS_THEY_ARE):
        tensors = given[:1] if name == "index" else given
        return tensors[0] if len(set(tensors)) == 1 else None
    return None


def bounded(loss: Loss, target: Node) -> bool:
    """Whether a loss of the table is never below 0, whatever the prediction."""
    if loss.scale < 0:
        return False
    classes = isinstance(loss, CrossEntropy) and target.kind == "whole"
    return loss.distance or classes or isinstance(loss, BCE)
