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

    # No repaint: painted together with what else the key has changed, where it differs.
    place = reactive("", repaint=False)
    typing = reactive(False, repaint=False)
    shown = reactive(Shown(), repaint=False)

    def __init__(self, commands: Sequence[Command], place: str) -> None:
        super().__init__()
        self.commands = commands
        self._known: dict[tuple[object, ...], Line] = {}
        self.set_reactive(KeyLine.place, place)

    def watch_place(self) -> None:
        """Show the keys of another pane."""
        self.watch_view()

    def watch_typing(self) -> None:
        """Show the keys of the prompt, or again those of the pane."""
        self.watch_view()

    def watch_shown(self) -> None:
        """Show which keys do something now."""
        self.watch_view()

    @property
    def hints(self) -> Sequence[Hint]:
        """The hints of the place, or of a prompt; those that fit are shown."""
        if not self.typing:
            return hints(self.commands, self.place, self.shown)
        found = hints(self.commands, PROMPT)  # nothing completes a file on the plots screen
        return [hint for hint in found if hint.always or self.place != PLOTS]

    def made(self) -> list[Line]:
        asked = (self.place, self.typing, self.shown, width := self.content_size.width)
        line = self._known.get(asked)
        if line is None:  # a step changes a few facts to and fro
            line = self._known[asked] = key_line(self.hints, width)
        return [line]

    def on_click(self, event: events.Click) -> None:
        """Press the key under the mouse."""
        for x, hint in placed(self.hints, self.content_size.width):
            if x <= event.x < x + width_of(hint.spans):
                self.app.simulate_key(hint.key_at(event.x - x))
