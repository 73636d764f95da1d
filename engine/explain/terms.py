"""The terms that one element is the sum of, each a product of factors."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from engine.arrays import Array
from engine.explain.addends import addends, sums
from engine.explain.known import definition
from engine.explain.sources import Element, fit
from engine.explain.values import Place
from engine.explain.writing import Scene, by_elements, operands
from engine.lines.algebra import DIFFERENCE, NEGATIVE, PRODUCT, RATIO, SUM
from engine.lines.node import Call, Node
from engine.lines.reductions import MEAN, TOTAL

FOLDED = 4096  # addends of which each may be taken apart in turn


@dataclass(frozen=True, eq=False)
class Part:
    """A factor of a term: an element, or what stands ``below`` it in a fraction."""

    node: Node
    place: Place
    below: bool = False


@dataclass(frozen=True, eq=False)
class Product:
    """A product with its sign."""

    sign: int
    parts: tuple[Part, ...]

    def times(self, other: "Product") -> "Product":
        """Both in one."""
        return Product(self.sign * other.sign, (*self.parts, *other.parts))


@dataclass(frozen=True, eq=False)
class Group:
    """Terms that are made alike: their values, (count,), and the product of each on demand."""

    values: Array
    product: Callable[[int], Product]


class Expansion:
    """The terms of the elements of one scene."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    def of(self, node: Node, place: Place) -> list[Group]:
        """The terms of an element that is explained: its definition's where it has one."""
        node, place = self.scene.through(node, place)
        if isinstance(node, Call) and not sums(node) and not by_elements(node):
            better = self.scene.factors(node) or definition(node)
            if better is not None:
                return self.expand(better, place)
        return self.expand(node, place)

    def expand(self, node: Node, place: Place, sign: int = 1) -> list[Group]:
        """The terms of an element with a sign."""
        node, place = self.scene.through(node, place)
        if isinstance(node, Call) and node not in self.scene.labels:
            if node.function in (SUM, DIFFERENCE, NEGATIVE):
                return self.added(node, place, sign)
            if node.function in (PRODUCT, RATIO):
                return self.multiplied(node, place, sign)
            if (found := self.scene.factors(node)) is not None:
                return self.expand(found, place, sign)
            if sums(node):
                return self.summed(node, place, sign)
        return [self.single(node, place, sign)]

    def added(self, node: Call, place: Place, sign: int) -> list[Group]:
        """The terms of a sum or a difference."""
        signs = {SUM: (sign, sign), DIFFERENCE: (sign, -sign), NEGATIVE: (-sign,)}[node.function]
        groups = []
        for one, s in zip(node.operands, signs, strict=True):
            groups += self.expand(one, fit(place, one.shape), s)
        return groups

    def single(self, node: Node, place: Place, sign: int) -> Group:
        """One term."""
        found = self.product(node, place)
        value = np.array([sign * self.scene.values.at(node, place)])
        return Group(value, lambda _: Product(sign * found.sign, found.parts))

    def summed(self, node: Call, place: Place, sign: int) -> list[Group]:
        """The terms of a sum over many; of a sum of sums those of the inner ones."""
        found = addends(node, place, self.scene.values)
        assert found is not None
        if node.function in (TOTAL, MEAN) and 0 < len(found.values) <= FOLDED:
            inner, _ = self.scene.through(*found.factors(0)[-1])
            if isinstance(inner, Call) and inner.function in (TOTAL, MEAN):
                return [group for k in range(len(found.values))
                        for group in self.scaled(found.factors(k), sign)]  # fmt: skip

        def product(k: int) -> Product:
            made = Product(sign, ())
            for element in found.factors(k):
                made = made.times(self.product(*element))
            return made

        return [Group(sign * found.values.astype(np.float64), product)]

    def scaled(self, factors: tuple[Element, ...], sign: int) -> Iterator[Group]:
        """The terms of the last factor, each times those before it."""
        *others, many = factors
        yield from self.distributed(others, self.expand(*many, sign))

    def multiplied(self, node: Call, place: Place, sign: int) -> list[Group]:
        """The terms of a product, or a quotient, one of whose factors is a sum over many."""
        left, right = operands(node, place)
        many = [self.contracted(*left), node.function is PRODUCT and self.contracted(*right)]
        if sum(many) != 1:
            return [self.single(node, place, sign)]
        one, other = (left, right) if many[0] else (right, left)
        groups = self.expand(*one, sign)
        return list(self.distributed([other], groups, below=node.function is RATIO))

    def distributed(
        self, others: list[Element], groups: list[Group], below: bool = False
    ) -> Iterator[Group]:
        """Groups times, or divided by, the same factors."""
        common, factor = Product(1, ()), np.float64(1)
        for element in others:
            made = Product(1, (Part(*element, True),)) if below else self.product(*element)
            common, value = common.times(made), self.scene.values.at(*element)
            with np.errstate(all="ignore"):
                factor = factor / value if below else factor * value
        for group in groups:
            yield self.joined(group, common, factor, below)

    @staticmethod
    def joined(group: Group, common: Product, factor: np.float64, below: bool) -> Group:
        """A group times a product of this value."""

        def product(k: int) -> Product:
            own = group.product(k)
            return own.times(common) if below else common.times(own)

        with np.errstate(all="ignore"):
            return Group(group.values * factor, product)

    def contracted(self, node: Node, place: Place) -> bool:
        """Whether an element is a sum over many, or a multiple of one."""
        node, place = self.scene.through(node, place)
        if node in self.scene.labels or not isinstance(node, Call):
            return False
        if sums(node):
            return True
        if node.function in (PRODUCT, NEGATIVE):
            return any(self.contracted(*one) for one in operands(node, place))
        if node.function is RATIO:
            return self.contracted(*operands(node, place)[0])
        better = self.scene.factors(node)
        return better is not None and self.contracted(better, place)

    def product(self, node: Node, place: Place) -> Product:
        """The factors of an element; one that is no product is its own factor."""
        node, place = self.scene.through(node, place)
        if isinstance(node, Call) and node not in self.scene.labels:
            if node.function is NEGATIVE:
                inner = self.product(*operands(node, place)[0])
                return Product(-inner.sign, inner.parts)
            if node.function is PRODUCT:
                left, right = operands(node, place)
                return self.product(*left).times(self.product(*right))
            if node.function is RATIO:
                above, below = operands(node, place)
                made = self.product(*above)
                return Product(made.sign, (*made.parts, Part(*below, True)))
            if (found := self.scene.factors(node)) is not None and found is not node:
                return self.product(found, place)
        return Product(1, (Part(node, place),))
