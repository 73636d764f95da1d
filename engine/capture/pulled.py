"""Numbers of a captured Jacobian: its rows, pulled back through the ops on the paths.

Each op is an equation of the engine's; its operands are what was stored. So a row costs a pass
backwards over the paths, whatever the size of the whole.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.arrays import Array, Shape
from engine.capture.captured import CapturedRun
from engine.capture.equations import equation
from engine.capture.graph import Edge, Graph, Node
from engine.capture.known import Unknown
from engine.capture.messages import OpDefinition, TensorDefinition
from engine.lines.derive import gradients
from engine.lines.node import Kind, Misfit, ordered, tensor
from engine.lines.reader import Lines
from engine.lines.scope import Scope
from engine.lines.table import Row, loss_rows, rows
from engine.lines.tape import Tape
from engine.nn.table import LOSSES
from engine.run.op import Compute

MOST_ELEMENTS: Final = 2**22  # of all operands on the paths
MOST_INSIDE: Final = 2**24  # of what an op makes on its way
MOST_OPS: Final = 2000  # on the paths
MOST_KEPT: Final = 2**20  # numbers of rows that are kept
KINDS: Final[dict[str, Kind]] = {"f": "real", "i": "whole", "u": "whole", "b": "truth"}
UPSTREAM: Final = "upstream"
_functions: dict[str, Row] = {}


def functions() -> dict[str, Row]:
    """The functions of lines by name, made once."""
    if not _functions:
        _functions.update((row.name, row) for row in (*rows(), *loss_rows(LOSSES)))
    return _functions


@dataclass(frozen=True, eq=False)
class Step:
    """An op on the paths: what it makes, and how a gradient of that goes back to what it reads."""

    made: Node
    back: tuple[tuple[Node, Compute], ...]
    operands: dict[str, Array]


class Pulled:
    """The rows of a Jacobian (rows, cols) in float64; ``cost`` is multiply-adds a row, about."""

    def __init__(self, graph: Graph, edges: Sequence[Edge], start: Node, end: Node) -> None:
        self.start, self.end = start, end
        self.row_shape = graph.tensors[end].shape
        self.col_shape = graph.tensors[start].shape
        self.steps: list[Step] = []
        self.cost = 0
        self.kept: dict[int, Array] = {}

    @property
    def shape(self) -> tuple[int, int]:
        """Elements of the numerator, and of the denominator."""
        return math.prod(self.row_shape), math.prod(self.col_shape)

    def window(self, rows_: range, cols: range) -> Array:
        """The numbers of some rows and columns, (rows, cols)."""
        found = [self.row(i)[cols.start : cols.stop] for i in rows_]
        return np.stack(found) if found else np.empty((0, len(cols)))

    def row(self, i: int) -> Array:
        """A row, (columns,)."""
        known = self.kept.get(i)
        if known is None:
            if (len(self.kept) + 1) * self.shape[1] > MOST_KEPT:
                self.kept.clear()
            known = self.kept[i] = self.pull(i)
        return known

    def pull(self, i: int) -> Array:
        """The gradient of element i of the numerator by the denominator, flat."""
        seed = np.zeros(self.row_shape)
        seed.reshape(-1)[i] = 1.0
        flows: dict[Node, Array] = {self.end: seed}
        with np.errstate(all="ignore"):
            for step in reversed(self.steps):
                upstream = flows.pop(step.made, None)
                if upstream is None:
                    continue
                given = {**step.operands, UPSTREAM: upstream}
                for node, compute in step.back:
                    (found,) = compute(given)
                    flows[node] = found if node not in flows else flows[node] + found
        row = flows.get(self.start)
        return np.zeros(self.shape[1]) if row is None else row.reshape(-1)


def pulled(
    run: CapturedRun,
    iteration: int,
    graph: Graph,
    edges: Sequence[Edge],
    ends: tuple[Node, Node],
    most: int = MOST_ELEMENTS,
) -> Pulled:
    """The rows of a Jacobian from ``ends`` (start, end) over edges between them.

    The operands have at most ``most`` elements together.

    Raises Unknown with the first op that the engine has not, or the operand that was not kept.
    """
    found = Pulled(graph, edges, *ends)
    begin = run.timeline.begin(iteration)
    facts = run.stored.facts(iteration)
    places = dict.fromkeys(edge.place for edge in edges)
    if len(places) > MOST_OPS:
        raise Unknown(f"more than {MOST_OPS:,} ops are on the way")
    room = most
    for place in places:
        op = run.stored.ops[graph.numbers[place]]
        tensors = [run.stored.tensors[number] for number in op.reads]
        inside = [edge for edge in edges if edge.place == place]
        made = graph.tensors[inside[0].end]
        room -= sum(one.elements for one in tensors) + made.elements
        if room < 0:
            raise Unknown(f"the tensors on the way are more than {most:,} numbers")
        arguments = dict(op.attributes or {}) | facts.get(place, {})
        operands = [operand(run, one, begin + place) for one in tensors]
        found.steps.append(step(op, arguments, tensors, operands, inside, made.shape))
        found.cost += cost(tensors, made.elements)
    return found


def step(
    op: OpDefinition,
    arguments: dict[str, object],
    tensors: Sequence[TensorDefinition],
    operands: Sequence[Array],
    edges: Sequence[Edge],
    shape: Shape,
) -> Step:
    """An op, which makes a tensor of a shape, with the gradients of what it reads on the paths."""
    where = f"{op.kind} at {op.file}:{op.line}" if op.file else op.kind
    names = [f"operand{i}" for i in range(len(tensors))]
    if len({edge.end for edge in edges}) > 1:
        raise Unknown(f"{where} makes several tensors")
    leaves = {
        name: tensor(name, array.shape, KINDS.get(array.dtype.kind, "real"))
        for name, array in zip(names, operands, strict=True)
    }
    try:
        text = equation(op, arguments, names, [one.shape for one in tensors])
        lines = Lines(f"made = {text}", Scope(dict(leaves), {}, functions()))
        lines.read()
        if lines.faults:
            raise Unknown(str(lines.faults[0].message))
        root = lines.lines[0].root
        if root.shape != shape:
            raise Unknown(f"it makes {root.shape}, and {shape} was recorded")
        wanted = {edge.operand: leaves[names[edge.operand]] for edge in edges}
        trees = gradients(root, tensor(UPSTREAM, shape), list(wanted.values()), None)
        largest = max((math.prod(node.shape) for node in ordered(*trees.values())), default=0)
        if largest > MOST_INSIDE:
            raise Unknown(f"it takes {largest:,} numbers")
    except (Unknown, Misfit, ValueError, ArithmeticError, TypeError) as problem:
        said = str(problem)
        raise Unknown(said if op.kind in said else f"{where}: {said}") from problem
    tape = Tape([trees[leaf] for leaf in wanted.values() if leaf in trees], "float64")
    starts = {edge.operand: edge.start for edge in edges}
    back = [(starts[i], tape.compute(trees[leaf])) for i, leaf in wanted.items() if leaf in trees]
    given = {
        name: array.astype(np.float64) if array.dtype.kind == "f" else array
        for name, array in zip(names, operands, strict=True)
    }
    return Step(edges[0].end, tuple(back), given)


def operand(run: CapturedRun, definition: TensorDefinition, event: int) -> Array:
    """An operand as it was before an op; Unknown where it was not kept in full."""
    array = run.places.at(run.places.locate(event, definition.name))
    if array is None or array.shape != definition.shape:
        raise Unknown(f"{definition.name} was not kept in full before #{event}")
    return array


def cost(tensors: Sequence[TensorDefinition], made: int) -> int:
    """Multiply-adds of a pass backwards through an op, about: of a weight each row by its size."""
    weights = [one for one in tensors[1:] if len(one.shape) > 1 and one.shape[0]]
    return made * max((one.elements // one.shape[0] for one in weights), default=1)
