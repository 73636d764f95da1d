"""Keys of a person's own: the [keys] table of the settings file, checked before it is used.

A clash, an unknown command, a name that is no key and a key that no terminal sends are errors with
their line; nothing is ever ignored.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

from engine.errors import GradstepError
from engine.files import read_regular
from engine.toml_text import read_toml
from engine.wording import nearest
from tui.keys.bound import named
from tui.keys.command import Command
from tui.keys.key_names import key_name
from tui.keys.table import EVERY, WRITTEN

MAX_BYTES = 2**20  # of a settings file
ARROWS = ("up", "down", "left", "right", "home", "end", "pageup", "pagedown")
NAMED = (*ARROWS, "insert", "delete", "backspace", "enter", "tab", "escape", "space")
FUNCTION = re.compile(r"f([1-9]|1[0-9]|2[0-4])\Z")
MODIFIERS = ("ctrl", "shift", "alt")
# Terminals send these as other keys: Ctrl+I is Tab, Ctrl+M is Enter, Ctrl+[ is Esc, …
SAME_AS = {"ctrl+i": "Tab", "ctrl+m": "Enter", "ctrl+j": "Enter", "ctrl+h": "Backspace"}
# Keys that the settings file cannot give to a command, and whose they are.
OWN = {
    **dict.fromkeys(("up", "down", "left", "right", "enter"), "the focused pane"),
    **dict.fromkeys(("pageup", "pagedown", "home", "end"), "the focused pane"),
    "ctrl+p": "the palette",
    "ctrl+q": "quitting",
    "ctrl+c": "copying",
}
# Where the toolkit's name of a character is not its Unicode name.
RENAMED = {
    "solidus": "slash",
    "reverse_solidus": "backslash",
    "commercial_at": "at",
    "hyphen_minus": "minus",
    "plus_sign": "plus",
    "low_line": "underscore",
}


def load_commands(path: Path) -> tuple[Command, ...]:
    """The commands with the keys of a settings file; without one, as they are.

    Raises GradstepError where the file or its keys cannot be used.
    """
    text, table = read_table(path)
    return remapped(table.get("keys", {}), path, text) if text else EVERY


def read_table(path: Path) -> tuple[str, dict[str, Any]]:
    """A settings file as text and as a table, both empty where there is none.

    Raises GradstepError where it cannot be read or is not TOML.
    """
    try:
        text = read_regular(path, MAX_BYTES).decode("utf-8-sig")
    except FileNotFoundError:
        return "", {}
    except (OSError, UnicodeDecodeError) as error:
        raise GradstepError(f"{path}: {error}") from None
    try:
        return text, read_toml(text)
    except ValueError as error:
        raise GradstepError(f"{path}: not valid TOML: {error}") from None


def remapped(table: object, path: Path, text: str) -> tuple[Command, ...]:
    """The commands with the keys of a [keys] table.

    Raises a GradstepError that names every problem with its line.
    """
    problems: list[str] = []
    if not isinstance(table, Mapping):
        raise GradstepError(f"{path}: keys must be a table, [keys]")
    known = {command.id: command for command in EVERY}
    chosen: dict[str, tuple[str, ...]] = {}
    for name, value in table.items():
        where = f"line {line_of(text, name)}: {name}"
        if name not in known:
            problems.append(f"{where}: no such command; {nearest(name, known)}")
            continue
        if known[name].fixed:
            problems.append(f"{where}: a pane moves its cursor with these keys, and keeps them")
            continue
        listed = [value] if isinstance(value, str) else value
        if not isinstance(listed, list) or not all(isinstance(key, str) for key in listed):
            problems.append(f'{where}: a key such as "s", or a list of keys, is needed')
            continue
        if not listed:
            problems.append(f"{where}: a command has at least one key")
            continue
        keys = [key_of(key) for key in listed]
        for key, written in zip(keys, listed, strict=True):
            reason = trouble(key, written)
            # What a command has anyway is right, as the arrows of the plots screen.
            if reason and key not in known[name].keys:
                problems.append(f"{where}: {reason}")
        chosen[name] = tuple(key for key in keys if key)
    commands = named([with_keys(command, chosen) for command in WRITTEN])
    problems += clashes(commands, chosen, text)
    if problems:
        raise GradstepError(f"{path}: " + "\n  ".join(["the keys cannot be used", *problems]))
    return commands


def with_keys(command: Command, chosen: Mapping[str, tuple[str, ...]]) -> Command:
    """A command with its chosen keys, if there are any."""
    if command.id not in chosen:
        return command
    # Without aliases: who chooses keys chooses all of them.
    return replace(command, keys=chosen[command.id], aliases=())


def key_of(written: str) -> str:
    """The toolkit's name of a key written as ``ctrl+k`` or ``?``; empty where it is no key."""
    *modifiers, last = written.split("+") if len(written) > 1 else [written]
    if any(modifier not in MODIFIERS for modifier in modifiers):
        return ""
    name = character_name(last) if len(last) == 1 else last
    if len(last) > 1 and last not in NAMED and not FUNCTION.match(last):
        name = last if any(last == key for c in EVERY for key in c.keys) else ""
    return "+".join([*sorted(modifiers), name]) if name else ""


def character_name(character: str) -> str:
    """The toolkit's name of a character: itself, or its Unicode name with underscores."""
    if character.isalnum():
        return character
    name = unicodedata.name(character, "").lower().replace(" ", "_").replace("-", "_")
    return RENAMED.get(name, name)


def trouble(key: str, written: str) -> str:
    """Why a key cannot be used; empty where it can."""
    if not key:
        names = ", ".join(NAMED)
        return f"{written!r} is no key: a character, {names} or f1 … f24, with ctrl+ alt+ shift+"
    if key in SAME_AS:
        return f"{written!r} is unreachable: terminals send it as {SAME_AS[key]}"
    if key in OWN:
        return f"{written!r} belongs to {OWN[key]}"
    *modifiers, last = key.split("+")
    if "shift" in modifiers and len(last) == 1:
        better = last.upper() if last.isalpha() else last
        return f"{written!r} is unreachable: write {better!r}, as terminals send it"
    if "ctrl" in modifiers and len(last) == 1 and not last.isalpha():
        return f"{written!r} is unreachable: terminals send Ctrl with letters only"
    return ""


def clashes(
    commands: tuple[Command, ...], chosen: Mapping[str, tuple[str, ...]], text: str
) -> list[str]:
    """Keys that two commands have; each is told at the line that brought it in."""
    found = []
    for key, names in owners(commands).items():
        if len(names) > 1 and (brought := [name for name in names if name in chosen]):
            name = brought[0]
            others = " and ".join(other for other in names if other != name) or name
            where = f"line {line_of(text, name)}: {name}"
            found.append(f"{where}: {key_name(key)!r} is the key of {others} too")
    return found


def owners(commands: tuple[Command, ...]) -> dict[str, list[str]]:
    """The commands of every key that can mean more than one of them at one place."""
    found: dict[str, list[Command]] = {}
    for command in commands:
        for key in (*command.keys, *command.aliases):
            found.setdefault(key, []).append(command)
    shared: dict[str, list[str]] = {}
    for key, meant in found.items():
        pairs = [pair for pair in combinations(meant, 2) if pair[0].places & pair[1].places]
        if pairs:
            shared[key] = [each.id for each in meant if any(each in pair for pair in pairs)]
    return shared


def line_of(text: str, name: str) -> int:
    """The line on which a command of the [keys] table stands, counted from 1; 1 for none."""
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip().startswith("["):
            inside = line.strip().startswith("[keys]")
        if inside and re.match(rf"""\s*["']?{re.escape(name)}["']?\s*=""", line):
            return number
    return 1
