"""One op whole: its formula, under every factor its size, and under that its numbers.

A factor stands in a column as wide as what is under it. Numbers are shown where they fit, fewer
digits and columns of them where all do not; what is transposed in the formula is transposed here.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rich.cells import cell_len

from engine.program.program import Program
from engine.run.op import Op
from engine.run.run import Run
from engine.run.timeline import Listing
from tui.render.formula_roles import coloured, tensor_role
from tui.render.operands import Block, blocks_of
from tui.render.text.line import Line, centred, fitted, spread, width_of
from tui.render.text.numbers import compact, dims_text, shape_text
from tui.render.variables import Summaries
from tui.view.shown_op import ShownOp, Standing
from tui.view.snapshot import View

MARKS = {Standing.DONE: "✓", Standing.NEXT: "▶", Standing.COMING: "·", Standing.SKIPPED: "⊘"}
FEW_ROWS, MOST_ROWS = 4, 8  # of an operand: where there is little room, and at most
GRID = 6  # lines that the result needs: its columns, four rows, a scrollbar
LOW = 15  # lines of a pane below which the head of the result has two
MARGIN = 3  # the mark and the blanks around it
TURNED = re.compile(r"\)?(ᵀ|\.T\b)")
BEHIND = re.compile(r"(\.T\b|[ᵀ⁺²ₙ])+")
ORIGINS = {
    "input": "the data give it: it enters with every iteration",
    "target": "the data give it: it enters with every iteration",
    "parameter": "its first value: no op has moved it yet",
    "constant": "a constant of the experiment: no op writes it",
    "hyper": "a number of the experiment: no op has moved it",
    "buffer": "its first value: no op has moved it yet",
}


@dataclass(frozen=True)
class Piece:
    """A part of a formula: a tensor by its ``name``, or what stands between.

    ``size`` is a letter that stands for a number; ``turned``: the tensor is transposed here, and
    ``first`` is where it stands first.
    """

    text: str
    role: str = ""
    name: str = ""
    size: str = ""
    turned: bool = False
    first: bool = False


def op_lines(view: View, width: int, height: int, summaries: Summaries) -> list[Line]:
    """The op that is looked at, in at most ``height`` lines; where no op wrote it, its origin."""
    shown = view.shown
    if shown is None:
        said = ORIGINS.get(view.info.role, "") if view.array is not None else ""
        return [fitted([(f"   {said}", "dim")], width)]
    pieces = pieces_of(view.run, shown.op, width - MARGIN)
    blocks = blocks_of(view, shown, pieces_shown(pieces), height - 2, summaries)
    sizes = sizes_of(view, shown, pieces)
    least = [max(cell_len(p.text), cell_len(s)) for p, s in zip(pieces, sizes, strict=True)]
    if sum(least) > width - MARGIN:
        return plain_lines(view, shown, width)
    return laid_out(shown, pieces, sizes, fitting(pieces, least, blocks, width), width, height)


def pieces_shown(pieces: Sequence[Piece]) -> dict[str, bool]:
    """The tensors that the op reads with whether they stand transposed where they stand first."""
    return {one.name: one.turned for one in pieces if one.first}


def fitting(
    pieces: Sequence[Piece], least: Sequence[int], blocks: Mapping[str, Sequence[Block]], width: int
) -> list[tuple[int, Block | None]]:
    """The width of each piece and the numbers under it: the widest give way until all fit."""
    levels = dict.fromkeys((one.name for one in pieces if one.first and one.name in blocks), 0)
    while True:
        found: list[tuple[int, Block | None]] = []
        over: dict[str, tuple[bool, int]] = {}
        for piece, size in zip(pieces, least, strict=True):
            each = blocks.get(piece.name, ()) if piece.first else ()
            block = each[levels[piece.name]] if each and levels[piece.name] < len(each) else None
            found.append((max(size, block.width if block else 0), block))
            if block and block.width > size:  # those go first of which a smaller corner is left
                over[piece.name] = levels[piece.name] + 1 < len(each), block.width - size
        if not over or sum(size for size, _ in found) + MARGIN <= width:
            return found
        levels[max(over, key=over.__getitem__)] += 1


def laid_out(
    shown: ShownOp,
    pieces: Sequence[Piece],
    sizes: Sequence[str],
    fit: Sequence[tuple[int, Block | None]],
    width: int,
    height: int,
) -> list[Line]:
    """The formula in columns, the sizes under it, and the numbers under these."""
    role = "key" if shown.standing == Standing.NEXT else "good"
    top: Line = [(f" {MARKS[shown.standing]} ", role)]
    under: Line = [(" " * MARGIN, "")]
    rows: list[Line] = [[(" " * MARGIN, "")] for _ in range(max(0, height - 2))]
    for piece, size, (wide, block) in zip(pieces, sizes, fit, strict=True):
        top.append((centred(piece.text, wide), piece.role))
        under.append((centred(size, wide), "shape"))
        for y, row in enumerate(rows):
            text = block.rows[y] if block and y < len(block.rows) else ""
            row.append((centred(text, wide), block.role if block else ""))
    used = max((len(block.rows) for _, block in fit if block), default=0)
    return [fitted(one, width) for one in (top, under, *rows[:used])]


def plain_lines(view: View, shown: ShownOp, width: int) -> list[Line]:
    """A formula that is too long for columns; under it the shapes of what it reads and writes."""
    role = "key" if shown.standing == Standing.NEXT else "good"
    top: Line = [
        (f" {MARKS[shown.standing]} ", role),
        *coloured(view.run, shown.op.formula, ""),
    ]
    names = [name for name in shown.op.reads if view.run.tensors[name].role != "hyper"]
    read = "  ".join(
        f"{view.run.tensors[name].symbol} {dims_text(shape_of(view, name, shown))}"
        for name in names
    )
    written = " ".join(dims_text(shape_of(view, n, shown)) for n in shown.op.writes[:1])
    under: Line = [("   ", ""), (written, "shape"), (f"  from {read}" if read else "", "dim")]
    return [fitted(top, width), fitted(under, width)]


def sizes_of(view: View, shown: ShownOp, pieces: Sequence[Piece]) -> list[str]:
    """What stands under each piece: the size of a tensor, a number itself, what a letter means."""
    found = []
    for piece in pieces:
        if piece.size:
            found.append(str(letters(view).get(piece.size, "")))
        elif not piece.name:
            found.append("")
        else:
            found.append(size_of(view, shown, piece))
    return found


def size_of(view: View, shown: ShownOp, piece: Piece) -> str:
    """The size of a tensor as it stands in the formula; of a number that is read its value."""
    shape = shape_of(view, piece.name, shown)
    value = shown.operands.get(piece.name)
    if not shape:
        return "" if value is None else compact(value, 7).removesuffix(".0")
    return dims_text(shape[::-1] if piece.turned else shape)


def shape_of(view: View, name: str, shown: ShownOp) -> tuple[int, ...]:
    """The shape of a tensor where it was read; that of a full batch where it is not known."""
    value = shown.operands.get(name)
    if value is None and name in shown.op.writes and shown.standing == Standing.DONE:
        value = view.tensors.get(name)
    return view.run.tensors[name].shape if value is None else value.shape


def letters(view: View) -> Mapping[str, int]:
    """What N and K mean: the samples of the batch, and the outputs of the network."""
    program = view.program
    output = program.tensors[program.network.output].shape
    return {"N": len(view.tensors[program.batch_names[0]]), "K": output[-1] if output else 1}


# -- how many lines it has


def op_height(run: Run, listing: Listing, height: int, most: int = 99) -> tuple[int, int]:
    """How many of the lines of a pane an op has, ``most`` of them, and how many its result's head.

    The same for all ops, so that nothing jumps from one to the next.
    """
    head, grid = (3, GRID) if height > LOW else (2, GRID - 1)
    rows = max(0, min(operand_rows(run, listing), height - head - grid - 2))
    return min(most, 2 + rows), head


def wanted_height(run: Run, listing: Listing, most: int = GRID) -> int:
    """The lines at which an op's operands are seen, and a result of ``most`` lines at most."""
    rows = max((info.shape[0] for info in run.tensors.values() if len(info.shape) > 1), default=1)
    operands = operand_rows(run, listing)
    return 2 + (min(operands, FEW_ROWS) if most == GRID else operands) + 2 + min(most, rows + 2)


@lru_cache(maxsize=4)
def operand_rows(run: Run, listing: Listing) -> int:
    """The rows of the highest matrix that an op reads, MOST_ROWS at most."""
    shapes = {run.tensors[name].shape for op in listing.ops for name in op.reads}
    rows = [shape[0] if len(shape) == 2 else 1 for shape in shapes if shape]
    return min(MOST_ROWS, max(rows, default=0))


# -- a formula in pieces


@lru_cache(maxsize=1024)
def pieces_of(run: Run, op: Op, width: int) -> tuple[Piece, ...]:
    """The formula of an op cut at its tensors; of one too long the clauses that fit."""
    formula = op.formula
    if cell_len(formula) > width:
        clauses = formula.split(", g = ")  # what follows explains letters of the optimizer's rule
        formula = clauses[0] + (", …" if len(clauses) > 1 else "")
    named = symbols_in(run, op)
    sizes = "N|K" if isinstance(run, Program) else "(?!)"
    words = "|".join(re.escape(symbol) for symbol in sorted(named, key=len, reverse=True))
    found_in = rf"(?:(?P<name>{words or '(?!)'})|(?P<size>{sizes}))"
    pattern = re.compile(rf"(?<![a-zA-Z_0-9]){found_in}(?![a-zA-Z_0-9\u0300-\u036f])")
    found: list[Piece] = []
    seen: set[str] = set(op.writes[:1]) - set(op.reads)
    at = 0
    for match in pattern.finditer(formula):
        start, end = framed(formula, *match.span())
        found += between(formula[at:start])
        at = end
        name = named.get(match["name"] or "", "")
        # Of what is read and written the second place is the one that is read.
        writes = bool(name) and not any(one.name for one in found)
        first = name in op.reads and name not in seen and not writes
        seen |= {name} if first else set()
        found.append(
            Piece(
                formula[start:end],
                tensor_role(run.tensors[name]) if name else "",
                name,
                match["size"] or "",
                turned(run, name, formula[match.end() :]),
                first,
            )
        )
    return (*found, *between(formula[at:]))


def framed(formula: str, start: int, end: int) -> tuple[int, int]:
    """Where a symbol stands with what belongs to it alone: brackets around it, ᵀ, an index."""
    if formula[:start].endswith("(") and formula[end:].startswith(")"):
        start, end = start - 1, end + 1
        if formula[:start][-1:].isalnum():  # the argument of a function: the name belongs to it
            return start + 1, end - 1
    behind = BEHIND.match(formula, end)
    return start, behind.end() if behind else end


def between(text: str) -> list[Piece]:
    """What stands between two tensors; none where nothing does."""
    return [Piece(text)] if text else []


def symbols_in(run: Run, op: Op) -> dict[str, str]:
    """The tensors of an op by the symbols that its formula has; ``v`` is that of a slot v(W)."""
    found: dict[str, str] = {}
    for name in (*op.writes, *op.reads):
        info = run.tensors[name]
        symbol = info.symbol.partition("(")[0] if info.role == "slot" else info.symbol
        found.setdefault(symbol, name)
    return found


def turned(run: Run, name: str, rest: str) -> bool:
    """Whether a matrix stands transposed before the rest of a formula."""
    return bool(name) and len(run.tensors[name].shape) == 2 and bool(TURNED.match(rest))


# -- what comes next


def next_line(view: View, width: int) -> Line:
    """One dim line: the op about to run, its equation, and the shapes that meet in it."""
    op = view.op
    if op is None:
        over = "the run is over: every step has been taken"
        return fitted([(" ■ ", "key"), (over, "dim")], width)
    names = [name for name in op.reads if view.run.tensors[name].role != "hyper"]
    shapes = ", ".join(shape_text(view.run.tensors[name].shape) for name in names)
    if not op.writes:  # it raised, or was skipped: its formula has the shapes
        return fitted([(" ▶ ", "key"), ("next  ", "dim"), (op.formula, "dim")], width)
    out = shape_text(view.run.tensors[op.writes[0]].shape)
    left: Line = [(" ▶ ", "key"), ("next  ", "dim"), *coloured(view.run, op.formula, "dim")]
    right: Line = [(f" {out} ", "shape")]
    right += [(f"from {shapes} ", "dim")] if shapes else []
    return spread(left, right if width_of(left) + width_of(right) <= width else right[:1], width)
