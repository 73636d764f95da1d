"""The Jacobian between two tensors of a captured iteration: dimensions, structure, chain.

The ops of forward and loss make a graph without cycles, of versions of tensors. Its paths from one
tensor to another are folded where all of them meet: between two such tensors stands one factor.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from engine.arrays import Array, Shape
from engine.capture.captured import CapturedRun
from engine.capture.definitions import ENTERS
from engine.capture.kinds import UNKNOWN, structure
from engine.capture.lines import nested
from engine.capture.messages import TensorDefinition
from engine.errors import GradstepError
from engine.run.code_places import in_module
from engine.run.phases import Phase
from engine.session.badges import BadgeKind, badge_at
from engine.session.journal import Journal
from engine.wording import suggestion

FORWARD: Final = (Phase.FORWARD, Phase.LOSS)
MADE: Final = ("activation", "loss")
WINDOW: Final = 8  # rows and columns of values that are given
Node = tuple[str, int]
"""A version of a tensor: its name, and the place of the op that made it; −1 before the first."""


@dataclass(frozen=True)
class Edge:
    """An op between two versions: the result by one of its operands."""

    place: int
    operand: int
    start: Node
    end: Node


@dataclass(frozen=True)
class Factor:
    """A factor of the chain: the result by what it is made of, over so many ``paths``."""

    of: str
    wrt: str
    dims: tuple[int, int]
    structure: str
    paths: int
    ops: tuple[str, ...]
    parallel: bool

    @property
    def name(self) -> str:
        """``∂log_softmax/∂fc2.linear``."""
        return f"∂{self.of}/∂{self.wrt}"


@dataclass(frozen=True)
class Jacobian:
    """What is known of the Jacobian of a tensor by another one in an iteration.

    ``sample_dims`` are those of one sample, where every factor leaves the samples by themselves.
    ``values`` are there of a loss, from the gradient that backward has left: (1, columns).
    """

    of: str
    wrt: str
    iteration: int
    row_shape: Shape
    col_shape: Shape
    chain: tuple[Factor, ...]
    sample_dims: tuple[int, int] | None
    itemsize: int
    values: Array | None = None
    why_not: str = ""

    @property
    def dims(self) -> tuple[int, int]:
        """Elements of the numerator, and of the denominator."""
        return math.prod(self.row_shape), math.prod(self.col_shape)

    @property
    def structure(self) -> str:
        """The structure of the whole: that of its only factor, one row, or what is not known."""
        if self.dims[0] == 1:
            return "one row"
        kinds = {factor.structure for factor in self.chain}
        if len(kinds) == 1 and kinds <= CLOSED:
            return kinds.pop()
        return self.chain[0].structure if len(self.chain) == 1 else "product"

    def as_json(self) -> dict[str, Any]:
        """The Jacobian as `jacobian --json` tells it."""
        window = None
        if self.values is not None:
            row = self.values.reshape(-1)[:WINDOW]
            cols = [0, len(row)]
            window = {"rows": [0, 1], "cols": cols, "values": [nested(row)]}
        return {
            "of": self.of,
            "wrt": self.wrt,
            "iteration": self.iteration + 1,
            "row_shape": list(self.row_shape),
            "col_shape": list(self.col_shape),
            "dims": list(self.dims),
            "sample_dims": None if self.sample_dims is None else list(self.sample_dims),
            "structure": self.structure,
            "nonzeros": None,
            "dense_bytes": math.prod(self.dims) * self.itemsize,
            "chain": [
                {
                    "factor": one.name,
                    "dims": list(one.dims),
                    "structure": one.structure,
                    "paths": one.paths,
                    "ops": list(one.ops),
                }
                for one in self.chain
            ],
            "window": window,
            "missing": self.why_not,
        }


CLOSED: Final = {"diagonal", "permutation", "block-diagonal"}


class Graph:
    """The forward and loss ops of an iteration as a graph of versions of tensors."""

    def __init__(self, run: CapturedRun, iteration: int) -> None:
        self.run = run
        self.iteration = iteration
        stored = run.stored
        self.numbers = stored.shapes[stored.index[iteration].shape].ops
        self.ops = run.timeline.listing(iteration).ops
        self.last: dict[str, Node] = {}
        self.tensors: dict[Node, TensorDefinition] = {}
        self.edges: list[Edge] = []
        for place, op in enumerate(self.ops):
            if op.phase in FORWARD and self.numbers[place] < ENTERS:
                self.add(place)

    def add(self, place: int) -> None:
        """One more op."""
        stored = self.run.stored
        op = stored.ops[self.numbers[place]]
        reads: list[Node] = []
        for number in op.reads:
            tensor = stored.tensors[number]
            node = self.last.get(tensor.name, (tensor.name, -1))
            self.tensors.setdefault(node, tensor)
            reads.append(node)
        for number in op.writes:
            tensor = stored.tensors[number]
            if tensor.role not in MADE:
                continue  # statistics that batch norm keeps are no result
            node = tensor.name, place
            self.tensors[node] = tensor
            for operand, start in enumerate(reads):
                if start != node:
                    self.edges.append(Edge(place, operand, start, node))
        for number in op.writes:
            name = stored.tensors[number].name
            if (name, place) in self.tensors:
                self.last[name] = name, place

    def find(self, name: str, denominator: bool) -> Node:
        """A tensor by name, or what a module reads or writes: ``layer1.0.in``, ``layer1.0.out``.

        Raises GradstepError where the iteration has none of that name.
        """
        resolved = self.run.resolve(name)
        found = [node for node in self.tensors if node[0] == resolved]
        if found:
            return found[0] if denominator else found[-1]
        module, _, side = name.rpartition(".")
        if module and side in ("in", "out"):
            places = self.first_call(module)
            inside = [edge for edge in self.edges if edge.place in places]
            if inside and side == "out":
                return inside[-1].end
            made = {edge.end for edge in inside}
            for edge in inside:
                kept = self.tensors[edge.start].role in ("parameter", "buffer")
                if edge.start not in made and not kept:
                    return edge.start
        names = list(dict.fromkeys(node[0] for node in self.tensors))
        raise GradstepError(
            f"no tensor {name!r} in iteration {self.iteration + 1}{suggestion(name, names)}"
        )

    def first_call(self, module: str) -> set[int]:
        """The places of the ops that a module runs when it is called first, those in a row."""
        found: set[int] = set()
        for op in self.ops:
            if in_module(op.layer, module) and op.phase in FORWARD:
                if found and op.index - 1 not in found:
                    break
                found.add(op.index)
        return found

    def between(self, wrt: Node, of: Node) -> list[Edge]:
        """The edges on paths from one tensor to another, in the order of the ops."""
        forwards, backwards = {wrt}, {of}
        for edge in self.edges:
            if edge.start in forwards:
                forwards.add(edge.end)
        for edge in reversed(self.edges):
            if edge.end in backwards:
                backwards.add(edge.start)
        both = forwards & backwards
        return [edge for edge in self.edges if edge.start in both and edge.end in both]


def jacobian(run: CapturedRun, iteration: int, of: str, wrt: str) -> Jacobian:
    """The Jacobian of a tensor by another one in an iteration; GradstepError where none leads."""
    graph = Graph(run, iteration)
    start, end = graph.find(wrt, True), graph.find(of, False)
    edges = graph.between(start, end)
    if start == end or not edges:
        raise GradstepError(
            f"nothing leads from {wrt} to {of} in iteration {iteration + 1}: the Jacobian is zero"
        )
    chain = tuple(
        factor(graph, edges, low, high) for low, high in reversed(pairs(shared(edges, start, end)))
    )
    rows, cols = graph.tensors[end], graph.tensors[start]
    values, why = gradient_values(graph, end, start)
    return Jacobian(
        of,
        wrt,
        iteration,
        rows.shape,
        cols.shape,
        chain,
        sample_dims(rows, cols, chain),
        max(rows.itemsize, cols.itemsize, 4),
        values,
        why,
    )


def pairs(nodes: Sequence[Node]) -> list[tuple[Node, Node]]:
    """Neighbours in a row."""
    return list(pairwise(nodes))


def shared(edges: Sequence[Edge], start: Node, end: Node) -> list[Node]:
    """The tensors that every path goes through, in their order."""
    into, out = counted(edges, start, end)
    total = into[end]
    order = [start, *dict.fromkeys(edge.end for edge in edges)]
    return [node for node in order if into.get(node, 0) * out.get(node, 0) == total]


def counted(
    edges: Sequence[Edge], start: Node, end: Node
) -> tuple[dict[Node, int], dict[Node, int]]:
    """How many paths there are to each tensor from the first, and from it to the last."""
    steps = list(dict.fromkeys((edge.start, edge.end, edge.place) for edge in edges))
    into, out = {start: 1}, {end: 1}
    for low, high, _ in steps:
        into[high] = into.get(high, 0) + into.get(low, 0)
    for low, high, _ in reversed(steps):
        out[low] = out.get(low, 0) + out.get(high, 0)
    return into, out


def factor(graph: Graph, edges: Sequence[Edge], low: Node, high: Node) -> Factor:
    """The factor between two tensors that all paths go through."""
    inside = [edge for edge in edges if low[1] < edge.place <= high[1]]
    inside = [edge for edge in inside if edge.start == low or edge.start[1] > low[1]]
    stored = graph.run.stored
    into, _ = counted(inside, low, high)
    paths = into.get(high, 1)
    kinds = []
    for edge in inside:
        op = stored.ops[graph.numbers[edge.place]]
        shapes = graph.tensors[edge.end].shape, graph.tensors[edge.start].shape
        kinds.append(structure(op, edge.operand, *shapes))
    words = kinds[0].words if len({edge.place for edge in inside}) == 1 else f"{paths} paths"
    if len({kind.words for kind in kinds}) > 1 and paths == 1:
        words = UNKNOWN
    places = dict.fromkeys(edge.place for edge in inside)
    return Factor(
        high[0],
        low[0],
        (graph.tensors[high].elements, graph.tensors[low].elements),
        words,
        paths,
        tuple(graph.ops[place].formula for place in places),
        all(kind.parallel for kind in kinds),
    )


def sample_dims(
    rows: TensorDefinition, cols: TensorDefinition, chain: Sequence[Factor]
) -> tuple[int, int] | None:
    """The dimensions for one sample; None where samples are coupled, or there are none.

    A parameter has no axis of samples, nor has a loss.
    """
    if not all(one.parallel for one in chain):
        return None
    of_samples = [
        one for one in (rows, cols) if one.role not in ("parameter", "loss") and one.shape
    ]
    sizes = {one.shape[0] for one in of_samples}
    if len(sizes) != 1 or not (count := sizes.pop()):
        return None
    first, second = (
        one.elements // count if one in of_samples else one.elements for one in (rows, cols)
    )
    return first, second


def gradient_values(graph: Graph, of: Node, wrt: Node) -> tuple[Array | None, str]:
    """The values of the Jacobian of the loss, which are a gradient; else why there are none."""
    run = graph.run
    if graph.tensors[of].elements != 1 or of[0] != run.loss:
        return None, "an op of a capture is not executed: dimensions and structure only"
    gradient = run.gradients.get(wrt[0])
    if gradient is None:
        return None, f"backward made no gradient of {wrt[0]}"
    begin, end = (run.timeline.begin(graph.iteration + i) for i in (0, 1))
    event = run.timeline.next(begin - 1, writes=gradient, phase=Phase.BACKWARD)
    if event is None or event >= end:
        return None, f"backward made no gradient of {wrt[0]} in this iteration"
    if badge_at(run, Journal(), event + 1, wrt[0]).kind != BadgeKind.FRESH:
        return None, f"the gradient of {wrt[0]} has another pass in it"
    again = run.timeline.next(event, writes=gradient, phase=Phase.BACKWARD)
    if again is not None and again < end:
        return None, f"several contributions make the gradient of {wrt[0]}"
    array = run.places.at(run.places.locate(event + 1, gradient))
    return array, "" if array is not None else f"{gradient} was not kept in full"
