"""The forward and loss ops of a captured iteration as a graph of versions of tensors."""

from dataclasses import dataclass
from typing import Final
from weakref import WeakKeyDictionary

from engine.capture.captured import CapturedRun
from engine.capture.definitions import ENTERS
from engine.capture.messages import TensorDefinition
from engine.errors import GradstepError
from engine.run.code_places import in_module
from engine.run.phases import Phase
from engine.wording import suggestion

FORWARD: Final = (Phase.FORWARD, Phase.LOSS)
MADE: Final = ("activation", "loss")
WHOLE: Final = frozenset(["bool", "uint8", "int8", "int16", "int32", "int64"])  # no derivative
MOST_GRAPHS: Final = 4  # that are kept of a run: iterations of one shape share one
Node = tuple[str, int]
"""A version of a tensor: its name, and the place of the op that made it; −1 before the first."""


@dataclass(frozen=True)
class Edge:
    """An op between two versions: the result by one of its operands."""

    place: int
    operand: int
    start: Node
    end: Node


class Graph:
    """The forward and loss ops of iterations of one shape, as a graph of versions of tensors."""

    def __init__(self, run: CapturedRun, iteration: int) -> None:
        stored = self.stored = run.stored
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
        stored = self.stored
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
                if start != node and self.tensors[start].dtype not in WHOLE:
                    self.edges.append(Edge(place, operand, start, node))
        for number in op.writes:
            name = stored.tensors[number].name
            if (name, place) in self.tensors:
                self.last[name] = name, place

    def find(self, run: CapturedRun, name: str, denominator: bool, iteration: int) -> Node:
        """A tensor by name, or what a module reads or writes: ``layer1.0.in``, ``layer1.0.out``.

        Raises GradstepError where there is none of that name; ``iteration`` is for that message.
        """
        resolved = run.resolve(name)
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
            f"no tensor {name!r} in iteration {iteration + 1}{suggestion(name, names)}"
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

    def goal(self, start: Node) -> Node:
        """The last single number that is made of a tensor, the loss of its pass; else itself."""
        reached = {start}
        for edge in self.edges:
            if edge.start in reached:
                reached.add(edge.end)
        numbers = [edge.end for edge in self.edges if edge.end in reached]
        return next((n for n in reversed(numbers) if self.tensors[n].elements == 1), start)

    def pair(self, run: CapturedRun, tensor: str) -> tuple[str, str]:
        """The derivative that a tensor means: the loss by it, an activation by what it is made of.

        A gradient or a slot means the loss by its parameter.
        """
        info = run.tensors[tensor]
        shown = info.gradient_of or info.slot_of or tensor
        loss = run.loss or ""
        if shown != tensor or info.role != "activation":
            return loss, shown
        kept = ("parameter", "buffer")
        into = [edge.start for edge in self.edges if edge.end[0] == tensor]
        made = [node for node in into if self.tensors[node].role not in kept]
        first = next(iter((*made, *into)), None)
        return (loss, shown) if first is None else (tensor, first[0])

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


# A graph does not refer to its run: else the run would never be let go.
_graphs: WeakKeyDictionary[CapturedRun, dict[int, Graph]] = WeakKeyDictionary()


def graph_of(run: CapturedRun, iteration: int) -> Graph:
    """The graph of an iteration; iterations with the same ops share one."""
    graphs = _graphs.setdefault(run, {})
    shape = run.stored.index[iteration].shape
    graph = graphs.get(shape)
    # The iteration under way has a shape of its own, which grows.
    if graph is None or graph.numbers != run.stored.shapes[shape].ops:
        graphs.pop(shape, None)
        while len(graphs) >= MOST_GRAPHS:
            del graphs[next(iter(graphs))]
        graph = graphs[shape] = Graph(run, iteration)
    return graph
