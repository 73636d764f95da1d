"""The help screen: every command, from the table that also makes the keys."""

from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.keys.bindings import bindings
from tui.keys.table import EVERY, HELP, PANES, Command, Pane, help_rows


def help_table(pane: str, commands: tuple[Command, ...]) -> Table:
    """The commands by group, those of ``pane`` first; a pane by its id, or the plots screen."""
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", style="bold", no_wrap=True)
    table.add_column()
    place = PANES[pane] if pane in PANES else Pane(0, "Plots", "curves over the run, regions")
    table.add_row("", Text(f"{place.title}: {place.help}", style="italic"))
    table.add_row("arrows", "move in the focused pane; PgUp PgDn Home End too")
    for group, rows in help_rows(commands, pane):
        table.add_row("", "")
        table.add_row("", Text(group, style="bold underline"))
        for keys, words in rows:
            # As Text: in a str Rich reads brackets, which are keys here, as markup.
            table.add_row(Text(keys), Text(words))
    return table


class HelpScreen(ModalScreen[None]):
    """The modal list of every command and its keys."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(HELP)

    def __init__(self, pane: str, commands: tuple[Command, ...] = EVERY) -> None:
        super().__init__()
        self.commands = commands
        self.pane = pane

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help") as box:
            box.border_title = "Help · Esc closes"
            yield Static(help_table(self.pane, self.commands))
