"""The graph of a network of lines: tensors, and which lines read them; paths and dominators.

Nodes are tensors by name; an edge leads from a line's tensor to each real one that it depends on.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from engine.arrays import Shape
from engine.lines.line import Line
from engine.lines.node import Call, Tensor, ordered, tensors
from engine.program.line_network import Graph


@dataclass(frozen=True, eq=False)
class LineGraph:
    """The lines of one size of batch by the tensor that they make."""

    graph: Graph

    @cached_property
    def lines(self) -> dict[str, Line]:
        """The line that makes each tensor, in the order of computing."""
        return {line.name: line for line in self.graph.lines}

    @cached_property
    def leaves(self) -> Mapping[str, dict[str, Tensor]]:
        """The real tensors that each line reads, by name."""
        return {
            line.name: {one.name: one for one in tensors(line.root) if one.kind == "real"}
            for line in self.graph.lines
        }

    @cached_property
    def shapes(self) -> Mapping[str, Shape]:
        """The shape of each tensor that a line makes or reads, of the whole batch."""
        found = {one.name: one.shape for line in self.graph.lines for one in tensors(line.root)}
        return found | {line.name: line.root.shape for line in self.graph.lines}

    @cached_property
    def sizes(self) -> Mapping[str, int]:
        """How many functions each line is made of."""
        return {
            line.name: sum(isinstance(node, Call) for node in ordered(line.root))
            for line in self.graph.lines
        }

    def between(self, of: str, wrt: str) -> tuple[str, ...]:
        """The tensors on paths from ``of`` back to ``wrt``, both included, ``of`` first.

        Empty where there is no path.
        """
        reached: set[str] = {wrt}
        for name, line in self.lines.items():
            if name != wrt and line.root.kind == "real" and reached & self.leaves[name].keys():
                reached.add(name)
        if of not in reached:
            return ()
        needed = {of}
        for name in reversed(self.lines):
            if name in needed and name != wrt:
                needed |= self.leaves[name].keys() & reached
        order = [name for name in reversed(self.lines) if name in needed and name != wrt]
        return (*order, wrt)


@dataclass(frozen=True, eq=False)
class Ways:
    """The paths from ``of`` back to ``wrt``: for each tensor on them the tensors it reads.

    ``edges`` is in the order of going back, ``of`` first; ``wrt`` has none.
    """

    of: str
    wrt: str
    edges: Mapping[str, tuple[str, ...]]

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """The number of paths from each tensor back to ``wrt``."""
        found = {self.wrt: 1}
        for name in reversed(list(self.edges)):
            found[name] = sum(found.get(one, 0) for one in self.edges[name])
        return found

    @cached_property
    def arriving(self) -> Mapping[str, int]:
        """The number of paths from ``of`` to each tensor."""
        found = {self.of: 1}
        for name, others in self.edges.items():
            for one in others:
                found[one] = found.get(one, 0) + found.get(name, 0)
        return found

    @property
    def count(self) -> int:
        """The number of paths."""
        return self.counts.get(self.of, 0)

    def paths(self) -> Iterator[tuple[str, ...]]:
        """Every path, its tensors from ``of`` to ``wrt``."""
        stack: list[tuple[str, ...]] = [(self.of,)]
        while stack:
            path = stack.pop()
            if path[-1] == self.wrt:
                yield path
                continue
            stack += [(*path, one) for one in reversed(self.edges[path[-1]]) if self.counts[one]]

    def shared(self) -> list[str]:
        """The tensors through which all paths go, both ends included, ``of`` first."""
        inner = [
            name
            for name in self.edges
            if self.counts[name] * self.arriving.get(name, 0) == self.count
        ]
        return [*inner, self.wrt] if self.of != self.wrt else [self.wrt]

    @cached_property
    def parts(self) -> tuple["Ways", ...]:
        """The paths between each two neighbours of those through which all go."""
        names, shared = list(self.edges), self.shared()
        # In the order of going back, what lies between two of them stands between them.
        at = {name: place for place, name in enumerate(names)}
        places = [*(at[name] for name in shared[:-1]), len(names)]
        return tuple(
            Ways(of, wrt, {name: self.edges[name] for name in names[start:stop]})
            for (of, wrt), (start, stop) in zip(pairwise(shared), pairwise(places), strict=True)
        )
