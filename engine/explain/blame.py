"""What makes a number NaN or infinite: the part of the formula whose own operands are not."""

import numpy as np

from engine.explain.addends import Addends, addends
from engine.explain.known import definition
from engine.explain.sources import Element
from engine.explain.values import Place
from engine.explain.writing import Scene, Writer, by_elements, number_text, operands
from engine.formulas.tree import PRODUCT, SUM
from engine.lines.node import Call, Node, Tensor


def culprit(scene: Scene, node: Node, place: Place) -> Element:
    """The first part that makes an element what it is: a tensor's, or a call of sound operands.

    What makes NaN is looked for below NaN alone: of 0·∞ it is the product, and not ∞.
    """
    while True:
        node, place = scene.through(node, place)
        below = next(
            (one for one in made_of(scene, node, place) if bad(scene, node, place, one)), None
        )
        if below is None:
            return node, place
        node, place = below


def bad(scene: Scene, node: Node, place: Place, part: Element) -> bool:
    """Whether a part is NaN as the whole is, or not finite where that is infinite."""
    value = scene.values.at(*part)
    return bool(np.isnan(value) if np.isnan(scene.values.at(node, place)) else np.isinf(value))


def made_of(scene: Scene, node: Node, place: Place) -> list[Element]:
    """The elements that an element is computed from, as far as they are known."""
    if not isinstance(node, Call):
        return []
    if by_elements(node):
        return operands(node, place)
    if (better := scene.factors(node) or definition(node)) is not None:
        return [(better, place)]
    found = addends(node, place, scene.values)
    worst = None if found is None else worst_of(found, scene.values.at(node, place))
    return [] if found is None or worst is None else list(found.factors(worst))


def worst_of(found: Addends, value: float) -> int | None:
    """The first addend that is NaN, or infinite, as the sum is; None where none is."""
    same = np.isnan(found.values) if np.isnan(value) else np.isinf(found.values)
    return int(np.argmax(same)) if same.any() else None


def blamed(scene: Scene, node: Node, place: Place) -> str:
    """Which part of a formula makes a number NaN or infinite, in words."""
    found = addends(node, place, scene.values)
    if found is not None:
        return blamed_sum(scene, node, place, found)
    return put(scene, [(node, place)], scene.values.at(node, place))


def blamed_sum(scene: Scene, node: Node, place: Place, found: Addends) -> str:
    """As :func:`blamed`, of a sum: one of its addends, or two that have no sum."""
    worst = worst_of(found, scene.values.at(node, place))
    if worst is not None:
        return put(scene, list(found.factors(worst)), float(found.values[worst]))
    if np.isinf(found.values).any():
        return "∞ and −∞ are added up"
    return "the sum of all terms is too large for the dtype"


def put(scene: Scene, factors: list[Element], value: float) -> str:
    """A product that makes a number so, with its values put in."""
    level = PRODUCT if len(factors) > 1 else SUM
    text, numbers = (
        "·".join(Writer(scene, put_in).at(one, level) for one in factors)
        for put_in in (False, True)
    )
    said = number_text(value)
    if len(factors) == 1 and isinstance(factors[0][0], Tensor):
        return f"{text} is {said} already"
    return f"{text} makes it so: {numbers} is {said}"
