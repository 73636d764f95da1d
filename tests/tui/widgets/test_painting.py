"""What is sent to the terminal: whatever is done, it shows what a repaint by Textual would show."""

import re
from pathlib import Path
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import Compositor, CompositorUpdate
from textual._context import visible_screen_stack
from textual.app import App
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from engine.debugger import Debugger
from tests.engine.small_experiments import session_of
from tests.tui.screen import Opened, steered
from tests.tui.storm import steps
from tui.app import GradstepApp
from tui.theme import THEMES
from tui.widgets.painting import ON_BLANKS, Pen, Shown, turned

SEQUENCE = re.compile(r"\x1b\[(\d*)(?:;(\d+))?H|\x1b\[([\d;]*)m|\n|([^\x1b\n]+)")
Cell = tuple[str, frozenset[int], str, str]
UNKNOWN: Cell = ("?", frozenset(), "", "")
OFF = {22: (1, 2), 23: (3,), 24: (4, 21), 25: (5, 6), 27: (7,), 28: (8,), 29: (9,)}


class Terminal:
    """A terminal that knows the sequences that are sent: cells of a character and how it looks."""

    def __init__(self) -> None:
        self.cells: dict[tuple[int, int], Cell] = {}
        self.x = self.y = 0
        self.pen = (frozenset[int](), "", "")
        self.received = 0

    def feed(self, text: str) -> None:
        """Show a text; what is not known is an error."""
        self.received += len(text)
        at = 0
        while at < len(text):
            found = SEQUENCE.match(text, at)
            assert found is not None, repr(text[at : at + 40])
            at = found.end()
            row, column, codes, plain = found.groups()
            if plain is not None:
                self.write(plain)
            elif codes is not None:
                self.turn([int(code or 0) for code in codes.split(";")])
            elif row is not None:
                self.x, self.y = int(column) - 1, int(row) - 1

    def write(self, text: str) -> None:
        """Write characters where the cursor is."""
        for character in text:
            attributes, ink, ground = self.pen
            if character == " " and not attributes & ON_BLANKS:
                attributes, ink = frozenset(), ""
            for at in range(cell_len(character)):
                shown = "" if at else character
                self.cells[self.x + at, self.y] = (shown, attributes, ink, ground)
            self.x += cell_len(character)

    def turn(self, codes: list[int]) -> None:
        """Change the pen."""
        attributes, ink, ground = set(self.pen[0]), self.pen[1], self.pen[2]
        rest = iter(codes)
        for code in rest:
            if code == 0:
                attributes, ink, ground = set(), "", ""
            elif code in OFF:
                attributes -= set(OFF[code])
            elif code in (38, 48):
                kind = next(rest)
                colour = [kind, *(next(rest) for _ in range(3 if kind == 2 else 1))]
                ink, ground = (str(colour), ground) if code == 38 else (ink, str(colour))
            elif code < 10 or code == 21:
                attributes.add(code)
            elif code in (39, 49):
                ink, ground = ("", ground) if code == 39 else (ink, "")
            elif 30 <= code < 38 or 90 <= code < 98:
                ink = str(code)
            else:
                assert 40 <= code < 48 or 100 <= code < 108
                ground = str(code - 10)
        self.pen = (frozenset(attributes), ink, ground)


def repainted(app: App[None]) -> Terminal:
    """What the screen looks like where every widget draws anew, and Textual sends all of it."""
    screen = app.screen
    widgets = [*screen.walk_children(Widget), screen]
    for widget in widgets:
        widget.notify_style_update()
        widget._styles_cache.clear()
    visible_screen_stack.set(app._background_screens)
    region = screen.size.region
    chops = Compositor._render_chops(screen._compositor, region, lambda y: True)
    terminal = Terminal()
    for y, chop in enumerate(chops):
        terminal.x, terminal.y = 0, y
        terminal.feed(plainly([piece for strip in chop.values() for piece in strip], app.console))
    return terminal


def plainly(segments: list[Segment], console: Console) -> str:
    """Pieces of text as Textual writes them, each with its whole style.

    Textual keeps in a style how it was written the first time, in whatever number of colours.
    """
    colours = console._color_system or ColorSystem.TRUECOLOR
    styled = ((text, Strip.render_ansi(style or Style(), colours)) for text, style, _ in segments)
    return "".join(f"\x1b[{codes}m{text}\x1b[0m" for text, codes in styled)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """What all that is painted leads to, though there is no terminal."""
    terminal, display = Terminal(), App._display
    size = [(0, 0)]

    def sent(app: App[None], screen: Screen[object], update: object) -> None:
        if app.size != size[0]:  # nobody knows what a terminal shows of another size
            size[0] = app.size
            terminal.cells.clear()
        if isinstance(update, CompositorUpdate) and not app._batch_count:
            terminal.feed(update.render_segments(app.console))
        display(app, screen, update)  # type: ignore[arg-type]

    monkeypatch.setattr(App, "_display", sent)
    return terminal


async def compare(opened: Opened, terminal: Terminal, done: object) -> None:
    """The terminal shows what a full repaint would."""
    app = opened.app
    while app.screen._dirty_widgets or app.screen._layout_required or app._batch_count:
        await opened.pilot.pause(0.01)
    fresh = repainted(app).cells
    width, height = app.size
    places = [(x, y) for y in range(height) for x in range(width)]
    shown = terminal.cells
    wrong = [p for p in places if shown.get(p, UNKNOWN) != fresh.get(p, UNKNOWN)]
    said = [(p, shown.get(p), fresh.get(p)) for p in wrong[:5]]
    assert not wrong, (done, len(wrong), said)


def written(segments: list[Segment]) -> Terminal:
    """A terminal on which a line was written by Textual."""
    terminal = Terminal()
    terminal.feed(plainly(segments, Console(color_system="truecolor")))
    return terminal


STYLES = [
    Style(),
    Style(bold=True, color="#ff0000", bgcolor="#000040"),
    Style(dim=True, bgcolor="#000040"),
    Style(reverse=True, underline=True, color="#00ff00"),
    Style(color="red", bgcolor="blue"),
]
pieces = st.lists(st.tuples(st.text("ab ▄é日", max_size=5), st.sampled_from(STYLES)), max_size=6)
LINE = Region(0, 0, 20, 1)


def line_of(texts: list[tuple[str, Style]]) -> Strip:
    """A line of 20 cells."""
    segments = [Segment(text, style) for text, style in texts]
    return Strip(segments).adjust_cell_length(20, Style())


@given(pieces, pieces)
def test_of_two_lines_what_differs_makes_one_the_other(
    before: list[tuple[str, Style]], after: list[tuple[str, Style]]
) -> None:
    console, shown, terminal = Console(color_system="truecolor"), Shown(), Terminal()
    first, second = line_of(before), line_of(after)
    terminal.feed(shown.whole([[first]], LINE, console))
    terminal.feed(shown.part([{0: second}], [(0, 0, 20)], [[20]], console))
    assert terminal.cells == written(list(second)).cells


def test_only_the_cells_that_differ_are_sent() -> None:
    console, shown, bold = Console(color_system="truecolor"), Shown(), Style(bold=True)
    first = Strip([Segment("loss 1.25", bold), Segment("  iteration 7", Style())])
    second = Strip([Segment("loss 1.75", bold), Segment("  iteration 8", Style())])
    shown.whole([[first]], Region(0, 0, 22, 1), console)
    sent = shown.part([{0: second}], [(0, 0, 22)], [[22]], console)
    assert sent == "\x1b[1;8H\x1b[1m7\x1b[1;22H\x1b[m8"
    assert shown.part([{0: second}], [(0, 0, 22)], [[22]], console) == ""


def test_what_is_not_known_is_sent_whole() -> None:
    console, shown, line = Console(color_system="truecolor"), Shown(), Strip([Segment("abc")])
    shown.whole([[line]], Region(0, 0, 3, 1), console)
    shown.forget()
    assert shown.part([{0: line}], [(0, 0, 3)], [[3]], console) == "\x1b[1;1Habc"


def test_a_style_is_sent_as_its_difference() -> None:
    assert turned(pen(1, ink="31"), pen(1, ink="31", ground="44")) == "\x1b[44m"
    assert turned(pen(1, 4, ink="38;2;1;2;3"), pen(4, ink="38;2;1;2;3")) == "\x1b[22m"
    assert turned(pen(1, 2, ink="38;2;1;2;3"), pen(2, ink="38;2;1;2;3")) == "\x1b[22;2m"
    assert turned(pen(1), pen()) == "\x1b[m"


def pen(*attributes: int, ink: str = "", ground: str = "") -> Pen:
    """A pen of codes."""
    return Pen(frozenset(attributes), ink, ground)


async def test_a_step_sends_less_than_four_kilobytes(terminal: Terminal) -> None:
    async with steered(GradstepApp(Debugger(session_of("regression")))) as opened:
        sizes = []
        for _ in range(25):  # more than the ops of an iteration
            before = terminal.received
            await opened.press("s")
            sizes.append(terminal.received - before)
    assert 0 < median(sizes) < 4000


@pytest.mark.parametrize(
    ("seed", "name", "theme"),
    [
        (0, "regression", "gradstep-dark"),
        (1, "xor", "gradstep-light"),
        (2, "iris", "gradstep-dark-16"),
        (3, "regression", "gradstep-light-16"),
        (4, "rnn", "no colour"),
        (5, "cnn-digits", "any"),
    ],
)
async def test_the_terminal_shows_what_a_full_repaint_would(
    seed: int,
    name: str,
    theme: str,
    terminal: Terminal,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)  # some of the keys write files
    monkeypatch.setenv("GRADSTEP_HOME", str(tmp_path))
    if theme == "no colour":
        monkeypatch.setenv("NO_COLOR", "1")
    app = GradstepApp(Debugger(session_of(name)))
    app.exit = lambda *_, **__: None  # type: ignore[method-assign]
    app.animation_level = "none"  # what moves by the clock is never to be compared
    names = [one.name for one in THEMES]
    async with steered(app, (100, 30)) as opened:
        if theme in names:
            app.theme = theme
        await opened.settled()
        await compare(opened, terminal, "start")
        for at, (kind, what) in enumerate(steps(40, seed)):
            if kind == "size":
                await opened.resize(*(max(2, int(size)) for size in what))
            else:
                for key in what:
                    app.simulate_key(str(key))
                await opened.settled()
            if theme == "any" and at % 7 == 3:
                app.theme = names[at % len(names)]
                await opened.settled()
            await compare(opened, terminal, (at, what))
