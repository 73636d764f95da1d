"""The command palette, closed once however many keys that close it are typed at once."""

from textual import on
from textual.command import CommandPalette
from textual.widgets import Input, OptionList


class Palette(CommandPalette):
    """The toolkit's palette.

    It takes each Enter for a choice and closes the topmost screen: where two come before it has
    closed, that would be the debugger itself.
    """

    @on(OptionList.OptionSelected)
    @on(Input.Submitted)
    def once(self, event: OptionList.OptionSelected | Input.Submitted) -> None:
        """Let nothing be chosen in a palette that is closed."""
        if not self.is_current:
            event.stop()
            event.prevent_default()
