"""The help: every key by pane, in columns, from the table that also makes the keys."""

from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tui.keys.bindings import bindings
from tui.keys.command import HELP, PANES, Command
from tui.keys.help import Rows, help_rows
from tui.keys.line import short_names
from tui.keys.table import EVERY
from tui.render.text.wrapping import wrapped
from tui.widgets.clean_input import CleanInput

COLUMN = 56  # cells that a column needs at least
GAP = 2
KEYS = 16  # cells of the keys at most: longer ones have a line of their own
Section = list[Text]


def help_columns(sections: list[tuple[str, Rows]], width: int) -> Text:
    """Sections in as many columns as ``width`` cells have room for, each section in one piece."""
    count = max(1, width // COLUMN)
    room = (width - GAP * (count - 1)) // count
    made = [section_lines(heading, rows, room) for heading, rows in sections]
    columns: list[Section] = [[] for _ in range(count)]
    for section in made:  # the first one stays at the top of the first column
        shortest = min(columns, key=len)
        shortest += [*([Text()] if shortest else []), *section]
    lines = []
    for y in range(max(map(len, columns), default=0)):
        line = Text()
        for x, column in enumerate(columns):
            part = column[y] if y < len(column) else Text()
            line.append(" " * (x * (room + GAP) - line.cell_len))
            line.append_text(part)
        lines.append(line)
    return Text("\n").join(lines)


def section_lines(heading: str, rows: Rows, room: int) -> Section:
    """A heading and its rows as lines of at most ``room`` cells."""
    keys = min(KEYS, max((cell_len(key) for key, _ in rows), default=0))
    lines = [Text(heading, style="bold underline")]
    for key, words in rows:
        says = wrapped(words, max(12, room - keys - GAP)) or [""]
        wide = cell_len(key) > keys
        lines += [Text(key, style="bold")] if wide else []
        for n, said in enumerate(says):
            line = Text(set_cell_size("" if n or wide else key, keys), style="bold")
            lines.append(line.append(" " * GAP + said, style="not bold"))
    return lines


def having(sections: list[tuple[str, Rows]], text: str) -> list[tuple[str, Rows]]:
    """The rows that have every word of a text, in their heading, keys or words."""
    wanted = text.casefold().split()
    found = []
    for heading, rows in sections:
        some = [
            (keys, words)
            for keys, words in rows
            if all(each in f"{heading} {keys} {words}".casefold() for each in wanted)
        ]
        found += [(heading, some)] if some else []
    return found


class SearchInput(CleanInput):
    """The field of what is looked for; Enter and Esc go back to the table."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", show=False)]

    def action_leave(self) -> None:
        """Look for nothing any more."""
        self.value = ""
        self.post_message(self.Submitted(self, ""))


class HelpScreen(ModalScreen[None]):
    """The modal table of every key, those of ``pane`` first; ``/`` looks for words in it."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(HELP)

    def __init__(self, pane: str, commands: tuple[Command, ...] = EVERY) -> None:
        super().__init__()
        self.commands = commands
        self.pane = pane
        self.sections = help_rows(commands, pane)

    def compose(self) -> ComposeResult:
        with Vertical(id="help") as box:
            place = PANES[self.pane].title if self.pane in PANES else "Plots"
            box.border_title = f"Help · {place}"
            box.border_subtitle = short_names(self.commands, HELP)
            with VerticalScroll(id="help-table"):
                yield Static(id="help-text", markup=False)
            yield SearchInput(placeholder="words to look for", id="help-search", compact=True)

    def on_mount(self) -> None:
        """Begin in the table."""
        self.query_one("#help-search").display = False
        self.query_one("#help-table").focus()

    @on(events.Resize)
    def draw(self) -> None:
        """Draw the rows that are looked for, in the columns that there is room for."""
        text = self.query_one(SearchInput).value
        found = having(self.sections, text)
        width = self.query_one("#help-table").scrollable_content_region.width
        table = help_columns(found, width) if found else Text(f"nothing has {text!r} in it")
        self.query_one("#help-text", Static).update(table)

    def action_search(self) -> None:
        """Look for words."""
        field = self.query_one(SearchInput)
        field.display = True
        self.set_focus(field)  # at once: what is typed ahead is for the field

    @on(Input.Changed)
    def changed(self) -> None:
        """Show what is found so far."""
        self.draw()
        self.query_one("#help-table").scroll_home(animate=False)

    @on(Input.Submitted)
    def submitted(self) -> None:
        """Back to the table, to scroll in what was found."""
        field = self.query_one(SearchInput)
        field.display = bool(field.value)
        self.query_one("#help-table").focus()

    def action_close(self) -> None:
        """Show every key again; then close."""
        field = self.query_one(SearchInput)
        if field.value:
            field.value = ""
            field.display = False
        else:
            self.dismiss()
