"""The keys as people read them: the help, ``gradstep keys`` and docs/keys.md, by pane."""

from collections.abc import Iterator, Sequence

from tui.keys.bound import Bound, bound
from tui.keys.command import PANES, PLOTS, Command
from tui.keys.key_names import key_name
from tui.keys.table import EVERY

Rows = list[tuple[str, str]]
PALETTE = "everything by name: panes, experiments, recordings, bookmarks, words"


def keys_text(command: Command) -> str:
    """All keys of a command as they are read on screen."""
    return ", ".join(key_name(key) for key in (*command.keys, *command.aliases))


def run_of(keys: Sequence[str]) -> str:
    """Keys that do the same to one thing after the other, in brief where they are many."""
    return ", ".join(keys) if len(keys) < 4 else f"{keys[0]} … {keys[-1]}"


def rows_of(commands: Sequence[Command]) -> Rows:
    """Keys and what they do; those that do the same share a row."""
    listed: dict[str, list[str]] = {}
    for command in commands:
        listed.setdefault(command.help, []).append(keys_text(command))
    return [(run_of(keys), words) for words, keys in listed.items()]


def help_rows(
    commands: tuple[Command, ...] = EVERY, place: str = ""
) -> list[tuple[str, list[tuple[str, str]]]]:
    """The table of the help: a heading, then (keys, what they do).

    What works in ``place``, a pane or the plots screen, comes first, with the keys of everywhere
    that are about it. Then come the keys of everywhere by group, and the other places.
    """
    groups = dict(everywhere(commands))
    places = {c.pane: c.group for c in commands if c.pane}
    order = sorted(places, key=lambda pane: list(PANES).index(pane) if pane in PANES else 99)
    # What is of everywhere is told again where it is read first, and where all is written down.
    own = {places[p]: of_place(commands, p, near=place in ("", p)) for p in order}
    if PLOTS in places:
        own[places[PLOTS]].append(("step keys", "step; the curves go on"))
    if place not in places:
        return [*groups.items(), *own.items()]
    first = {places[place]: own.pop(places[place])}
    return [*first.items(), *groups.items(), *own.items()]


def of_place(commands: Sequence[Command], place: str, near: bool) -> Rows:
    """The rows of a place: its own keys; where ``near``, those of everywhere about it too."""
    own = [c for c in commands if c.pane == place]
    return rows_of([*(c for c in own if not c.fixed), *(c for c in own if c.fixed),
                    *(c for c in commands if near and place in c.near)])  # fmt: skip


def counts(keys: Bound) -> tuple[str, str]:
    """How a count is written, which is no key of its own."""
    line = keys.get("command", "")
    again = f"{line} and {keys.get('prompt-done', '')} do it again"
    return f"{line}20s, {line}-5n", f"a count, and back; {again}"


def everywhere(commands: Sequence[Command]) -> Iterator[tuple[str, Rows]]:
    """The groups of the keys that work in every pane."""
    for group in dict.fromkeys(c.group for c in commands if not c.pane):
        rows = rows_of([c for c in commands if c.group == group and not c.pane])
        if group == "Stepping":
            rows.append(counts(bound(commands)))
        if group == "Session":
            rows.append((key_name("ctrl+p"), PALETTE))
        yield group, rows
