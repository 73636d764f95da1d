"""The words of the command line, by what they are about."""

from engine.debugger import Debugger
from engine.wording import suggestion
from engine.words.claiming import CLAIMING
from engine.words.command import Argument, Command, Reply
from engine.words.editing import EDITING
from engine.words.looking import LOOKING
from engine.words.opening import OPENING
from engine.words.placing import PLACING
from engine.words.reloading import RELOADING
from engine.words.stepping import STEPPING
from engine.words.stopping import STOPPING
from engine.words.working import WORKING


def run_help(debugger: Debugger, argument: Argument, count: int) -> Reply:
    """Every command with its form and summary, or one of them."""
    if argument:
        command = COMMANDS.get(argument.text)
        if command is None:
            raise argument.error(
                f"no command {argument.text!r}{suggestion(argument.text, COMMANDS)}"
            )
        return Reply((command.usage, f"  {command.summary}"))
    lines = []
    for group, commands in GROUPS.items():
        lines.append(f"{group}:")
        lines += [f"  {command.usage}: {command.summary}" for command in commands]
    return Reply(tuple(lines))


HELP = Command(("help", "h"), "[COMMAND]", "these words", run_help, "word")
GROUPS: dict[str, tuple[Command, ...]] = {
    "Step": STEPPING,
    "Stop": STOPPING,
    "Look": (*LOOKING, *CLAIMING, *WORKING, HELP),
    "Places": PLACING,
    "Change": EDITING,
    "Open": (*OPENING, *RELOADING),
}
COMMANDS: dict[str, Command] = {
    name: command for group in GROUPS.values() for command in group for name in command.names
}
