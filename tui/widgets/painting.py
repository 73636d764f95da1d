"""What is sent to the terminal: of the lines that were painted anew only the cells that differ.

Textual sends every widget's region that asked for a repaint, and for each piece of text its whole
style. Here it is remembered what the terminal shows, and a style is sent as its difference from the
one before: a tenth of the bytes, which is what people notice who work over ssh.

With tui/widgets/composing.py this is where it is known what Textual does not promise: here
``App._display``, by which all that is painted leaves the application, and the updates that it gets.
tests/tui/widgets/test_painting.py fails where these change.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.console import Console, RenderableType
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.app import App
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip

NEAR = 5  # cells that are alike between two that differ, and shorter than going there
# Codes of SGR: what switches an attribute off, and attributes that are seen without a letter.
OFF = {1: 22, 2: 22, 3: 23, 4: 24, 5: 25, 6: 25, 7: 27, 8: 28, 9: 29}
OFF |= {21: 24, 51: 54, 52: 54, 53: 55}
ON_BLANKS = frozenset({4, 5, 6, 7, 9, 21, 51, 52, 53})

Chops = Sequence[Mapping[int, Strip | None]]
"""For each line the pieces that it consists of, by the cell where each begins."""


class Pen(NamedTuple):
    """How the terminal writes: SGR codes of the attributes, and those of the colours."""

    attributes: frozenset[int] = frozenset()
    ink: str = ""
    ground: str = ""


PLAIN = Pen()


@lru_cache(maxsize=2**14)
def pen_of(style: Style | None, colours: ColorSystem) -> Pen:
    """The pen of a style."""
    if style is None:
        return PLAIN
    codes = Strip.render_ansi(style.without_color, colours)
    ink = style.color and Strip.render_ansi(Style(color=style.color), colours)
    ground = style.bgcolor and Strip.render_ansi(Style(bgcolor=style.bgcolor), colours)
    return Pen(frozenset(map(int, codes.split(";") if codes else ())), ink or "", ground or "")


@lru_cache(maxsize=2**14)
def turned(before: Pen, after: Pen) -> str:
    """The escape sequence that makes one pen another, the shorter of two ways; none of the same."""
    if before == after:
        return ""
    gone = before.attributes - after.attributes
    off = {OFF[code] for code in gone}
    # Bold and faint are switched off together, and so are others.
    kept = {code for code in after.attributes if code not in before.attributes or OFF[code] in off}
    change = [str(code) for code in (*sorted(off), *sorted(kept))]
    if before.ink != after.ink:
        change.append(after.ink or "39")
    if before.ground != after.ground:
        change.append(after.ground or "49")
    whole = ["0", *(str(code) for code in sorted(after.attributes)), after.ink, after.ground]
    codes = min(";".join(change), ";".join(filter(None, whole)), key=len)
    return f"\x1b[{'' if codes == '0' else codes}m"


@lru_cache(maxsize=2**14)
def blank_pen(before: Pen, after: Pen) -> Pen:
    """The pen for blanks in the style of ``after``: their ink is not seen."""
    if before.attributes & ON_BLANKS or after.attributes & ON_BLANKS:
        return after
    return Pen(before.attributes, before.ink, after.ground)


@lru_cache(maxsize=2**13)
def single(text: str) -> bool:
    """Whether every character of a text takes one cell, so that it may be cut anywhere."""
    return text.isascii() or (len(text) == cell_len(text) and all(cell_len(c) == 1 for c in text))


def singles(segments: Sequence[Segment]) -> bool:
    """Whether every character of some pieces takes one cell."""
    for text, _, _ in segments:  # noqa: SIM110 - a generator takes twice as long
        if not (text.isascii() or single(text)):
            return False
    return True


class Writing:
    """Escape sequences and text, beginning and ending with a plain pen."""

    def __init__(self, console: Console) -> None:
        self.colours = console._color_system or ColorSystem.TRUECOLOR  # as Strip.render does
        self.pen = PLAIN
        self.parts: list[str] = []

    def go_to(self, x: int, y: int) -> None:
        """Move the terminal's cursor to a cell."""
        self.parts.append(f"\x1b[{y + 1};{x + 1}H")

    def write(self, segments: Sequence[Segment]) -> None:
        """Write pieces of text."""
        append, colours, pen = self.parts.append, self.colours, self.pen
        for text, style, control in segments:
            if control:
                continue
            if style is not None and style.link:
                append(turned(pen, PLAIN) + Strip.render_style(style, text, colours))
                pen = PLAIN
                continue
            wanted = pen_of(style, colours)
            if wanted != pen:
                wanted = blank_pen(pen, wanted) if text.isspace() else wanted
                append(turned(pen, wanted))
                pen = wanted
            append(text)
        self.pen = pen

    def text(self) -> str:
        """All of it."""
        self.parts.append(turned(self.pen, PLAIN))
        self.pen = PLAIN
        return "".join(self.parts)


def differing(old: Sequence[Segment], new: Sequence[Segment]) -> list[tuple[int, int]]:
    """The ranges of cells [start, end) in which two pieces of a line of equal width differ.

    Every character of both takes one cell.
    """
    first, size = 0, min(len(old), len(new))
    at = 0  # the cell that both have been compared up to
    while first < size and old[first] == new[first]:
        at += len(new[first].text)
        first += 1
    last = 0
    while last < size - first and old[-1 - last] == new[-1 - last]:
        last += 1
    ranges: list[tuple[int, int]] = []
    theirs = (piece for piece in old[first : len(old) - last] if piece.text)
    ours = (piece for piece in new[first : len(new) - last] if piece.text)
    a = b = ""
    style_a: Style | None = None
    style_b: Style | None = None
    while True:
        if not a:
            a, style_a, _ = next(theirs, ("", None, None))
        if not b:
            b, style_b, _ = next(ours, ("", None, None))
        size = min(len(a), len(b))
        if not size:
            return ranges
        start, end = at, at + size
        if style_a is style_b or style_a == style_b:
            start += same(a, b, size)
            if start < end:
                end -= same(a[size - 1 :: -1], b[size - 1 :: -1], size)
        if start < end:
            if ranges and start - ranges[-1][1] < NEAR:
                ranges[-1] = (ranges[-1][0], end)
            else:
                ranges.append((start, end))
        at += size
        a, b = a[size:], b[size:]


def same(a: str, b: str, size: int) -> int:
    """How many of the first ``size`` characters are alike."""
    if a[:size] == b[:size]:
        return size
    for at in range(size):
        if a[at] != b[at]:
            return at
    return size


def cut(segments: Sequence[Segment], start: int, end: int) -> Iterator[Segment]:
    """The cells [start, end) of texts all of whose characters take one."""
    at = 0
    for text, style, _ in segments:
        past = at + len(text)
        if past > start:
            yield Segment(text[max(0, start - at) : end - at], style)
        if past >= end:
            return
        at = past


class Shown:
    """What the terminal shows, as far as it is known, and what is to be sent for it to show more.

    ``lines`` has of each line the pieces that were sent last, in cells from where they begin to
    where the next one does; None where that is not known.
    """

    def __init__(self) -> None:
        self.lines: list[dict[int, Strip] | None] = []

    def forget(self) -> None:
        """Nothing is known: something else may have written to the terminal."""
        self.lines = []

    def whole(self, strips: Sequence[Sequence[Strip]], region: Region, console: Console) -> str:
        """Send every line of a region, whatever is there."""
        self.lines += [None] * (region.bottom - len(self.lines))
        writing = Writing(console)
        for y, line in enumerate(strips, region.y):
            writing.go_to(region.x, y)
            x, known = region.x, dict[int, Strip]()
            for strip in line:
                writing.write(strip._segments)
                known[x] = strip
                x += strip.cell_length
            self.lines[y] = known
        return writing.text()

    def part(self, chops: Chops, spans: Sequence[tuple[int, int, int]],
             ends: Sequence[Sequence[int]], console: Console) -> str:  # fmt: skip
        """Send what differs in pieces that overlap ``spans``: (line, first cell, cell after)."""
        self.lines += [None] * (len(chops) - len(self.lines))
        writing = Writing(console)
        for y, first, last in spans:
            known, line = self.lines[y], chops[y]
            if known is None or known.keys() != line.keys():
                known = self.lines[y] = {}
            for (x, strip), end in zip(line.items(), ends[y], strict=False):
                if strip is not None and x < last and end > first:
                    old = known.get(x)
                    if old is not strip:
                        send(writing, x, y, old, strip)
                        known[x] = strip
        return writing.text()


def send(writing: Writing, x: int, y: int, old: Strip | None, new: Strip) -> None:
    """Send of a piece of a line that begins at the cell x what differs from what was there."""
    segments = new._segments
    if old is None or old.cell_length != new.cell_length:
        writing.go_to(x, y)
        writing.write(segments)
        return
    before = old._segments
    if before == segments:
        return
    if not (singles(before) and singles(segments)):
        writing.go_to(x, y)
        writing.write(segments)
        return
    for start, end in differing(before, segments):
        writing.go_to(x + start, y)
        writing.write(list(cut(segments, start, end)))


class Part(CompositorUpdate):
    """What is to be sent of some regions; found out when it is sent, for else nothing is shown."""

    def __init__(self, shown: Shown, update: ChopsUpdate) -> None:
        self.shown, self.update = shown, update

    def render_segments(self, console: Console) -> str:
        """The escape sequences and the text."""
        update = self.update
        return self.shown.part(update.chops, update.spans, update.chop_ends, console)


class Whole(CompositorUpdate):
    """A whole screen that is to be sent."""

    def __init__(self, shown: Shown, update: LayoutUpdate) -> None:
        self.shown, self.update = shown, update

    def render_segments(self, console: Console) -> str:
        """The escape sequences and the text."""
        strips = [list(line) for line in self.update.strips]
        return self.shown.whole(strips, self.update.region, console)


class PaintedApp(App[None]):
    """An application that sends the terminal what differs from what it shows."""

    def __init__(self) -> None:
        super().__init__()
        self.shown = Shown()

    def on_mount(self) -> None:
        """Know nothing of the terminal once another program has had it."""
        self.app_resume_signal.subscribe(self, lambda _: self.send_all())

    def send_all(self) -> None:
        """Paint everything, whatever the terminal shows."""
        self.shown.forget()
        self.screen.refresh()

    async def on_event(self, event: events.Event) -> None:
        """What a terminal shows of another size is its own affair."""
        if isinstance(event, events.Resize):
            self.shown.forget()
        await super().on_event(event)

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        """Everything that is painted, of whichever screen, comes by here."""
        update: CompositorUpdate | RenderableType | None = renderable
        if isinstance(renderable, ChopsUpdate):
            update = Part(self.shown, renderable)
        elif isinstance(renderable, LayoutUpdate):
            update = Whole(self.shown, renderable)
        elif renderable is not None:
            self.shown.forget()
        super()._display(screen, update)  # type: ignore[arg-type]  # Textual's own are no other
