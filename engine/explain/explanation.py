"""One number: the terms that make it, largest first where there are many, and what is to be said.

The value is the one that the op wrote. The terms are computed from what the op read, one by one:
where their sum is another number in its last digits, that is said.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.chain.query import complete_at
from engine.errors import GradstepError
from engine.explain.blame import blamed, culprit
from engine.explain.index_form import index_form, why_product
from engine.explain.known import definitions
from engine.explain.reading import AFTER, Reading, last_reading
from engine.explain.sources import Element
from engine.explain.terms import Expansion, Group, Part
from engine.explain.trees import Tree, tree_of
from engine.explain.values import Place, Values
from engine.explain.writing import (
    Scene,
    Writer,
    by_elements,
    element_text,
    number_text,
    operands,
)
from engine.formulas.tree import POSTFIX, PRODUCT
from engine.lines.node import Call, Node, Tensor
from engine.program.program import Program
from engine.run.phases import Phase
from engine.run.position_text import format_position
from engine.session.session import Session
from engine.wording import suggestion

SHOWN = 8  # terms; beyond that the rest is summed
DEEP = 3  # parts within parts that are explained with a number
PARTS = 4  # of one number
INDEXED = re.compile(r"(?P<name>.*\S)\s*\[(?P<index>[-\d,\s]*)\]\s*\Z", re.DOTALL)
SOURCES = {
    "input": "an input: the data give it",
    "target": "a target: the data give it",
    "parameter": "the initial value of a parameter: nothing has moved it yet",
    "constant": "a constant of the experiment",
    "hyper": "a number of the experiment",
    "slot": "what the optimizer keeps, before its first update",
}


@dataclass(frozen=True, eq=False)
class Operand:
    """A number that a term is made of, and the event before which it can be explained in turn.

    ``event`` is None for a part of the formula, which is among the parts of the explanation.
    """

    of: str
    value: float
    event: int | None
    tensor: str | None = None
    index: Place = ()


@dataclass(frozen=True, eq=False)
class Term:
    """One term: with its sign, as text, with the values put in, and its value."""

    sign: int
    text: str
    numbers: str
    value: float
    factors: tuple[Operand, ...]

    @property
    def signed(self) -> str:
        """The text with a minus sign where it has one."""
        return f"−{self.text}" if self.sign < 0 else self.text


@dataclass(frozen=True, eq=False)
class Explanation:
    """A number and its terms; ``rest`` is the sum of those ``hidden``, ``total`` that of all.

    Without an index there is no ``value``, and no terms: then it is the formula that is explained.
    ``parts`` are what the terms are made of that is no element of a tensor. ``event`` is that of
    the op which wrote the number, None where none has. ``notes`` are sentences.
    """

    of: str
    value: float | None = None
    formula: str = ""
    index_form: str = ""
    why: str = ""
    terms: tuple[Term, ...] = ()
    rest: float = 0.0
    hidden: int = 0
    total: float = 0.0
    event: int | None = None
    notes: tuple[str, ...] = ()
    parts: tuple["Explanation", ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The explanation as plain data."""
        terms = [
            {
                "text": term.signed,
                "factors": [{"of": one.of, "value": one.value} for one in term.factors],
                "value": term.value,
            }
            for term in self.terms
        ]
        return {
            "of": self.of,
            "value": self.value,
            "formula": self.formula,
            "index_form": self.index_form,
            "why": self.why,
            "terms": terms,
            "rest": self.rest,
            "hidden": self.hidden,
            "sum": self.total if self.terms else None,
            "event": self.event,
            "notes": list(self.notes),
            "parts": [part.as_json() for part in self.parts],
        }


def explain(session: Session, text: str) -> Explanation:
    """Explain ``z1[0,1]``, or the formula of ``z1``, as it is at the cursor, which stays there.

    Raises GradstepError for an unknown tensor, an index outside, or one that has no value yet.
    """
    name, place = asked(session, text)
    info = session.program.tensors[name]
    now = session.tensors.get(name)
    if now is None:
        raise GradstepError(f"{name} is not computed yet at {here(session)}")
    reading = last_reading(session, name)
    of = element_text(name, place or ())
    if reading is None:
        value = None if place is None else float(now[place])
        return Explanation(of, value, notes=(SOURCES.get(info.role, "nothing has written it"),))
    tree = tree_of(reading, name)
    found = Explanation(of, formula=reading.op.formula, event=reading.event)
    if tree is not None:
        found = in_general(found, reading, name, tree)
    if place is None:
        return found
    value = float(reading.after[name][place])
    if not same(value, float(now[place])):
        by_hand = f"set by hand: the op wrote {number_text(value)}"
        return replace(found, value=float(now[place]), notes=(by_hand,))
    found = replace(found, value=value)
    if tree is None:
        return replace(found, notes=(unexplained(reading, name),))
    return explained(found, reading, tree, place)


def in_general(found: Explanation, reading: Reading, name: str, tree: Tree) -> Explanation:
    """An explanation with what is true of every element of the tensor."""
    tensors, scene = reading.program.tensors, scene_of(reading, tree)
    return replace(
        found,
        index_form=index_form(tensors[name].symbol, name, tree.rule, scene, tensors),
        why=why_product(name, tree.rule, scene, tensors),
        notes=tuple(definitions(tree.rule)),
    )


def scene_of(reading: Reading, tree: Tree) -> Scene:
    """A tree with the values that the op read."""
    return Scene(Values(reading.value, reading.program.experiment.dtype), dict(tree.labels))


def here(session: Session) -> str:
    """The cursor's position in words that parse back."""
    return format_position(session.run, session.event)


def same(a: float, b: float) -> bool:
    """Whether two numbers are the same, NaN too."""
    return a == b or (np.isnan(a) and np.isnan(b))


def asked(session: Session, text: str) -> tuple[str, Place | None]:
    """The tensor and the index that a text names; None for all of a tensor with axes.

    The longest name wins: ``h[2]`` is a tensor where a line is called so.
    """
    program, tensors = session.program, session.program.tensors
    text = text.strip()
    name = own_name(program, text)
    if name in tensors:
        return name, None if shape_of(session, name) else ()
    match = INDEXED.match(text)
    name = own_name(program, match["name"]) if match else text
    if match is None or name not in tensors:
        known = [*tensors, *session.program.aliases]
        wanted = match["name"] if match else text
        raise GradstepError(f"there is no tensor {wanted!r}{suggestion(wanted, known)}")
    numbers = [part.strip() for part in match["index"].split(",") if part.strip()]
    if not all(re.fullmatch(r"-?\d{1,18}", number) for number in numbers):
        raise GradstepError(f"{text}: an index is whole numbers, {name}[0,1]")
    return name, checked(session, name, tuple(int(number) for number in numbers))


def own_name(program: Program, text: str) -> str:
    """A tensor's own name, also for a slot of an alias: ``W1.momentum``."""
    name = program.resolve(text)
    owner, _, slot = text.rpartition(".")
    return name if name in program.tensors or not owner else f"{program.resolve(owner)}.{slot}"


def shape_of(session: Session, name: str) -> Place:
    """The shape of a tensor: as it is now, or as it is declared."""
    now = session.tensors.get(name)
    return session.program.tensors[name].shape if now is None else now.shape


def checked(session: Session, name: str, index: Place) -> Place:
    """The place of one element; last axes of size 1 may be left out. Raises GradstepError."""
    shape = shape_of(session, name)
    missing = shape[len(index) :]
    if len(index) > len(shape) or any(size != 1 for size in missing):
        raise GradstepError(f"{name} has shape {shape}: one element has {len(shape)} indices")
    for i, size in zip(index, shape, strict=False):
        if not -size <= i < size:
            raise GradstepError(f"{name} has shape {shape}: there is no index {i}")
    whole = (*index, *(0 for _ in missing))
    return tuple(i % size for i, size in zip(whole, shape, strict=True))


def unexplained(reading: Reading, name: str) -> str:
    """Why a number has no terms."""
    if reading.op.phase == Phase.ZERO_GRAD:
        return "zero_grad sets it to 0"
    if reading.program.tensors[name].role == "mask":
        return "drawn by chance: 0 drops an element, any other number scales it up"
    return "no sum of terms: the op computes it as a whole"


def explained(found: Explanation, reading: Reading, tree: Tree, place: Place) -> Explanation:
    """An explanation with the terms of the element at a place."""
    return Explainer(reading, scene_of(reading, tree)).number(found, tree.root, place)


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
        made = replace(
            found,
            terms=tuple(term for term, _ in shown),
            rest=rest,
            hidden=hidden,
            total=total,
            notes=(*found.notes, *inner.notes(found, node, place, total)),
        )
        own = scene.through(node, place)
        parts = [one for _, units in shown for one in units if one != own]
        return replace(made, parts=tuple(inner.described(parts, depth)))

    def described(self, parts: list[Element], depth: int) -> Iterator[Explanation]:
        """Explanations of parts of terms, each once."""
        if depth >= DEEP:
            return
        for node, place in list(dict.fromkeys(parts))[:PARTS]:
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

    def notes(self, found: Explanation, node: Node, place: Place, total: float) -> Iterator[str]:
        """What is to be said of a sum: what makes it NaN or infinite, or the rounding."""
        value = found.value
        assert value is not None
        if not np.isfinite(value):
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


def explained_at(program: Program, text: str) -> int:
    """The event at which a tensor is explained by default, in the first iteration.

    It is before the update; where only the update writes the tensor, behind the op that does.
    """
    match = INDEXED.match(text)
    names = {own_name(program, one) for one in (text.strip(), match["name"] if match else "")}
    writing = [op for op in program.ops if names & set(op.writes)]
    if writing and all(op.phase == Phase.UPDATE for op in writing):
        return writing[-1].index + 1
    return complete_at(program)
