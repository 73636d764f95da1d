"""The command palette, which survives whatever is typed at once, in a window of any size."""

from textual import on
from textual.command import CommandList, CommandPalette
from textual.widgets import Input, OptionList


class Palette(CommandPalette):
    """The toolkit's palette.

    It takes each Enter for a choice and closes the topmost screen: where two come before it has
    closed, that would be the debugger itself.
    """

    @on(OptionList.OptionSelected)
    @on(Input.Submitted)
    @on(Input.Changed)
    def once(self, event: OptionList.OptionSelected | Input.Submitted | Input.Changed) -> None:
        """Let nothing be chosen or looked for in a palette that is closed."""
        if not self.is_current:
            event.stop()
            event.prevent_default()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """No page up or down in a list that has no room: it knows no lines then, and fails."""
        if action == "command_list" and parameters in (("page_up",), ("page_down",)):
            return bool(self.query_one(CommandList).scrollable_content_region)
        return super().check_action(action, parameters)
