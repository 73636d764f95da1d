"""The Jacobian between two tensors of a captured iteration: dimensions, structure, chain.

The ops of forward and loss make a graph without cycles, of versions of tensors. Its paths from one
tensor to another are folded where all of them meet: between two such tensors stands one factor.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Protocol

from engine.arrays import Array, Shape
from engine.capture.captured import CapturedRun
from engine.capture.graph import Edge, Graph, Node, graph_of
from engine.capture.kinds import UNKNOWN, structure
from engine.capture.known import Unknown
from engine.capture.lines import nested
from engine.capture.messages import TensorDefinition
from engine.capture.pulled import MOST_ELEMENTS, pulled
from engine.errors import GradstepError
from engine.run.phases import Phase
from engine.session.badges import BadgeKind, badge_at
from engine.session.journal import Journal

WINDOW: Final = 8  # rows and columns of values that are given
MOST_WORK: Final = 2**33  # multiply-adds of a window that is printed


class Numbers(Protocol):
    """The numbers of a Jacobian; ``cost`` is what a row takes, in multiply-adds."""

    @property
    def cost(self) -> int: ...

    def window(self, rows: range, cols: range) -> Array:
        """Those of some rows and columns, (rows, cols)."""


@dataclass(frozen=True, eq=False)
class Gradient:
    """The numbers of a single row: the gradient that backward has left."""

    array: Array
    cost: int = 0

    def window(self, rows: range, cols: range) -> Array:
        """Those of some rows and columns, (rows, cols)."""
        return self.array.reshape(1, -1)[rows.start : rows.stop, cols.start : cols.stop]


@dataclass(frozen=True)
class Factor:
    """A factor of the chain: the result by what it is made of, over so many ``paths``.

    ``sample_dims`` are those of one sample, where it leaves the samples by themselves.
    """

    of: str
    wrt: str
    dims: tuple[int, int]
    structure: str
    paths: int
    ops: tuple[str, ...]
    parallel: bool
    sample_dims: tuple[int, int] | None = None

    @property
    def name(self) -> str:
        """``∂log_softmax/∂fc2.linear``."""
        return f"∂{self.of}/∂{self.wrt}"


@dataclass(frozen=True)
class Jacobian:
    """What is known of the Jacobian of a tensor by another one in an iteration.

    ``sample_dims`` are those of one sample, where every factor leaves the samples by themselves.
    ``numbers`` are there where backward has left a gradient of the loss, which are ``values`` in
    the shape of the denominator, or where the engine knows every op between and its operands were
    kept; else ``why_not`` says why.
    """

    of: str
    wrt: str
    iteration: int
    row_shape: Shape
    col_shape: Shape
    chain: tuple[Factor, ...]
    sample_dims: tuple[int, int] | None
    itemsize: int
    numbers: Numbers | None = None
    values: Array | None = None
    why_not: str = ""

    @property
    def dims(self) -> tuple[int, int]:
        """Elements of the numerator, and of the denominator."""
        return math.prod(self.row_shape), math.prod(self.col_shape)

    @property
    def too_much(self) -> str:
        """Why a window of numbers is not computed; empty where it is."""
        if self.numbers is None:
            return ""
        work = min(WINDOW, self.dims[0]) * self.numbers.cost
        return f"{work:,} multiply-adds for {WINDOW} rows" if work > MOST_WORK else ""

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
        if self.numbers is not None and not self.too_much:
            rows, cols = (range(min(WINDOW, size)) for size in self.dims)
            values = nested(self.numbers.window(rows, cols))
            window = {"rows": [0, len(rows)], "cols": [0, len(cols)], "values": values}
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
            "missing": self.too_much or self.why_not,
        }


CLOSED: Final = {"diagonal", "permutation", "block-diagonal"}


def jacobian(
    run: CapturedRun, iteration: int, of: str, wrt: str, most: int = MOST_ELEMENTS
) -> Jacobian:
    """The Jacobian of a tensor by another one in an iteration; GradstepError where none leads.

    Numbers are made of operands that have ``most`` elements together.
    """
    graph = graph_of(run, iteration)
    start, end = graph.find(run, wrt, True, iteration), graph.find(run, of, False, iteration)
    edges = graph.between(start, end)
    if not edges and run.resolve(of) == run.loss:  # that of another pass of this iteration
        end = graph.goal(start)
        edges = graph.between(start, end)
    if start == end or not edges:
        raise GradstepError(
            f"nothing leads from {wrt} to {of} in iteration {iteration + 1}: the Jacobian is zero"
        )
    chain = tuple(
        factor(graph, edges, low, high) for low, high in reversed(pairs(shared(edges, start, end)))
    )
    rows, cols = graph.tensors[end], graph.tensors[start]
    values, why = gradient_values(run, graph, iteration, (start, end))
    numbers: Numbers | None = None if values is None else Gradient(values)
    if numbers is None:
        numbers, why = from_operands(run, iteration, graph, edges, (start, end), why, most)
    return Jacobian(
        of,
        wrt,
        iteration,
        rows.shape,
        cols.shape,
        chain,
        sample_dims(rows, cols) if all(one.parallel for one in chain) else None,
        max(rows.itemsize, cols.itemsize, 4),
        numbers,
        values,
        why,
    )


def from_operands(
    run: CapturedRun,
    iteration: int,
    graph: Graph,
    edges: Sequence[Edge],
    ends: tuple[Node, Node],
    why: str,
    most: int,
) -> tuple[Numbers | None, str]:
    """The numbers made of stored operands, or why there are none; ``why`` is known."""
    try:
        found = pulled(run, iteration, graph, edges, ends, most)
    except Unknown as problem:
        return None, f"{why}; {problem}" if why else str(problem)
    return found, ""


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
    stored = graph.stored
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
    parallel = all(kind.parallel for kind in kinds)
    return Factor(
        high[0],
        low[0],
        (graph.tensors[high].elements, graph.tensors[low].elements),
        words,
        paths,
        tuple(graph.ops[place].formula for place in places),
        parallel,
        sample_dims(graph.tensors[high], graph.tensors[low]) if parallel else None,
    )


def sample_dims(rows: TensorDefinition, cols: TensorDefinition) -> tuple[int, int] | None:
    """The dimensions for one sample; None where there are none.

    A parameter has no axis of samples, nor has a loss.
    """
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


def gradient_values(
    run: CapturedRun, graph: Graph, iteration: int, ends: tuple[Node, Node]
) -> tuple[Array | None, str]:
    """The values of the Jacobian of the loss, which are a gradient; else why there are none."""
    wrt, of = ends
    if graph.tensors[of].elements != 1 or of[0] != run.loss:
        return None, ""
    gradient = run.gradients.get(wrt[0])
    if gradient is None:
        return None, f"backward made no gradient of {wrt[0]}"
    begin, end = (run.timeline.begin(iteration + i) for i in (0, 1))
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
