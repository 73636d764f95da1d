"""The palette: everything by name, found by the letters that one remembers of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from tui.keys.bindings import bindings
from tui.keys.command import PALETTE, Command
from tui.keys.line import short_names
from tui.render.text.clean import clean
from tui.widgets.clean_input import CleanInput

MOST = 200  # entries in the list: whoever wants another one types more
PAGE = 10
# How well a word of the query fits, the best first.
WORD_START, INSIDE, SPREAD_FROM_START, SPREAD = range(4)


@dataclass(frozen=True)
class Entry:
    """What can be chosen: its title, what stands at the right (its key), and what it does."""

    title: str
    right: str
    act: Callable[[], object]


Choice = Callable[[], object]


def fit(query: str, title: str) -> tuple[int, int] | None:
    """How well a title fits, the smaller the better, and from where on; None where it does not.

    Each word of the query has its place in the title, or else all its letters in a row.
    """
    title, words = title.casefold(), query.casefold().split()
    apart = [place(word, title) for word in words]
    fits = []
    if all(apart):
        fits.append((sum(f[0] for f in apart if f), min((f[1] for f in apart if f), default=0)))
    if (whole := place("".join(words), title.replace(" ", ""))) is not None:
        fits.append((whole[0] + 1, whole[1]))
    return min(fits, default=None)


def place(word: str, title: str) -> tuple[int, int] | None:
    """Where a word stands in a title, and how: at a word's start, inside, or letter by letter."""
    starts = [0, *(i for i in range(1, len(title)) if starts_word(title, i))]
    for at in starts:
        if title.startswith(word, at):
            return WORD_START, at
    if (at := title.find(word)) >= 0:
        return INSIDE, at
    for at in starts:
        if title[at : at + 1] == word[:1] and spread(word, title[at:]):
            return SPREAD_FROM_START, at
    return (SPREAD, 0) if spread(word, title) else None


def starts_word(title: str, at: int) -> bool:
    """Whether a word begins at a place behind the first."""
    return title[at].isalnum() and not title[at - 1].isalnum()


def spread(word: str, title: str) -> bool:
    """Whether the letters of a word stand in a title, in their order."""
    letters = iter(title)
    return all(letter in letters for letter in word)


def found(entries: Sequence[Entry], query: str) -> list[Entry]:
    """The entries that fit, the best first; of those that fit as well the order stays.

    Letters spread over a title are what is left to guess where nothing fits better.
    """
    rated = [(fit(query, entry.title), entry) for entry in entries]
    some = [(score, entry) for score, entry in rated if score is not None]
    if any(score[0] <= INSIDE for score, _ in some):
        some = [(score, entry) for score, entry in some if score[0] < SPREAD]
    return [entry for _, entry in sorted(some, key=lambda pair: pair[0])][:MOST]


class PaletteInput(CleanInput):
    """The field of the palette; the arrows move in the list."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(PALETTE)

    @property
    def palette(self) -> "Palette":
        """The screen of the field."""
        assert isinstance(self.screen, Palette)
        return self.screen

    def action_choose(self) -> None:
        """Do what is under the cursor."""
        self.palette.choose()

    def action_move(self, by: int) -> None:
        """Another entry."""
        self.palette.move(by)

    def action_leave(self) -> None:
        """Close the palette."""
        self.palette.leave()


class Palette(ModalScreen[Choice | None]):
    """A field over a list, one line an entry; closed with what the chosen one does."""

    def __init__(self, entries: Sequence[Entry], commands: tuple[Command, ...]) -> None:
        super().__init__()
        self.entries = entries
        self.commands = commands
        self.listed: list[Entry] = []
        self.query_shown: str | None = None

    def compose(self) -> ComposeResult:
        with Vertical(id="palette") as box:
            box.border_title = "Everything by name"
            box.border_subtitle = short_names(self.commands, PALETTE)
            yield PaletteInput(placeholder="words, or letters of them", compact=True)
            yield OptionList(id="palette-list", markup=False)

    def on_mount(self) -> None:
        """Type at once."""
        self.query_one("#palette-list").can_focus = False
        self.set_focus(self.query_one(PaletteInput))

    @on(events.Resize)
    def resized(self) -> None:
        """Make the lines for another width."""
        self.fill(self.query_one(PaletteInput).value)

    @on(Input.Changed)
    def changed(self, event: Input.Changed) -> None:
        """List what fits."""
        if event.value != self.query_shown:
            self.fill(event.value)

    def fill(self, query: str) -> None:
        """List what fits a query, the best under the cursor."""
        options = self.query_one("#palette-list", OptionList)
        self.query_shown, self.listed = query, found(self.entries, query)
        width = max(10, options.scrollable_content_region.width - 2)  # a blank on both sides
        options.clear_options()
        options.add_options(Option(entry_line(entry, width)) for entry in self.listed)
        if self.listed:
            options.highlighted = 0
        else:
            options.add_option(Option("nothing is called so", disabled=True))

    def move(self, by: int) -> None:
        """Another entry, the first or the last at most."""
        options = self.query_one("#palette-list", OptionList)
        if self.listed:
            at = (options.highlighted or 0) + by
            options.highlighted = max(0, min(len(self.listed) - 1, at))

    def choose(self) -> None:
        """Close with what is under the cursor, once; typed ahead, the best of what fits."""
        value = self.query_one(PaletteInput).value
        if value != self.query_shown:  # Enter came right behind a letter
            self.fill(value)
        at = self.query_one("#palette-list", OptionList).highlighted
        if self.is_current and at is not None and at < len(self.listed):
            self.dismiss(self.listed[at].act)

    @on(OptionList.OptionSelected)
    def clicked(self, event: OptionList.OptionSelected) -> None:
        """Choose the clicked entry."""
        self.query_one("#palette-list", OptionList).highlighted = event.option_index
        self.choose()

    def leave(self) -> None:
        """Close without a choice."""
        if self.is_current:
            self.dismiss(None)


def entry_line(entry: Entry, width: int) -> Text:
    """An entry in one line: the title, cut where it must be, and what stands at the right."""
    right = clean(entry.right)
    room = max(0, width - cell_len(right) - 2)
    title = clean(entry.title)
    if cell_len(title) > room:
        title = set_cell_size(title, max(0, room - 1)) + "…"
    return Text(set_cell_size(title, room) + "  " + right, no_wrap=True, end="")
