"""The letters of the panes, behind the jump key: the next key goes to one."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.keys.bindings import bindings
from tui.keys.command import JUMP, Command
from tui.keys.line import short_names


class JumpScreen(ModalScreen[str | None]):
    """A line of letters and panes; closed with the pane, or None."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(JUMP)

    def __init__(self, commands: tuple[Command, ...]) -> None:
        super().__init__()
        self.commands = commands

    def compose(self) -> ComposeResult:
        yield Static(short_names(self.commands, JUMP), id="jump", markup=False)

    def action_go(self, pane: str) -> None:
        """To a pane."""
        self.dismiss(pane)

    def action_close(self) -> None:
        """Stay."""
        self.dismiss(None)
