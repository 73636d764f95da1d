"""A run without a history: what every state must be, by executing everything from the beginning."""

from collections.abc import Mapping

import numpy as np

from engine.arrays import Array
from engine.program.program import Program
from engine.run.drive import run_iteration
from engine.session.edits import edited_tensor
from engine.session.journal import Journal

States = list[dict[str, Array]]


def plain_run(program: Program, journal: Journal | None = None) -> States:
    """The tensors at every cursor position from 0 on, with the journal's edits and skips."""
    tensors = dict(program.initial())
    states: States = []
    ops = len(program.ops)
    journal = Journal() if journal is None else journal
    for event in range(program.timeline.end + 1):
        if event % ops == 0 and event < program.timeline.end:
            tensors = tensors | program.batch(event // ops)
        for edit in journal.edits.get(event, ()):
            name, value = edited_tensor(edit, program, tensors)
            tensors = tensors | {name: value}
        states.append(tensors)
        if event == program.timeline.end:
            break
        op = program.ops[event % ops]
        if not journal.skipped(op.phase, op.name, event):
            with np.errstate(all="ignore"):
                tensors = tensors | dict(zip(op.writes, op.run(tensors), strict=False))
    return states


def trained(program: Program, iterations: int) -> Mapping[str, Array]:
    """The tensors after some iterations."""
    tensors = program.initial()
    for number in range(iterations):
        tensors = run_iteration(program, tensors, number)
    return tensors


def same_tensors(left: Mapping[str, Array], right: Mapping[str, Array]) -> bool:
    """Whether two states are the same, bit by bit."""
    return left.keys() == right.keys() and all(
        left[name].dtype == right[name].dtype
        and left[name].shape == right[name].shape
        and left[name].tobytes() == right[name].tobytes()
        for name in left
    )
