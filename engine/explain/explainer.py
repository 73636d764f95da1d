"""The terms of an element of a tree, each with its text, its factors and the parts of it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.explain.blame import blamed, culprit
from engine.explain.explanation import Explanation, Operand, Term
from engine.explain.reading import AFTER, Reading
from engine.explain.sources import Element
from engine.explain.terms import Expansion, Group, Part
from engine.explain.values import Place
from engine.explain.writing import Scene, Writer, by_elements, element_text, number_text, operands
from engine.formulas.tree import POSTFIX, PRODUCT
from engine.lines.node import Call, Node, Tensor

SHOWN = 8  # terms; beyond that the rest is summed
DEEP = 3  # parts within parts that are explained with a number
PARTS = 4  # of one number


@dataclass(eq=False)
class Explainer:
    """Explains elements of one op's tree."""

    reading: Reading
    scene: Scene

    def number(self, found: Explanation, node: Node, place: Place, depth: int = 0) -> Explanation:
        """An explanation with the terms of an element, and its parts."""
        scene = self.scene
        labels = {part: label for part, label in scene.labels.items() if part is not node}
        inner = Explainer(self.reading, replace(scene, labels=labels))
        groups = Expansion(inner.scene).of(node, place)
        values = np.concatenate([group.values for group in groups])
        chosen = leading(values)
        shown = [inner.term(groups, k) for k in chosen]
        hidden = len(values) - len(chosen)
        rest = float(np.sum(np.delete(values, chosen))) if hidden else 0.0
        total = float(sum(term.value for term, _ in shown) + rest)
        terms = tuple(term for term, _ in shown)
        made = replace(found, terms=terms, rest=rest, hidden=hidden, total=total)
        made = replace(made, notes=(*found.notes, *inner.notes(made, node, place)))
        own = scene.through(node, place)
        parts = [one for _, units in shown for one in units if one != own]
        return replace(made, parts=tuple(inner.described(parts, depth)))

    def described(self, parts: list[Element], depth: int) -> Iterator[Explanation]:
        """Explanations of parts of terms; of several elements of one formula the first."""
        first: dict[Node, Place] = {}
        for node, place in parts if depth < DEEP else ():
            first.setdefault(node, place)
        for node, place in list(first.items())[:PARTS]:
            value = self.scene.values.at(node, place)
            made = Explanation(self.scene.unit(node, place), value)
            yield self.number(made, node, place, depth + 1)

    def term(self, groups: list[Group], number: int) -> tuple[Term, list[Element]]:
        """The term of this number among those of all groups, and its parts that are no tensors."""
        for group in groups:
            if number < len(group.values):
                break
            number -= len(group.values)
        product = group.product(number)
        factors: dict[str, Operand] = {}
        units: list[Element] = []
        for part in product.parts:
            self.collect(part.node, part.place, factors, units)
        text, numbers = (
            written(product.parts, Writer(self.scene, with_numbers))
            for with_numbers in (False, True)
        )
        value = float(group.values[number])
        return Term(product.sign, text, numbers, value, tuple(factors.values())), units

    def collect(
        self, node: Node, place: Place, factors: dict[str, Operand], units: list[Element]
    ) -> None:
        """The elements of tensors below a factor, and the parts that are sums of their own."""
        node, place = self.scene.through(node, place)
        if isinstance(node, Tensor):
            name = node.name.removesuffix(AFTER)
            of = element_text(name, place)
            value = self.scene.values.at(node, place)
            event = self.reading.event + (node.name != name)
            factors.setdefault(of, Operand(of, value, event, name, place))
        elif (product := self.scene.factors(node)) is not None:
            self.collect(product, place, factors, units)
        elif isinstance(node, Call):
            if by_elements(node) and node not in self.scene.labels:
                for one in operands(node, place):
                    self.collect(*one, factors, units)
                return
            of = self.scene.unit(node, place)
            factors.setdefault(of, Operand(of, self.scene.values.at(node, place), None))
            units.append((node, place))

    def notes(self, found: Explanation, node: Node, place: Place) -> Iterator[str]:
        """What is to be said of a sum: what makes it NaN or infinite, or the rounding."""
        value, total = found.value, found.total
        assert value is not None
        if not found.terms:
            yield "nothing adds to it: it is 0"
        elif not np.isfinite(value):
            yield blamed(self.scene, *culprit(self.scene, node, place))
        elif not same(total, value) and not same(rounded(total, self.scene), value):
            yield (
                f"the terms add up to {total!r}, the number is {value!r}: "
                f"rounding, {number_text(abs(total - value))}"
            )


def rounded(value: float, scene: Scene) -> float:
    """A number in the dtype of the experiment."""
    with np.errstate(all="ignore"):
        return float(scene.values.dtype.type(value))


def leading(values: np.ndarray[Any, Any]) -> list[int]:
    """Which terms are shown: all in their order, or the largest first; what is not finite leads."""
    if len(values) <= SHOWN:
        return list(range(len(values)))
    sizes = np.where(np.isnan(values), np.inf, np.abs(values))
    return [int(k) for k in np.argsort(-sizes, kind="stable")[:SHOWN]]


def written(parts: tuple[Part, ...], writer: Writer) -> str:
    """A product as text; what divides stands behind a slash."""
    above = [writer.at((p.node, p.place), PRODUCT) for p in parts if not p.below]
    below = [writer.at((p.node, p.place), POSTFIX) for p in parts if p.below]
    return "/".join(["·".join(above) or "1", *below])


def same(a: float, b: float) -> bool:
    """Whether two numbers are the same, NaN too."""
    return a == b or (np.isnan(a) and np.isnan(b))
