"""Ops without what a lesson hides of them."""

import re
from dataclasses import replace

from engine.lesson.hidden import Hidden
from engine.run.op import Op
from tui.view.shown_op import ShownOp

UNKNOWN = "?"
SIDES = re.compile(r"(?P<left>.*?)\s*(?P<sign>\+=|=|←)", re.DOTALL)


def shown_without(shown: ShownOp | None, hidden: Hidden, place: int) -> ShownOp | None:
    """The op that is looked at without what is hidden: its right side, its operands."""
    if shown is None or not hidden:
        return shown
    operands = {n: a for n, a in shown.operands.items() if not hidden.hides_cells(n)}
    # One of an earlier iteration stands before all that are to come.
    at = shown.op.index + 1 if shown.earlier else place
    return replace(shown, op=op_without(shown.op, hidden, at), operands=operands)


def op_without(op: Op, hidden: Hidden, place: int) -> Op:
    """An op without what is hidden of it."""
    if hidden.next_op and op.index >= place:
        return replace(op, label=UNKNOWN, formula=UNKNOWN, reads=(), writes=())
    if hidden.hides_formula(op):
        return replace(op, label=left_side(op.label), formula=left_side(op.formula))
    return op


def left_side(formula: str) -> str:
    """A formula with a question mark for its right side."""
    found = SIDES.match(formula)
    return UNKNOWN if found is None else f"{found['left']} {found['sign']} {UNKNOWN}"
