"""A number of a session explained: the op that wrote it, its equation, and its terms."""

from dataclasses import replace

import numpy as np

from engine.errors import GradstepError
from engine.explain.asked import asked
from engine.explain.explainer import Explainer, same
from engine.explain.explanation import Explanation, Operand
from engine.explain.index_form import index_form, why_product
from engine.explain.reading import Reading, at, last_reading
from engine.explain.trees import Tree, tree_of
from engine.explain.values import Place, Values
from engine.explain.writing import Scene, definitions, element_text, number_text
from engine.run.phases import Phase
from engine.run.position_text import format_position
from engine.session.session import Session

SOURCES = {
    "input": "an input: the data give it",
    "target": "a target: the data give it",
    "parameter": "the initial value of a parameter: nothing has moved it yet",
    "constant": "a constant of the experiment",
    "hyper": "a number of the experiment",
    "slot": "what the optimizer keeps, before its first update",
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


def unexplained(reading: Reading, name: str) -> str:
    """Why a number has no terms."""
    if reading.op.phase == Phase.ZERO_GRAD:
        return "zero_grad sets it to 0"
    if reading.program.tensors[name].role == "mask":
        return "drawn by chance: 0 drops an element, any other number scales it up"
    return "no sum of terms: the op computes it as a whole"


def explained(found: Explanation, reading: Reading, tree: Tree, place: Place) -> Explanation:
    """An explanation with the terms of the element at a place."""
    with np.errstate(all="ignore"):  # what overflows is a number to explain
        return Explainer(reading, scene_of(reading, tree)).number(found, tree.root, place)


def explain_operand(session: Session, operand: Operand) -> Explanation:
    """Explain a number that a term is made of, as it was where it was read; the cursor stays.

    Raises GradstepError for a part of a formula, which is no tensor's.
    """
    if operand.event is None:
        raise GradstepError(f"{operand.of} is a part of the formula: it is explained below it")
    with at(session, operand.event):
        return explain(session, operand.of)
