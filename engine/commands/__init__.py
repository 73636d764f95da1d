"""The words of the command line, by what they are about."""

from engine.command import Command
from engine.commands.editing import EDITING
from engine.commands.looking import LOOKING
from engine.commands.placing import PLACING
from engine.commands.stepping import STEPPING
from engine.commands.stopping import STOPPING

GROUPS: dict[str, tuple[Command, ...]] = {
    "Step": STEPPING,
    "Stop": STOPPING,
    "Look": LOOKING,
    "Places": PLACING,
    "Change": EDITING,
}
COMMANDS: dict[str, Command] = {
    name: command for group in GROUPS.values() for command in group for name in command.names
}
