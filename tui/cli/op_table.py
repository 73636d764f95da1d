"""Ops as a table for people: one row an op, the phase by heading and colour."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from engine.arrays import Shape
from engine.program.program import Program
from engine.run.op import Op
from engine.run.phases import CODE, Phase
from tui.render.text.clean import clean
from tui.render.text.numbers import shape_text

STYLES: dict[Phase, str] = {
    Phase.ZERO_GRAD: "yellow",
    Phase.FORWARD: "green",
    Phase.LOSS: "magenta",
    Phase.BACKWARD: "cyan",
    Phase.UPDATE: "blue",
}
HEADINGS = ("#", "op", "formula", "shape", "loss")
GAP = 2
LONGEST_OP = 32
SHORTEST_FORMULA = 16


@dataclass(frozen=True)
class OpTable:
    """The widths of the columns, so that tables printed one after the other are aligned."""

    widths: tuple[int, ...]
    headings: tuple[str, ...]
    inputs: bool

    @classmethod
    def fitting(cls, program: Program, width: int, last_event: int, loss: int = 0) -> "OpTable":
        """Widths for a program; the formula takes what is left. ``loss`` 0: no such column.

        Where the formulas need the room, forward shows no shapes of inputs.
        """
        number = max(2, len(str(last_event)))
        name = min(LONGEST_OP, max(cell_len(op.name) for op in program.ops))
        formula = max(cell_len(op.formula) for op in program.ops)
        for inputs in (True, False):
            shape = max(5, *(len(shapes(program, op, inputs)) for op in program.ops))
            fixed = (number, name, shape, loss) if loss else (number, name, shape)
            room = width - sum(fixed) - GAP * len(fixed)
            if formula <= room:
                break
        widths = (number, name, max(SHORTEST_FORMULA, min(room, formula)), *fixed[2:])
        return cls(widths, HEADINGS[: len(widths)], inputs)

    @property
    def indent(self) -> int:
        """Where the column after the number begins."""
        return self.widths[0] + GAP

    def empty(self, show_header: bool = False) -> Table:
        """A table of these columns without rows."""
        table = Table(
            box=None, show_header=show_header, header_style="dim", padding=(0, GAP, 0, 0),
            pad_edge=False,
        )  # fmt: skip
        for heading, width in zip(self.headings, self.widths, strict=True):
            right = heading in ("#", "loss")
            table.add_column(
                heading, width=width, justify="right" if right else "left", overflow="fold"
            )
        return table

    def header(self) -> Table:
        """A table of the headings alone."""
        return self.empty(show_header=True)

    def heading(self, phase: Phase) -> Text:
        """The line above the ops of a phase: its name and what it is in PyTorch."""
        line = Text(" " * self.indent)
        line.append(phase, style=f"bold {STYLES[phase]}")
        return line.append(f"  {CODE[phase]}", style="dim")

    def row(self, table: Table, phase: Phase, cells: Sequence[str]) -> None:
        """Add the row of an op, whose phase gives the colour."""
        texts = [Text(clean(cell)) for cell in cells]
        texts[0].stylize("dim")
        texts[1].stylize(STYLES[phase])
        table.add_row(*texts)


def shapes(program: Program, op: Op, inputs: bool, written: Shape | None = None) -> str:
    """The shape of what an op writes; forward can show the shape of its input before it.

    A line has several inputs or none, which its formula names: it shows what it writes alone.
    """
    shape = program.tensors[op.writes[0]].shape if written is None else written
    if op.phase != Phase.FORWARD or not inputs or not program.network.nodes:
        return shape_text(shape)
    columns = program.tensors[op.reads[0]].shape[1:]
    return f"{shape_text((*shape[:1], *columns))} → {shape_text(shape)}"
