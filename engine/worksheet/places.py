"""Where the rows of a worksheet happen: the op of each."""

from engine.program.graph import GRADIENT
from engine.program.program import Program
from engine.run.phases import Phase
from engine.worksheet.rows import Element, Forward, Gradient, Step

Row = Step | Forward | Gradient | Element


def op_of(program: Program, row: Row) -> int | None:
    """The index of the op that does what a row says, in an iteration; None where there is none.

    A step begins with its first op; a gradient is whole behind the last op that adds to it; an
    element is a factor of what flows back through it.
    """
    match row:
        case Step(phase):
            found = [op.index for op in program.ops if op.phase == phase]
            return found[0] if found else None
        case Forward():
            written = program.loss if row.symbol.name == "ℓ" else named(program, row.symbol.name)
            return last_writing(program, written, (Phase.FORWARD, Phase.LOSS))
        case Gradient():
            return last_writing(program, row.parameter + GRADIENT, (Phase.BACKWARD,))
        case Element():
            of = named(program, row.symbol.wrt)
            return last_writing(program, f"{of}{GRADIENT}" if of else None, (Phase.BACKWARD,))


def named(program: Program, symbol: str) -> str | None:
    """The tensor of a symbol."""
    return next((name for name, one in program.tensors.items() if one.symbol == symbol), None)


def last_writing(program: Program, tensor: str | None, phases: tuple[Phase, ...]) -> int | None:
    """The last op of these phases that writes a tensor."""
    found = [op.index for op in program.ops if op.phase in phases and tensor in op.writes]
    return found[-1] if found else None
