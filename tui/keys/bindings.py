"""Commands as key bindings: of the whole screen, or of one pane."""

from dataclasses import replace

from textual.binding import Binding, BindingType

from tui.keys.command import Command
from tui.keys.key_names import key_name
from tui.keys.table import EVERY


def binding(command: Command) -> Binding:
    """A command as a binding of the toolkit; its id lets the settings file change the keys."""
    return Binding(
        ",".join((*command.keys, *command.aliases)),
        command.press,
        command.footer or command.help,
        show=bool(command.footer),
        key_display=key_name(command.keys[0]),
        id=command.id,
        # Textual's own Tab moves the focus from widget to widget; priority comes before it.
        priority="tab" in command.keys or "shift+tab" in command.keys,
    )


def from_elsewhere(pane: str) -> list[BindingType]:
    """The commands of a pane for the screen: the keys reach a pane that does not have the focus."""
    return [
        replace(binding(command), action=f"in_pane({command.pane!r}, {command.id!r})", show=False)
        for command in EVERY
        if command.pane == pane and not command.fixed
    ]


def bindings(pane: str = "") -> list[BindingType]:
    """The bindings of a pane's commands, or of what is ELSEWHERE; without a name, everywhere's."""
    return [binding(c) for c in EVERY if c.pane == pane and not c.fixed]
