"""The last line of a screen: keys that are useful here; a click on one presses it."""

from collections.abc import Sequence

from textual import events
from textual.reactive import reactive

from tui.keys.command import PLOTS, PROMPT, Command
from tui.keys.line import Hint, hints, key_line, placed
from tui.keys.shown import Shown
from tui.render.text.line import Line, width_of
from tui.widgets.lines import Lines


class KeyLine(Lines):
    """Keys of a place: of a pane, of the plots screen, or of a prompt while something is typed."""

    place = reactive("")
    typing = reactive(False)
    shown = reactive(Shown())

    def __init__(self, commands: Sequence[Command], place: str) -> None:
        super().__init__()
        self.commands = commands
        self.set_reactive(KeyLine.place, place)

    @property
    def hints(self) -> Sequence[Hint]:
        """The hints of the place, or of a prompt; those that fit are shown."""
        if not self.typing:
            return hints(self.commands, self.place, self.shown)
        found = hints(self.commands, PROMPT)  # nothing completes a file on the plots screen
        return [hint for hint in found if hint.always or self.place != PLOTS]

    def made(self) -> list[Line]:
        return [key_line(self.hints, self.content_size.width)]

    def on_click(self, event: events.Click) -> None:
        """Press the key under the mouse."""
        for x, hint in placed(self.hints, self.content_size.width):
            if x <= event.x < x + width_of(hint.spans):
                self.app.simulate_key(hint.key_at(event.x - x))
