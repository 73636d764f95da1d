"""The list of stops: switched on and off, edited and deleted."""

from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from engine.stops.stop import Stop
from engine.stops.stop_list import StopList
from tui.control.prompting import Prompting
from tui.keys.bindings import bindings
from tui.keys.bound import bound
from tui.keys.command import STOPS, Command
from tui.keys.line import short_names
from tui.keys.table import BY_ID
from tui.render.text.clean import clean

Ask = Callable[[Prompting], None]
"""Opens the prompt that follows the closed list."""


def stop_text(stop: Stop) -> Text:
    """A stop in a line: on or off, number, what it stops at, notes."""
    mark = "●" if stop.enabled else "○"
    notes = "  ".join(stop.notes)
    return Text(clean(f"{mark} {stop.number:>2}  {stop}  {notes}"), overflow="ellipsis")


class StopsScreen(ModalScreen[Ask | None]):
    """The modal list of stops; its result opens a prompt, or is None.

    ``run`` runs a line of the command language, as every key here does.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings(STOPS)

    def __init__(
        self, stops: StopList, commands: tuple[Command, ...], run: Callable[[str], None]
    ) -> None:
        super().__init__()
        self.stops = stops
        self.commands = commands
        self.run = run

    def compose(self) -> ComposeResult:
        with Vertical(id="stops") as box:
            box.border_title = "Stops"
            # Conditions and messages hold brackets, which would be read as markup.
            yield OptionList(id="stop-list", markup=False)
            yield Static(short_names(self.commands, STOPS), id="stop-hint", markup=False)

    def on_mount(self) -> None:
        """Fill the list."""
        self.fill(0)

    def fill(self, place: int) -> None:
        """Fill the list anew, with the cursor at ``place`` or at the last stop."""
        options = self.query_one(OptionList)
        options.clear_options()
        for stop in self.stops:
            options.add_option(Option(stop_text(stop), id=str(stop.number)))
        if not len(self.stops):
            keys = bound(self.commands)
            options.add_option(
                Option(
                    f"no stops yet: {keys['break']} on an op of the program sets one, "
                    f"{keys['stop-add']} adds one",
                    disabled=True,
                )
            )
        options.highlighted = min(place, len(self.stops) - 1) if len(self.stops) else None

    @property
    def chosen(self) -> Stop | None:
        """The stop under the cursor; None where the list is empty."""
        place = self.query_one(OptionList).highlighted
        stops = list(self.stops)
        return stops[place] if place is not None and place < len(stops) else None

    def change(self, name: str) -> None:
        """Run the word of a key about the stop under the cursor."""
        if (stop := self.chosen) is not None:
            self.run(BY_ID[name].line(stop=str(stop.number)))
            self.fill(self.query_one(OptionList).highlighted or 0)

    def ask(self, name: str, label: str, text: str) -> None:
        """Close the list, and ask for what a word about the stop under the cursor needs."""
        if (stop := self.chosen) is not None:
            number = stop.number
            self.dismiss(lambda asking: asking.of_stop(name, number, label, text))

    def action_switch(self) -> None:
        """Switch a stop on or off."""
        if (stop := self.chosen) is not None and stop.enabled:
            self.run(f"disable {stop.number}")
            self.fill(self.query_one(OptionList).highlighted or 0)
        else:
            self.change("stop-switch")

    def action_delete(self) -> None:
        """Remove a stop."""
        self.change("stop-delete")

    def action_once(self) -> None:
        """Stop once, or every time."""
        self.change("stop-once")

    def action_condition(self) -> None:
        """Type a condition."""
        if (stop := self.chosen) is not None:
            self.ask("stop-if", f"stop {stop.number} only if", stop.condition or "")

    def action_ignore(self) -> None:
        """Type how many hits pass."""
        if (stop := self.chosen) is not None:
            self.ask("stop-ignore", f"stop {stop.number}: hits to ignore", str(stop.ignore))

    def action_log(self) -> None:
        """Type a message to print instead of stopping."""
        if (stop := self.chosen) is not None:
            self.ask("stop-log", f"stop {stop.number} prints", stop.log or "")

    def action_add(self) -> None:
        """Type a new stop."""
        head = BY_ID["stop-add"].line(text="")
        self.dismiss(lambda asking: asking.command(head, len(head)))

    def action_close(self) -> None:
        """Back to the debugger."""
        self.dismiss(None)
