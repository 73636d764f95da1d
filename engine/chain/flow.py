"""VJPs and JVPs through the lines between two tensors, at the values of an iteration.

Accumulated in reverse topological order, or forward along it: no path is enumerated. Of one
sample, every tensor that has a row for each sample counts with this row alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

import numpy as np

from engine.arrays import Array, Shape
from engine.chain.findings import Facts, Kept
from engine.chain.line_graph import LineGraph, Ways
from engine.chain.primals import Primals
from engine.chain.ties import Dependence, dependence, identity
from engine.jacobian.form import Form
from engine.jacobian.linked import Linked
from engine.jacobian.links import Term, digits
from engine.jacobian.operator import Jacobian
from engine.jacobian.structures import Zero
from engine.jacobian.terms import count, restricted, tied
from engine.lines.derive import gradients, tangent
from engine.lines.node import Node, Tensor, tensor, tensors
from engine.lines.tape import Tape
from engine.program.line_compiler import own
from engine.program.line_network import Graph, LineNetwork
from engine.run.op import Compute

SEED = "∂"  # no line's name: a name is an identifier, with an index or a word after it


class Values(dict[str, Array]):
    """Tensors by name for a tape: seeds, and what is read from the primals when it is needed."""

    def __init__(self, read: Callable[[str], Array], seeds: Mapping[str, Array]) -> None:
        super().__init__(seeds)
        self.read = read

    def __missing__(self, name: str) -> Array:
        return self.read(name)


@dataclass(frozen=True, eq=False)
class Flow:
    """The derivatives of a network of lines at some primals.

    ``lasting`` is what holds at all primals of this graph, so that a step finds nothing out anew;
    ``own`` what holds at these alone.
    """

    primals: Primals
    graph: LineGraph
    lasting: Kept
    own: Kept = field(default_factory=Kept)
    known: dict[str, Array] = field(default_factory=dict)

    @property
    def common(self) -> Kept:
        """Where to keep what all edges may have a say in."""
        return self.own if self.lasting.by_value else self.lasting

    @cached_property
    def whole(self) -> Primals:
        """The primals of the whole batch."""
        return replace(self.primals, sample=None)

    def read(self, name: str) -> Array:
        """A tensor of the whole batch; read once."""
        if name not in self.known:
            self.known[name] = self.whole.read(name)
        return self.known[name]

    def value(self, node: Node) -> Array:
        """The value of a tree that needs no seed."""
        run = compiled(node, str(self.primals.dtype))
        return run(Values(self.read, {}))[0]

    # -- shapes and samples

    @property
    def samples(self) -> int:
        """The number of rows of the batch."""
        return self.whole.samples

    def by_sample(self, name: str) -> bool:
        """Whether the first axis of a tensor is that of the samples."""
        return self.primals.program.tensors[name].per_sample

    def full_shape(self, name: str) -> Shape:
        """The shape of a tensor of the whole batch."""
        return self.graph.shapes.get(name) or self.whole.shape(name)

    def shape(self, name: str) -> Shape:
        """The shape in a Jacobian; of one sample without the batch axis."""
        full = self.full_shape(name)
        return full[1:] if self.primals.sample is not None and self.by_sample(name) else full

    def spread(self, name: str, value: Array) -> Array:
        """A tensor of one sample among zeros for all others."""
        full = self.full_shape(name)
        if self.primals.sample is None or not self.by_sample(name):
            return value.reshape(full)
        out = np.zeros(full, value.dtype)
        out[self.primals.sample] = value
        return out

    def picked(self, name: str, value: Array) -> Array:
        """The row of the sample, where there is one for each."""
        if self.primals.sample is None or not self.by_sample(name):
            return value
        out: Array = value[self.primals.sample]
        return out

    def kept(self, name: str, value: Array) -> Array:
        """A tensor of the batch with zeros for all samples but the one."""
        if self.primals.sample is None or not self.by_sample(name):
            return value
        return self.spread(name, self.picked(name, value))

    # -- products

    def pull(self, ways: Ways, v: Array) -> Array:
        """v J of the tensors at both ends, over all paths."""
        grads = {ways.of: self.spread(ways.of, v)}
        for name, others in ways.edges.items():
            grad = grads.pop(name, None)
            if grad is None:
                continue
            for other, run in self.pulls(name, others).items():
                (found,) = run(Values(self.read, {SEED: grad}))
                found = self.kept(other, found)
                grads[other] = grads[other] + found if other in grads else found
        back = grads.get(ways.wrt)
        if back is None:
            back = np.zeros(self.full_shape(ways.wrt), self.primals.dtype)
        return self.picked(ways.wrt, back)

    def push(self, ways: Ways, u: Array) -> Array:
        """J u, the same forward; raises NotImplementedError where a function has no JVP."""
        along = {ways.wrt: self.spread(ways.wrt, u)}
        for name in reversed(list(ways.edges)):
            seeds = {other: along[other] for other in ways.edges[name] if other in along}
            found = self.pushed(name, seeds)
            if found is not None:
                along[name] = self.kept(name, found)
        front = along.get(ways.of)
        if front is None:
            front = np.zeros(self.full_shape(ways.of), self.primals.dtype)
        return self.picked(ways.of, front)

    def pulls(self, name: str, others: tuple[str, ...]) -> dict[str, Compute]:
        """What computes the gradient of each tensor that a line reads, from that of its own."""
        line = self.graph.lines[name]
        # A loss may not be computed yet where all that it reads is.
        mine = None if name == self.primals.program.loss else own(line)
        wanted = tuple(self.graph.leaves[name][other] for other in others)
        return pulling(line.root, mine, wanted, str(self.primals.dtype))

    def pushed(self, name: str, seeds: Mapping[str, Array]) -> Array | None:
        """The tangent of a line's tensor from those of what it reads."""
        leaves = tuple(self.graph.leaves[name][other] for other in seeds)
        run = pushing(self.graph.lines[name].root, leaves, str(self.primals.dtype))
        if run is None:
            return None
        tangents = {SEED + other: value for other, value in seeds.items()}
        return run(Values(self.read, tangents))[0]

    # -- operators

    def edge(self, name: str, other: str) -> Dependence | None:
        """How the tensor of a line depends on one that it reads; None where it does not."""
        key = name, other
        for kept in (self.lasting, self.own):
            if key in kept.edges:
                return kept.edges[key]
        leaf, root = self.graph.leaves[name][other], self.graph.lines[name].root
        kept = self.lasting

        def value(node: Node) -> Array:
            nonlocal kept
            if any(True for _ in tensors(node)):
                kept = self.own
                self.lasting.by_value.add(key)
            return self.value(node)

        made = dependence(root, {leaf: identity(leaf.shape)}, value)
        kept.edges[key] = made
        return made

    def depends(self, ways: Ways) -> Dependence | None:
        """Where the Jacobian of both ends can be non-zero, of the whole batch."""
        for kept in (self.lasting, self.own):
            if ways in kept.depends:
                return kept.depends[ways]
        found = self.dependence(ways)
        self.common.depends[ways] = found
        return found

    def dependence(self, ways: Ways) -> Dependence | None:
        """The same, found along the way."""
        found: dict[str, Dependence] = {ways.wrt: identity(self.full_shape(ways.wrt))}
        for name in reversed(list(ways.edges)):
            total: Dependence | None = None
            for other in ways.edges[name]:
                edge = self.edge(name, other)
                here = edge.after(found[other]) if edge and other in found else None
                if here is not None:
                    total = here if total is None else total.plus(here)
            if total is not None:
                found[name] = total
        return found.get(ways.of)

    def work(self, ways: Ways) -> int:
        """Multiply-adds of one VJP: the structural non-zeros of every line on the way."""
        key = ways, self.primals.sample is None  # of any one sample as many
        for kept in (self.lasting, self.own):
            if key in kept.work:
                return kept.work[key]
        found = self.common.work[key] = self.counted(ways)
        return found

    def counted(self, ways: Ways) -> int:
        """The same, counted."""
        return sum(
            count(term)
            for name, others in ways.edges.items()
            for other in others
            for term in self.terms(self.edge(name, other), name, other)
        )

    def terms(self, made: Dependence | None, of: str, wrt: str) -> tuple[Term, ...]:
        """The terms of a dependence; of one sample, at its row."""
        sample = self.primals.sample
        every = made.terms if made is not None else ()
        if sample is None:
            return every
        row, col = (
            digits(self.full_shape(name))[0] if self.by_sample(name) else None for name in (of, wrt)
        )
        parts = (restricted(term, row, col, sample) for term in every)
        return tuple(one for one in parts if one is not None)

    def facts(self, ways: Ways) -> Facts | None:
        """What is known of the Jacobian over all paths without its values; None of a zero."""
        key = ways, self.primals.sample
        for kept in (self.lasting, self.own):
            if key in kept.facts:
                return kept.facts[key]
        made = self.depends(ways)
        terms = self.terms(made, ways.of, ways.wrt)
        found = None
        if made is not None and terms:
            both = self.by_sample(ways.of) and self.by_sample(ways.wrt)
            samples = self.samples if both and self.primals.sample is None else 1
            shapes = self.shape(ways.of), self.shape(ways.wrt)
            form = Form(*shapes, terms, made.unit, samples)
            steps = sum(1 + self.graph.sizes[name] for name in ways.edges)
            found = Facts(form, self.work(ways), steps)
        self.common.facts[key] = found
        return found

    def jacobian(self, ways: Ways) -> Jacobian:
        """The Jacobian of both ends over all paths, as an operator."""
        of, wrt = ways.of, ways.wrt
        shapes = self.shape(of), self.shape(wrt)
        facts = self.facts(ways)
        if facts is None:
            return Zero(*shapes, self.primals.dtype)
        return Linked(
            *shapes,
            self.primals.dtype,
            facts.form,
            facts.work,
            facts.steps,
            lambda v: self.pull(ways, v),
            lambda u: self.push(ways, u),
        )

    # -- paths

    def line(self, of: str, wrt: str) -> Ways:
        """The one path of a line from its tensor to one that it reads."""
        found = self.lasting.lines.get((of, wrt))
        if found is None:
            found = self.lasting.lines[of, wrt] = Ways(of, wrt, {of: (wrt,)})
        return found

    def ways(self, of: str, wrt: str) -> Ways | None:
        """All paths between two tensors along which something depends; None where there is none."""
        for kept in (self.lasting, self.own):
            if (of, wrt) in kept.ways:
                return kept.ways[of, wrt]
        found = self.paths(of, wrt)
        self.common.ways[of, wrt] = found
        return found

    def paths(self, of: str, wrt: str) -> Ways | None:
        """The same, looked for."""
        order = self.graph.between(of, wrt)
        inside = set(order)
        edges: dict[str, tuple[str, ...]] = {}
        live = {wrt}
        for name in reversed(order[:-1]):
            near = [other for other in self.graph.leaves[name] if other in live & inside]
            kept = [other for other in near if self.edge(name, other) is not None]
            if kept:
                edges[name] = tuple(kept)
                live.add(name)
        if of not in live or of == wrt:
            return None
        reached = {of}
        for name in order[:-1]:
            if name in reached:
                reached |= set(edges.get(name, ()))
        return Ways(of, wrt, {name: edges[name] for name in order[:-1] if name in reached})

    def mixing(self, ways: Ways) -> str:
        """The tensor that mixes the samples on the way; empty where each stays by itself."""
        for kept in (self.lasting, self.own):
            if ways in kept.mixing:
                return kept.mixing[ways]
        found = self.mixer(ways)
        self.common.mixing[ways] = found
        return found

    def mixer(self, ways: Ways) -> str:
        """The same, looked for."""
        below = {ways.wrt} if self.by_sample(ways.wrt) else set()
        for name in reversed(list(ways.edges)):
            for other in ways.edges[name]:
                if self.by_sample(name) and self.by_sample(other):
                    made = self.edge(name, other)
                    row, col = (digits(self.full_shape(one))[0] for one in (name, other))
                    if made is not None and not all(tied(t, row, col) for t in made.terms):
                        return name
                elif self.by_sample(name) and other in below:
                    return other
            if self.by_sample(name) or below & set(ways.edges[name]):
                below.add(name)
        return ""


@lru_cache(maxsize=4096)
def compiled(root: Node, dtype: str) -> Compute:
    """What computes one tree."""
    return Tape([root], dtype).compute(root)


@lru_cache(maxsize=4096)
def pulling(
    root: Node, mine: Tensor | None, wanted: tuple[Tensor, ...], dtype: str
) -> dict[str, Compute]:
    """The gradients of a tree from that of its result, a tape for all."""
    grads = gradients(root, tensor(SEED, root.shape), wanted, mine)
    tape = Tape(list(grads.values()), dtype)
    return {one.name: tape.compute(grad) for one, grad in grads.items()}


@lru_cache(maxsize=4096)
def pushing(root: Node, leaves: tuple[Tensor, ...], dtype: str) -> Compute | None:
    """The tangent of a tree from those of some of its tensors; None where it is zero."""
    along = tangent(root, {one: tensor(SEED + one.name, one.shape) for one in leaves})
    return None if along is None else Tape([along], dtype).compute(along)


@lru_cache(maxsize=4)
def ground(graph: Graph) -> tuple[LineGraph, Kept]:
    """The graph of some lines, and what is found out about it in the course of a run."""
    return LineGraph(graph), Kept()


# The sum over the paths asks for it several times, and so does a screen.
@lru_cache(maxsize=4)
def flow(primals: Primals, network: LineNetwork) -> Flow:
    """The derivatives of the lines of this size of batch at some primals."""
    rows = len(primals.tensors["x"])
    return Flow(primals, *ground(network.graphs.get(rows, network.graph)))
