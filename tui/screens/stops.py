"""The list of stops: switched on and off, edited and deleted."""

from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from engine.stops.stop import Stop
from engine.stops.stop_list import StopList
from tui.render.text.clean import clean

HINT = "Space on/off  o once  i if  g ignore  l log  d delete  a add  Esc close"


@dataclass(frozen=True)
class StopsAnswer:
    """The prompt that follows the closed list: its kind, its label, and the text to begin with."""

    kind: str
    label: str
    text: str = ""


def stop_text(stop: Stop) -> Text:
    """A stop in a line: on or off, number, what it stops at, notes."""
    mark = "●" if stop.enabled else "○"
    notes = "  ".join(stop.notes)
    return Text(clean(f"{mark} {stop.number:>2}  {stop}  {notes}"), overflow="ellipsis")


class StopsScreen(ModalScreen[StopsAnswer | None]):
    """The modal list of stops; its result is the prompt to open next, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,B", "close", "Close"),
        Binding("space", "switch", "On/off"),
        Binding("d,delete", "delete", "Delete"),
        Binding("i", "condition", "Condition"),
        Binding("g", "ignore", "Ignore"),
        Binding("o", "once", "Once"),
        Binding("l", "log", "Log"),
        Binding("a", "add", "Add"),
    ]

    def __init__(self, stops: StopList) -> None:
        super().__init__()
        self.stops = stops

    def compose(self) -> ComposeResult:
        with Vertical(id="stops") as box:
            box.border_title = "Stops"
            # Conditions and messages hold brackets, which would be read as markup.
            yield OptionList(id="stop-list", markup=False)
            yield Static(HINT, id="stop-hint", markup=False)

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
            options.add_option(
                Option(
                    "no stops yet: b on an op of the program sets one, a adds one",
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

    def action_switch(self) -> None:
        """Switch a stop on or off."""
        if (stop := self.chosen) is not None:
            self.stops.enable(stop.number, not stop.enabled)
            self.fill(self.query_one(OptionList).highlighted or 0)

    def action_delete(self) -> None:
        """Remove a stop."""
        if (stop := self.chosen) is not None:
            self.stops.delete(stop.number)
            self.fill(self.query_one(OptionList).highlighted or 0)

    def action_condition(self) -> None:
        """Type a condition."""
        if (stop := self.chosen) is not None:
            label = f"stop {stop.number} only if"
            self.dismiss(StopsAnswer(f"condition {stop.number}", label, stop.condition or ""))

    def action_ignore(self) -> None:
        """Type how many hits pass."""
        if (stop := self.chosen) is not None:
            label = f"stop {stop.number}: hits to ignore"
            self.dismiss(StopsAnswer(f"ignore {stop.number}", label, str(stop.ignore)))

    def action_once(self) -> None:
        """Stop once, or every time."""
        if (stop := self.chosen) is not None:
            self.stops.edit(stop.number, once=not stop.once)
            self.fill(self.query_one(OptionList).highlighted or 0)

    def action_log(self) -> None:
        """Type a message to print instead of stopping."""
        if (stop := self.chosen) is not None:
            label = f"stop {stop.number} prints"
            self.dismiss(StopsAnswer(f"log {stop.number}", label, stop.log or ""))

    def action_add(self) -> None:
        """Type a new stop."""
        self.dismiss(StopsAnswer("command", ":", "b "))

    def action_close(self) -> None:
        """Back to the debugger."""
        self.dismiss(None)
