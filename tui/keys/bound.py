"""The keys that commands really have: texts that name a key take it from here."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tui.keys.command import PANES, Command, to_pane
from tui.keys.key_names import key_name

Bound = Mapping[str, str]
"""The first key of each command as it is read on screen, by the id of the command."""


def bound(commands: Sequence[Command]) -> Bound:
    """The keys of the commands of a table."""
    return {command.id: key_name(command.keys[0]) for command in commands if command.keys}


def named(commands: Sequence[Command]) -> tuple[Command, ...]:
    """The commands with the keys of others in what is said of them: ``{sought} chooses``."""
    keys = bound(commands)
    return tuple(
        replace(command, help=command.help.format_map(keys)) if "{" in command.help else command
        for command in commands
    )


def pane_title(keys: Bound, pane: str) -> str:
    """The title of a pane, behind the key that goes there."""
    return f"{keys.get(to_pane(pane), '')} {PANES[pane].title}".lstrip()
