"""The program as the PyTorch training loop: which line of their own code a person is in."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.program.program import Program
from engine.run.op import Op
from engine.run.phases import Phase
from tui.render.text.line import Line, fitted
from tui.view.snapshot import View

if TYPE_CHECKING:
    from engine.pytorch.code import CodeLine


@dataclass(frozen=True)
class CodeRow:
    """A line of code, and the op that it stands for: the first of its phase or layer."""

    code: "CodeLine"
    op: Op | None


def code_rows(program: Program) -> list[CodeRow]:
    """The lines of the program's training loop in PyTorch, with their ops."""
    from engine.pytorch.code import training_code  # few look at it, and none at first

    return [CodeRow(code, first_op(program, code)) for code in training_code(program)]


def first_op(program: Program, code: "CodeLine") -> Op | None:
    """The first op of a line's phase, or the forward op of its layer; None where it has neither."""
    for op in program.ops:
        if code.phase is not None and op.phase == code.phase:
            return op
        if code.layer is not None and op.layer == code.layer and op.phase == Phase.FORWARD:
            return op
    return None


def code_line(view: View, row: CodeRow, width: int, selected: bool) -> Line:
    """One line: ▶ the phase about to run, ▹ its layer, ✓ done, ● ○ a breakpoint on or off."""
    code, op = row.code, view.op
    current = op is not None and code.phase == op.phase
    inside = op is not None and code.layer is not None and code.layer == op.layer
    done = op is None or (row.op is not None and row.op.index < op.index)
    mark = "▶" if current else "▹" if inside else "✓" if code.phase and done else " "
    stop = view.signs.stops.get(row.op.index) if row.op is not None else None
    gutter = {None: " ", True: "●", False: "○"}[stop]
    role = f"phase-{code.phase}" if code.phase and not code.skipped else ""
    role = "current" if current else "dim" if code.skipped else role
    line = fitted(
        [
            (gutter, "bad" if stop else "dim"),
            (mark, "key" if current or inside else "dim"),
            (f" {code.text}", role),
        ],
        width,
    )
    return [(text, "cursor" if selected else span) for text, span in line]
