"""The words of the command line, by what they are about."""

from engine.words.command import Command
from engine.words.editing import EDITING
from engine.words.looking import LOOKING
from engine.words.placing import PLACING
from engine.words.stepping import STEPPING
from engine.words.stopping import STOPPING

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
