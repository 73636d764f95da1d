"""What makes a number NaN or infinite: the part of the formula whose own operands are not."""

import numpy as np

from engine.explain.addends import addends
from engine.explain.known import definition
from engine.explain.sources import Element
from engine.explain.values import Place
from engine.explain.writing import Scene, Writer, by_elements, number_text, operands
from engine.formulas.tree import SUM
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
    if found is None:
        return []
    worst = np.flatnonzero(~np.isfinite(found.values))[:1]
    return [element for k in worst for element in found.factors(int(k))]


def blamed(scene: Scene, node: Node, place: Place) -> str:
    """Which part of a formula makes a number NaN or infinite, in words."""
    value = number_text(scene.values.at(node, place))
    said = Writer(scene).at((node, place), SUM)
    if isinstance(node, Tensor):
        return f"{said} is {value} already"
    numbers = Writer(scene, numbers=True).at((node, place), SUM)
    return (
        f"{said} makes it so: {numbers} is {value}" if numbers != value else f"{said} makes it so"
    )
