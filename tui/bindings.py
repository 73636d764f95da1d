"""Commands as key bindings: of the whole screen, or of one pane."""

from textual.binding import Binding, BindingType

from tui.commands import COMMANDS, Command, key_name


def binding(command: Command) -> Binding:
    """The binding of a command's keys."""
    return Binding(
        ",".join((*command.keys, *command.aliases)),
        command.action,
        command.footer or command.help,
        show=bool(command.footer),
        key_display=key_name(command.keys[0]),
        id=command.id,
        priority="tab" in command.keys or "shift+tab" in command.keys,
    )


def bindings(pane: str = "") -> list[BindingType]:
    """The commands of a pane; without a name, those that work everywhere."""
    return [binding(command) for command in COMMANDS if command.pane == pane]
