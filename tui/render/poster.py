"""One idea alone on the screen: an equation with its numbers, or a chain, in the middle of it."""

from collections.abc import Sequence

from engine.errors import GradstepError
from tui.render.chain import homework_lines, product_lines
from tui.render.chain_numbers import Room, number_lines
from tui.render.jacobian import derivative_of, layout_text
from tui.render.op import op_lines
from tui.render.operands import corners
from tui.render.text.line import Line, fitted, width_of
from tui.render.text.numbers import dims_text
from tui.render.variables import Summaries
from tui.view.snapshot import View

EQUATION, CHAIN = ("program", "tensor"), ("chain",)
DRAWN = (*EQUATION, *CHAIN)
"""The panes whose idea is drawn here; others are an idea as they are."""
OPERANDS = 10  # lines of an equation with its numbers at most
HIDDEN = "hidden until the lesson reveals it"


def poster_lines(
    view: View, pane: str, width: int, height: int, summaries: Summaries
) -> list[Line]:
    """The idea of a pane, in the middle of a room of ``width`` × ``height`` cells."""
    parts = chain_parts(view, width, height) if pane in CHAIN else []
    parts = parts or equation_parts(view, width, height, summaries)
    return middle(apart(parts, height), width, height)


def equation_parts(view: View, width: int, height: int, summaries: Summaries) -> list[list[Line]]:
    """The op with the sizes and numbers of its operands, and what came out."""
    found = op_lines(view, width, max(2, min(OPERANDS, height // 2)), summaries)
    room = max(1, height - len(found) - 3)
    return [stripped(found), result_lines(view, width, room)]


def result_lines(view: View, width: int, height: int) -> list[Line]:
    """The tensor that is looked at: its symbol and size, and its numbers as far as they fit."""
    info, array = view.info, view.array
    name: Line = [(info.symbol or info.name, "symbol")]
    if view.tensor in view.hidden:
        return [[*name, (f"   {HIDDEN}", "dim")]]
    if array is None:
        return [[*name, ("   not computed yet", "dim")]]
    head: Line = [*name, (f"   {dims_text(array.shape)}" if array.ndim else "", "shape")]
    if array.ndim > 2 or array.size == 0:
        return [head]
    rows = corners(array.reshape(1, -1) if array.ndim < 2 else array, height)
    block = next((one for one in rows if one.width <= width), rows[-1])
    return [head, *[[(row, block.role)] for row in block.rows]]


def chain_parts(view: View, width: int, height: int) -> list[list[Line]]:
    """The product, the sizes under its factors, as it is written by hand, and its numbers."""
    try:
        found = derivative_of(view)
    except GradstepError:
        return []
    gaps = found.chain.gaps()
    verdict = (f"✗ {gaps[0].message}", "bad") if gaps else ("conforms ✓", "good")
    parts: list[list[Line]] = [
        [[(found.symbol, "symbol"), (f"   {layout_text(view, found)}   ", "dim"), verdict]],
        stripped(product_lines(view, found, width)),
        stripped(homework_lines(view, found, width)),
    ]
    numbers = number_lines(found, Room(width, height, (width, height)), "")
    if len(numbers) > 1:  # a single line says why there are none
        parts.append(stripped(numbers))
    while len(parts) > 2 and sum(map(len, parts)) > height:
        parts.pop()
    return parts


def stripped(lines: Sequence[Line]) -> list[Line]:
    """Lines without the blanks at their ends, nor those that all of them begin with."""
    found = [trimmed(line) for line in lines]
    texts = ["".join(text for text, _ in line) for line in found]
    indent = min((len(t) - len(t.lstrip()) for t in texts if t.strip()), default=0)
    return [without(line, indent) for line in found]


def trimmed(line: Line) -> Line:
    """A line without the blanks at its end."""
    found = list(line)
    while found and not found[-1][0].strip():
        found.pop()
    return [*found[:-1], (found[-1][0].rstrip(), found[-1][1])] if found else []


def without(line: Line, blanks: int) -> Line:
    """A line without some of the blanks that it begins with."""
    found = list(line)
    while found and blanks:
        text, role = found[0]
        gone = min(blanks, len(text))
        blanks -= gone
        found[:1] = [(text[gone:], role)] if text[gone:] else []
    return found


def apart(parts: Sequence[Sequence[Line]], height: int) -> list[list[Line]]:
    """The parts with as many blank lines between them as there is room for, two at most."""
    shown = [list(part) for part in parts if part]
    spare = height - sum(map(len, shown))
    gap = max(0, min(2, spare // max(1, len(shown))))
    return [[*part, *[[] for _ in range(gap)]] for part in shown[:-1]] + shown[-1:]


def middle(parts: Sequence[Sequence[Line]], width: int, height: int) -> list[Line]:
    """Parts in the middle of a room, the lines of each as far from the left edge as its widest."""
    found: list[Line] = []
    for part in parts:
        margin = max(0, (width - max((width_of(line) for line in part), default=0)) // 2)
        found += [fitted([(" " * margin, ""), *line], width) for line in part]
    top = max(0, (height - len(found)) // 2)
    return [*[fitted([], width) for _ in range(top)], *found][:height]
