"""A claim in the chain pane: its chain above the right one, dimensions under both, gaps marked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from rich.cells import cell_len

from engine.answers.asking import Asked, Link
from engine.answers.verdict import Word
from tui.render.text.clean import clean
from tui.render.text.line import Line, centred
from tui.render.text.wrapping import wrapped
from tui.view.snapshot import View

ROLE: dict[Word, str] = {
    "right": "good",
    "nearly": "warn",
    "wrong": "bad",
    "not understood": "warn",
}
NOTHING = Link("", ())
GAP = "✗"
TIMES, APART = " · ", f" {GAP} "
HEAD = 10  # cells of what stands before a chain


@dataclass(frozen=True)
class Place:
    """One place of both chains: what was claimed, what is right there, and whether these agree."""

    claimed: Link
    right: Link
    agrees: bool

    @property
    def width(self) -> int:
        """Cells of its column; at least those of the mark of a gap."""
        links = (self.claimed, self.right)
        return max(1, *(max(cell_len(one.text), len(sizes(one))) for one in links))


def claim_lines(view: View, width: int) -> list[Line]:
    """The claim about the selected derivative or tensor; nothing where there is none.

    A claim about another derivative comes back with the selection of that.
    """
    found = view.claimed
    if found is None or (len(found.about) == 2 and found.about != view.pair):
        return []
    return [*verdict_lines(found, width), *chain_lines(found, width), []]


def verdict_lines(found: Asked, width: int) -> Iterator[Line]:
    """What was claimed, and what there is to say to it."""
    one = found.verdict
    said = f"{clean(one.of)} = {clean(one.said)}"
    yield from ([(text, "")] for text in wrapped(f" claimed: {said}", width))
    message = f": {clean(one.message)}" if one.message else ""
    yield from ([(text, ROLE[one.verdict])] for text in wrapped(f" {one.verdict}{message}", width))


def chain_lines(found: Asked, width: int) -> Iterator[Line]:
    """Both chains, place by place; of one alone what there is, and what was expected instead."""
    if found.claimed and found.right:
        yield from blocks(places(found.claimed, found.right), width)
        return
    if found.claimed:
        alone = [Place(one, NOTHING, True) for one in found.claimed]
        shown = [line for line in blocks(alone, width) if line[0][0].strip() != "right"]
        yield from (line for line in shown if any(text.strip() for text, _ in line))
    if found.verdict.expected is not None:
        text = f" {'right':{HEAD - 1}}{clean(str(found.verdict.expected))}"
        yield from ([(line, "symbol")] for line in wrapped(text, width))


def places(claimed: Sequence[Link], right: Sequence[Link]) -> list[Place]:
    """Both chains side by side: equal factors in one place, as many as can be."""
    texts = [one.text for one in claimed], [one.text for one in right]
    found = []
    for sign, a, b, c, d in SequenceMatcher(None, *texts, autojunk=False).get_opcodes():
        for k in range(max(b - a, d - c)):
            left = claimed[a + k] if a + k < b else NOTHING
            other = right[c + k] if c + k < d else NOTHING
            found.append(Place(left, other, sign == "equal"))
    return found


def blocks(found: Sequence[Place], width: int) -> Iterator[Line]:
    """The places in lines of a width, four lines for as many as have room beside each other."""
    start = 0
    while start < len(found):
        end, used = start + 1, HEAD + found[start].width
        while end < len(found) and used + len(TIMES) + found[end].width < width:
            used += len(TIMES) + found[end].width
            end += 1
        yield from block(found, start, end)
        start = end


def block(found: Sequence[Place], start: int, end: int) -> Iterator[Line]:
    """Some places: the claimed factors, their sizes, the right factors, their sizes."""
    claimed: Line = [(f" {'claimed':{HEAD - 1}}", "label")]
    right: Line = [(f" {'right':{HEAD - 1}}", "label")]
    under: Line = [(" " * HEAD, "")]
    below: Line = [(" " * HEAD, "")]
    for i in range(start, end):
        one = found[i]
        if i > start:
            fits = conforming(found, i)
            claimed.append((TIMES, "dim") if fits else (APART, "bad"))
            begun = any(other.right.text for other in found[:i])
            right.append((TIMES if begun and one.right.text else "   ", "dim"))
            under.append(("   ", ""))
            below.append(("   ", ""))
        text = one.claimed.text or GAP
        claimed.append((centred(text, one.width), "symbol" if one.agrees else "bad"))
        under.append((centred(sizes(one.claimed), one.width), "shape"))
        right.append((centred(one.right.text, one.width), "symbol" if one.agrees else "good"))
        below.append((centred(sizes(one.right), one.width), "shape"))
    yield from (claimed, under, right, below)


def conforming(found: Sequence[Place], i: int) -> bool:
    """Whether what is claimed at a place conforms with what was claimed before it.

    Beside a gap there is nothing to say: the gap itself is marked.
    """
    before, here = found[i - 1].claimed, found[i].claimed
    if len(before.dims) != 2 or len(here.dims) != 2:
        return True
    return before.dims[1] == here.dims[0]


def sizes(one: Link) -> str:
    """The dimensions of a factor in letters."""
    return "×".join(one.dims)
