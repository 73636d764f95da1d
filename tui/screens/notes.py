"""The notes of the session, whole, newest at the bottom."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.keys.bindings import bindings
from tui.keys.command import NOTES, Command
from tui.keys.line import short_names
from tui.render.text.clean import clean


class NotesScreen(ModalScreen[None]):
    """The notes with the events at which they were said; ``past`` has the newest last."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(NOTES)

    def __init__(self, past: Sequence[tuple[int, str]], commands: tuple[Command, ...]) -> None:
        super().__init__()
        self.past = past
        self.commands = commands

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="notes") as box:
            box.border_title = "What was said"
            box.border_subtitle = short_names(self.commands, NOTES)
            width = max((len(f"#{event}") for event, _ in self.past), default=0)
            for event, note in self.past:
                yield Static(f"{f'#{event}':>{width}}  {clean(note)}", markup=False)
            if not self.past:
                yield Static("nothing yet: what keys and commands say is kept here", markup=False)

    def on_mount(self) -> None:
        """Begin at the newest."""
        box = self.query_one("#notes", VerticalScroll)
        box.focus()
        box.scroll_end(animate=False)

    def action_close(self) -> None:
        """Back to the debugger."""
        self.dismiss(None)
