"""The settings file: theme, history, the first hint, keys; every problem named with its line."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import GradstepError
from engine.wording import nearest
from tui.keys.command import Command
from tui.keys.keymap import read_table, remapped
from tui.keys.table import EVERY
from tui.settings.sizes import byte_size

THEMES = ("gradstep-dark", "gradstep-light")
LEAST_HISTORY = 2**20


@dataclass(frozen=True)
class Settings:
    """The settings; ``commands`` with their chosen keys, ``history`` in bytes (None: default)."""

    theme: str = THEMES[0]
    history: int | None = None
    hint: bool = True
    commands: tuple[Command, ...] = EVERY


def load_settings(path: Path) -> Settings:
    """The settings of a file; the defaults where there is none.

    Raises GradstepError with every problem and its line.
    """
    text, table = read_table(path)
    commands = remapped(table.get("keys", {}), path, text) if text else EVERY
    problems: list[str] = []
    values: dict[str, Any] = {}
    for name, value in table.items():
        where = f"line {line_of(text, name)}: {name}"
        if name == "keys":
            continue
        if name == "theme" and value in THEMES:
            values["theme"] = value
        elif name == "hint" and isinstance(value, bool):
            values["hint"] = value
        elif name == "history" and (size := bytes_of(value)) is not None:
            values["history"] = size
        elif name in EXPECTED:
            problems.append(f"{where}: {value!r:.60} is not {EXPECTED[name]}")
        else:
            problems.append(f"{where}: no such setting; {nearest(name, [*EXPECTED, 'keys'])}")
    if problems:
        raise GradstepError(f"{path}: " + "\n  ".join(["the settings cannot be used", *problems]))
    return Settings(commands=commands, **values)


EXPECTED = {
    "theme": f"one of {', '.join(THEMES)}",
    "history": 'a size of at least 1MiB, such as "256MiB"',
    "hint": "true or false",
}


def bytes_of(value: object) -> int | None:
    """The bytes of a size such as "256MiB"; None for no size or less than LEAST_HISTORY."""
    try:
        size = byte_size(value) if isinstance(value, str) else 0
    except ValueError:
        return None
    return size if size >= LEAST_HISTORY else None


def line_of(text: str, name: str) -> int:
    """The line on which a setting or its table stands, counted from 1; 1 where it is not found."""
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(rf"\s*\[?{re.escape(name)}\b", line):
            return number
    return 1


def settings_text() -> str:
    """The text of a settings file with every setting and every key as a comment."""
    lines = [
        "# Settings of gradstep. Remove the # of a line to change it.",
        "",
        f'# theme = "{THEMES[0]}"      # or "{THEMES[1]}"',
        '# history = "256MiB"           # the memory of a session\'s past',
        "# hint = true                  # the hint at the first start",
        "",
        "[keys]                         # one key or a list; `gradstep keys` shows them all",
    ]
    for command in (each for each in EVERY if not each.fixed):
        keys = [*command.keys, *command.aliases]
        value = f'"{keys[0]}"' if len(keys) == 1 else str(keys).replace("'", '"')
        lines.append(f"# {command.id} = {value}".ljust(41) + f" # {command.help}")
    return "\n".join(lines) + "\n"
