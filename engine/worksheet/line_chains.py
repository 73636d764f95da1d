"""Gradients of lines as sums of chains: a product of Jacobians for every way back from the loss.

With one way it is the product of a homework. With several they are added: skip connections, shared
weights, steps of time. Where they are many, the gradient of each line has a row of its own, as
backward computes it, and the ways end at its name.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np

from engine.arrays import Array
from engine.formulas.tree import Formula, Partial, Symbol, Transpose
from engine.lines.node import Tensor, tensors
from engine.worksheet.letters import ONE, flat
from engine.worksheet.line_jacobians import Edge, pass_value, product_rule
from engine.worksheet.line_sample import LOSS, LineSample, evaluated, symbol_of, written
from engine.worksheet.rows import Factor, Gradient, Key, in_numerator, ready, turned
from engine.worksheet.sample import Dims

MANY = 8  # paths: more are folded
DEEP = 24  # Jacobians of a path: longer ones are folded too


@dataclass(frozen=True, eq=False)
class Numbered:
    """A factor with its value, a matrix; None where that is too large."""

    factor: Factor
    value: Array | None
    edge: Edge | None = None


@dataclass(frozen=True, eq=False)
class Way:
    """One product: its factors in numerator layout.

    ``whole`` is one that is a row over all elements of a tensor, in their order.
    """

    numbered: tuple[Numbered, ...]
    whole: bool = False

    @property
    def factors(self) -> tuple[Factor, ...]:
        """The factors."""
        return tuple(one.factor for one in self.numbered)

    def gradient(self, like: Tensor) -> Array | None:
        """The product as an array of the shape of what it is the gradient of."""
        values = [one.value for one in self.numbered]
        if any(value is None for value in values):
            return None
        with np.errstate(all="ignore"):
            product = reduce(np.matmul, (value for value in values if value is not None))
        return product.reshape(like.shape) if self.whole else product.T.reshape(like.shape)


@dataclass(frozen=True, eq=False)
class Chains:
    """The gradients of the lines of a sample, or of a batch."""

    at: LineSample

    @cached_property
    def wanted(self) -> tuple[str, ...]:
        """The names of what has a row: the parameters, and x and y where they are asked for."""
        found = [one.name for one in self.at.network.parameters_]
        if self.at.program.experiment.training.input_gradient:
            found += [name for name in ("x", "y") if name in self.real]
        return tuple(name for name in found)

    @cached_property
    def real(self) -> set[str]:
        """The names of the tensors that hold real numbers."""
        return {name for name, one in self.at.leaves.items() if one.kind == "real"}

    @cached_property
    def learned(self) -> set[str]:
        """What depends on something wanted."""
        found = set(self.wanted)
        for line in self.at.lines:
            reads = {one.name for one in tensors(line.root)} & self.real
            if line.root.kind == "real" and reads & found:
                found.add(line.name)
        return found

    @cached_property
    def edges(self) -> dict[str, list[Edge]]:
        """For each tensor the lines that read it, as Jacobians; the loss comes last."""
        found: dict[str, list[Edge]] = {}
        reached = {LOSS}
        for line in reversed(self.at.lines):
            if line.name not in reached:
                continue
            for one in tensors(line.root):
                if one.name in self.learned and one.kind == "real":
                    reached.add(one.name)
                    found.setdefault(one.name, []).append(Edge(self.at, line, one))
        return found

    def uses(self, name: str) -> list[Edge]:
        """The lines that read a tensor, the last one first."""
        return self.edges.get(name, [])

    @cached_property
    def counts(self) -> dict[str, int]:
        """The number of ways from the loss to each tensor."""
        found = {LOSS: 1}
        names = [line.name for line in reversed(self.at.lines)][1:]
        for name in (*names, *(w for w in self.wanted if w not in names)):
            found[name] = sum(found.get(edge.line.name, 0) for edge in self.uses(name))
        return found

    @cached_property
    def depths(self) -> dict[str, int]:
        """The number of Jacobians of the longest way from the loss to each tensor."""
        found = {LOSS: 0}
        names = [line.name for line in reversed(self.at.lines)][1:]
        for name in (*names, *(w for w in self.wanted if w not in names)):
            above = [found[edge.line.name] for edge in self.uses(name)]
            found[name] = 1 + max(above, default=0)
        return found

    @cached_property
    def grads(self) -> dict[str, Array]:
        """The gradient of the loss by every tensor, in numbers, as backward makes it."""
        found: dict[str, Array] = {LOSS: np.ones(())}
        names = [line.name for line in reversed(self.at.lines)][1:]
        for name in (*names, *(w for w in self.wanted if w not in names)):
            parts = [self.flowing(edge, found) for edge in self.uses(name)]
            if parts:
                found[name] = reduce(np.add, parts)
        return found

    def flowing(self, edge: Edge, found: dict[str, Array]) -> Array:
        """What flows back along one edge."""
        if edge.of_loss:
            with np.errstate(all="ignore"):
                return edge.filled(evaluated(edge.pull, self.at.values))
        return edge.back(found[edge.line.name])

    def ways(self, name: str, folds: bool) -> Iterator[Way]:
        """The products that are added: one for each way, or for each use where it ``folds``."""
        for edge in self.uses(name):
            if edge.of_loss:
                yield self.direct(edge)
                continue
            fronts = [(self.top(edge.line.name),)] if folds else self.fronts(edge.line.name)
            for front in fronts:
                yield self.ended(front, edge)

    def fronts(self, name: str) -> Iterator[tuple[Numbered, ...]]:
        """The Jacobians along each way from the loss to a line, in numerator layout."""
        for edge in self.uses(name):
            if edge.of_loss:
                yield (self.of(edge),)
            else:
                for front in self.fronts(edge.line.name):
                    yield (*front, self.of(edge))

    def top(self, name: str) -> Numbered:
        """∂ℓ/∂a of a line, with the gradient that backward has there as its value."""
        partial = Partial("ℓ", symbol_of(name).text())
        dims = (ONE, flat(self.at.sizes(name)))
        edges = self.uses(name)
        only = edges[0] if len(edges) == 1 and edges[0].of_loss else None
        factor = Factor(partial, partial, partial.of, partial.wrt, dims)
        return Numbered(factor, self.grads[name].reshape(1, -1), only)

    def of(self, edge: Edge) -> Numbered:
        """The Jacobian of one line by another; that which is a matrix is written so."""
        partial = Partial(symbol_of(edge.line.name).text(), symbol_of(edge.wrt.name).text())
        rule = edge.rule
        bare = rule.inner if isinstance(rule, Transpose) else rule
        shown: Formula = rule if isinstance(bare, Symbol) and not edge.of_loss else partial
        factor = Factor(shown, shown, partial.of, partial.wrt, edge.dims)
        return Numbered(factor, edge.value, edge)

    def direct(self, edge: Edge) -> Way:
        """What the loss line itself has of a parameter, a penalty: its derivative as it is."""
        pull, shape = edge.pull, edge.wrt.shape
        if len(shape) > 2 or edge.at.index is None:
            return Way((self.of(edge),), whole=True)
        formula = written(pull)
        sizes = self.at.sizes(edge.wrt.name)
        dims = (sizes[1], sizes[0]) if len(shape) == 2 else (ONE, flat(sizes))
        value = edge.filled(evaluated(pull, self.at.values))
        shown = turned(formula) if len(shape) == 2 else formula
        factor = Factor(shown, shown, "ℓ", symbol_of(edge.wrt.name).text(), dims)
        return Way((Numbered(factor, value.T if len(shape) == 2 else value.reshape(1, -1), edge),))

    def ended(self, front: tuple[Numbered, ...], edge: Edge) -> Way:
        """A way that ends at what is asked for."""
        name = edge.wrt.name
        if edge.matrix is not None and edge.before is not None:
            inner = (*front, *self.through(edge))
            if edge.matrix[1]:
                back = tuple(transposed(one) for one in reversed(inner))
                return Way((*back, transposed(self.given(edge))))
            return Way((self.given(edge), *inner))
        alone = edge.before == () and edge.is_product and name in self.wanted
        if alone and name not in ("x", "y"):
            return Way(front, whole=True)
        return Way((*front, self.of(edge)), whole=True)

    def given(self, edge: Edge) -> Numbered:
        """The input that stands first in the gradient of a weight, (n×1)."""
        assert edge.matrix is not None
        node, _ = edge.matrix
        symbol, full = written(node), written(self.at.expanded(node))
        of, wrt = symbol_of(edge.line.name).text(), symbol_of(edge.wrt.name).text()
        sizes = self.at.sizes(edge.wrt.name)
        size = sizes[0] if edge.matrix[1] else sizes[-1]
        value = evaluated(node, self.at.values)
        return Numbered(Factor(full, symbol, of, wrt, (size, ONE)), value, None)

    def through(self, edge: Edge) -> tuple[Numbered, ...]:
        """What stands between ∂ℓ/∂a and the weight where the line is more than the product."""
        if not edge.before:
            return ()
        rule = product_rule(edge.before, edge.size, by_cases=False)
        value = pass_value(edge.before, self.at.values, edge.line.root.shape[0])
        of, wrt = symbol_of(edge.line.name).text(), symbol_of(edge.wrt.name).text()
        sizes = self.at.sizes(edge.wrt.name)
        assert edge.matrix is not None
        size = sizes[-1] if edge.matrix[1] else sizes[0]
        return (Numbered(Factor(rule, rule, of, wrt, (edge.size, size)), value, edge),)

    def row(self, key: Key, name: str, folds: bool, own: tuple[Formula, ...]) -> Gradient:
        """The row of one tensor; 0 where no way leads to it."""
        one = self.at.leaves[name]
        ways = list(self.ways(name, folds))
        total: Array | None = np.zeros(one.shape)
        for way in ways:
            part = way.gradient(one)
            total = None if part is None or total is None else total + part
        numerator = ways[0].factors if ways else ()
        more = tuple(way.factors for way in ways[1:])
        value = None if total is None else in_numerator(total)
        size = self.size(name)
        symbol, found = symbol_of(name), ready(value)
        return Gradient(key, name, symbol, numerator, found, more, size, own, total)

    def size(self, name: str) -> Dims:
        """The size of a gradient in numerator layout: of a matrix the transpose, else a row."""
        sizes = self.at.sizes(name)
        return (sizes[1], sizes[0]) if len(sizes) == 2 else (ONE, flat(sizes))

    @cached_property
    def folded(self) -> tuple[str, ...]:
        """The names of the lines whose gradients have a row, in the order of backward."""
        pending = [name for name in self.wanted if self.folds(name)]
        found: set[str] = set()
        while pending:
            for edge in self.uses(pending.pop()):
                name = edge.line.name
                if name not in found and not edge.of_loss:
                    found.add(name)
                    pending += [name] if self.folds(name) else []
        names = [line.name for line in reversed(self.at.lines)]
        return tuple(name for name in names if name in found and not self.is_top(name))

    def is_top(self, name: str) -> bool:
        """Whether the loss alone reads a line: its gradient is a factor and needs no row."""
        return all(edge.of_loss for edge in self.uses(name))

    def folds(self, name: str) -> bool:
        """Whether the ways to a tensor end at the lines that use it."""
        return self.counts.get(name, 0) > MANY or self.depths.get(name, 0) > DEEP


def transposed(one: Numbered) -> Numbered:
    """A factor and its value, transposed."""
    value = None if one.value is None else one.value.T
    return Numbered(one.factor.transposed(), value, one.edge)


def edges_of(ways: Iterable[Way]) -> Iterator[Edge]:
    """The Jacobians that products consist of, from the loss on."""
    for way in ways:
        for one in way.numbered:
            if one.edge is not None:
                yield one.edge
