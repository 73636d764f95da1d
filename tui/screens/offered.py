"""What the palette offers: commands, panes, bookmarks, words, experiments, recordings, themes."""

import shlex
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from tui.control.prompting import Prompting
from tui.control.words import Words
from tui.keys.command import ELSEWHERE, PANES, Command, to_pane
from tui.keys.help import keys_text
from tui.screens.palette import Entry

MOST_FILES = 200
OPEN = "open"  # the word that opens an experiment or a recording


def offered(
    commands: tuple[Command, ...],
    words: Words,
    prompting: Prompting,
    run: Callable[[Command], Callable[[], object]],
) -> Iterator[Entry]:
    """Every entry, panes first; ``run`` gives what does a command of the table."""
    panes = {to_pane(key): pane for key, pane in PANES.items()}
    for command in commands:
        if command.id in panes:
            pane = panes[command.id]
            said = command.help.removeprefix(f"{pane.title}: ")
            yield Entry(f"Pane: {pane.title}, {said}", keys_text(command), run(command))
    for command in commands:
        if command.id not in panes and command.pane not in ELSEWHERE and not command.fixed:
            yield Entry(command.title, keys_text(command), run(command))
    for mark in words.debugger.bookmarks.values():
        title = f"Bookmark: {mark.name}  {mark.text}".rstrip()
        yield Entry(title, f"#{mark.event}", partial(words.typed, f"goto '{mark.name}"))
    yield from of_words(words, prompting)


def of_words(words: Words, prompting: Prompting) -> Iterator[Entry]:
    """The words of the command line: those that need more open the prompt; and what opens files."""
    from engine.experiment.builtins import builtin_names
    from engine.words.table import GROUPS

    known = {name for group in GROUPS.values() for each in group for name in each.names}
    if OPEN in known:
        for name in builtin_names():
            act = partial(open_thing, name, words, prompting)
            yield Entry(f"Experiment: {name}", "built in", act)
        for kind, ending in (("Experiment", "toml"), ("Recording", "gradstep")):
            for path in sorted(Path().glob(f"*.{ending}"))[:MOST_FILES]:
                act = partial(open_thing, shlex.quote(str(path)), words, prompting)
                yield Entry(f"{kind}: {path}", "file", act)
    for group in GROUPS.values():
        for each in group:
            name = each.names[-1]
            act = partial(prompting.command, f"{name} ", len(name) + 1)
            if not each.form:
                act = partial(words.typed, name)
            yield Entry(f"Word: {each.usage}, {each.summary}", f":{name}", act)


def open_thing(thing: str, words: Words, prompting: Prompting) -> None:
    """Open a thing; asked first where something would be lost."""
    from engine.words.reloading import ANYWAY, unsaved

    lost = unsaved(words.debugger)
    if not lost or words.recording() or not prompting.display.free:
        words.typed(f"{OPEN} {thing}")
        return
    keys = prompting.display.keys
    label = f"{lost} would be lost: {keys['prompt-done']} opens it, {keys['prompt-leave']} stays"
    prompting.ask(label, lambda _: words.typed(f"{OPEN} {ANYWAY} {thing}"))
