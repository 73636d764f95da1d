"""The dialog that opens something else: built-ins, files here, recent ones, and a table's targets.

What is wrong with a thing is said here, and the dialog stays open. What there is to say about a
thing is looked up in a thread, for the lines that are seen.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from engine.debugger import Debugger
from engine.errors import GradstepError
from engine.experiment.builtins import builtin_names
from tui.keys.bindings import bindings
from tui.keys.command import OPEN, Command
from tui.keys.line import short_names
from tui.render.text.clean import clean
from tui.settings.recent import recent
from tui.widgets.clean_input import CleanInput

SUFFIXES = (".toml", ".csv", ".tsv", ".gradstep", ".py")
MOST_FILES = 500  # of the folder
LABEL = 26  # characters of a name before what is said about it
COLUMN = "a column of the table"


@dataclass(frozen=True)
class Entry:
    """A line of the list: what Enter opens, how it is shown, and the group that it stands in."""

    thing: str
    label: str
    group: str


def entries() -> list[Entry]:
    """What there is to open: recent things, files of the folder, built-ins."""
    found = [Entry(thing, short_path(thing), "recent") for thing in recent()]
    found += [Entry(name, name, "files here") for name in files_here()]
    return found + [Entry(name, name, "built-in experiments") for name in builtin_names()]


def files_here() -> list[str]:
    """The files of the working folder that can be opened, by name, MOST_FILES at most."""
    try:
        with os.scandir() as folder:
            names = [one.name for one in folder if one.name.lower().endswith(SUFFIXES)]
    except OSError:
        return []
    return sorted(name for name in names if not name.startswith("."))[:MOST_FILES]


def short_path(thing: str) -> str:
    """A path as it is reached from here or from home, whichever is shorter."""
    if not os.path.isabs(thing):
        return thing
    home = str(Path.home())
    candidates = [thing, os.path.relpath(thing)]
    if thing.startswith(home + os.sep):
        candidates.append("~" + thing[len(home) :])
    return min(candidates, key=len)


class OpenInput(CleanInput):
    """What is typed filters the list; the keys of the dialog move in it."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(OPEN)

    @property
    def dialog(self) -> "OpenScreen":
        """The dialog."""
        assert isinstance(self.screen, OpenScreen)
        return self.screen

    def action_choose(self) -> None:
        """Open what is under the cursor."""
        self.dialog.choose()

    def action_mark(self) -> None:
        """Mark a column, or no longer."""
        self.dialog.mark()

    def action_close(self) -> None:
        """Back: from the columns to the list, from the list to the debugger."""
        self.dialog.back()

    def action_move(self, action: str) -> None:
        """Move the cursor of the list."""
        getattr(self.dialog.query_one(OptionList), f"action_{action}")()


Opened = tuple[str, Debugger]


class OpenScreen(ModalScreen[Opened | None]):
    """The modal dialog; its result is a thing with a debugger on it, or None.

    ``lost`` is what would be lost, in words, which has to be confirmed; ``budget`` the bytes of the
    history.
    """

    def __init__(self, commands: tuple[Command, ...], budget: int, lost: str = "") -> None:
        super().__init__()
        self.commands, self.budget, self.lost = commands, budget, lost
        self.all = entries()
        self.shown: list[Entry] = []
        self.known: dict[str, str] = {}
        self.table = ""  # whose columns are shown; empty while it is no table's
        self.marked: list[str] = []
        self.asked = ""  # what is opened on another Enter, although something is lost
        self.busy = False

    def compose(self) -> ComposeResult:
        with Vertical(id="open") as box:
            box.border_title = "Open"
            yield OpenInput(placeholder="type to filter, or a path", id="open-filter")
            yield OptionList(id="open-list", markup=False)
            yield Static(id="open-problem", markup=False)
            yield Static(short_names(self.commands, OPEN), id="open-hint", markup=False)

    def on_mount(self) -> None:
        """Fill the list; the field keeps the focus."""
        self.query_one(OptionList).can_focus = False
        self.query_one(OpenInput).focus()
        self.fill()

    # -- the list

    def fill(self) -> None:
        """Show the entries that what is typed is part of, the groups apart."""
        options = self.query_one(OptionList)
        self.shown = list(self.matching(self.query_one(OpenInput).value.strip()))
        options.clear_options()
        group = ""
        for number, entry in enumerate(self.shown):
            if entry.group != group:
                group = entry.group
                options.add_option(Option(Text(group, style="bold"), disabled=True))
            options.add_option(Option(self.text_of(entry), id=str(number)))
        if not self.shown:
            options.add_option(Option("nothing of that name", disabled=True))
        else:
            options.highlighted = 1
        self.call_after_refresh(self.look)

    def matching(self, typed: str) -> Iterator[Entry]:
        """The entries that a text is part of; else the path that it is."""
        found = [one for one in self.all if typed.casefold() in one.label.casefold()]
        if typed and not self.table and (not found or os.sep in typed):
            path = os.path.expanduser(typed)
            if all(one.thing != path for one in found):
                yield Entry(path, typed, "a path")
        yield from found

    def text_of(self, entry: Entry) -> Text:
        """An entry as its line: the name, a mark, and what is known about it."""
        mark = "✓ " if entry.thing in self.marked and self.table else ""
        label = clean(f"{mark}{entry.label}")
        if len(label) > LABEL:
            label = f"…{label[1 - LABEL :]}"
        said = COLUMN if self.table else self.known.get(entry.thing, "")
        text = Text(label.ljust(LABEL + 1), overflow="ellipsis", no_wrap=True)
        return text.append(clean(said)[:200], style="dim")

    @on(Input.Changed)
    def filter(self) -> None:
        """What is typed has changed."""
        self.say("")
        self.fill()

    @on(OptionList.OptionHighlighted)
    def highlighted(self) -> None:
        """Other lines may be seen now."""
        self.look()

    @on(OptionList.OptionSelected)
    def clicked(self, event: OptionList.OptionSelected) -> None:
        """A click chooses."""
        event.stop()
        self.choose()

    def look(self) -> None:
        """Look up, in a thread, what there is to say about the lines that are seen."""
        if self.table or not self.is_mounted:
            return
        options = self.query_one(OptionList)
        top, height = options.scroll_offset.y, options.size.height
        seen = [
            options.get_option_at_index(i).id
            for i in range(top, min(top + height, options.option_count))
        ]
        things = [self.shown[int(one)].thing for one in seen if one is not None]
        missing = list(dict.fromkeys(one for one in things if one not in self.known))
        if missing:
            self.run_worker(
                partial(self.find_out, missing), thread=True, group="about", exclusive=True
            )

    def find_out(self, things: Sequence[str]) -> None:
        """In a thread: what there is to say about things."""
        from engine.words.about import about

        found = {thing: about(thing) for thing in things}
        if self.is_attached:
            self.app.call_from_thread(self.tell, found)

    def tell(self, found: dict[str, str]) -> None:
        """Show what has been found out."""
        self.known |= found
        if self.is_attached and not self.table:
            options = self.query_one(OptionList)
            for number, entry in enumerate(self.shown):
                if entry.thing in found:
                    options.replace_option_prompt(str(number), self.text_of(entry))

    # -- what keys do

    @property
    def chosen(self) -> Entry | None:
        """The entry under the cursor."""
        options = self.query_one(OptionList)
        if options.highlighted is None or not self.shown:
            return None
        name = options.get_option_at_index(options.highlighted).id
        return self.shown[int(name)] if name is not None else None

    def choose(self) -> None:
        """Open what is under the cursor; a table shows its columns first."""
        entry = self.chosen
        if entry is None or self.busy:
            return
        thing = self.table or entry.thing
        targets = (self.marked or [entry.thing]) if self.table else []
        if self.lost and self.asked != thing:
            self.asked = thing
            self.say(f"{self.lost} here would be lost: Enter again opens it all the same")
            return
        self.busy = True
        self.say("opening …")
        self.run_worker(partial(self.attempt, thing, targets), thread=True, group="open")

    def attempt(self, thing: str, targets: Sequence[str]) -> None:
        """In a thread: a debugger on a thing, or why there is none."""
        from engine.words.things import NeedsTargets, open_thing

        then: Callable[[], object]
        try:
            made = open_thing(thing, targets, self.budget)
            then = partial(self.dismiss, (thing, made))
        except NeedsTargets as needed:
            then = partial(self.ask_columns, thing, needed.columns)
        except (GradstepError, OSError, MemoryError) as problem:
            then = partial(self.say, str(problem) or "not enough memory")
        self.app.call_from_thread(self.done, then)

    def done(self, then: Callable[[], object]) -> None:
        """It was tried."""
        self.busy = False
        if self.is_attached:
            then()

    def ask_columns(self, table: str, columns: Sequence[str]) -> None:
        """Show the columns of a table: which are to be predicted?"""
        self.table, self.marked = table, []
        self.all = [Entry(name, name, "which column is to be predicted?") for name in columns]
        self.restart()

    def restart(self) -> None:
        """Another list, nothing typed."""
        field = self.query_one(OpenInput)
        self.say("")
        if field.value:
            field.value = ""
        else:
            self.fill()

    def mark(self) -> None:
        """Mark a column as one to be predicted, or no longer."""
        entry, options = self.chosen, self.query_one(OptionList)
        if entry is None or not self.table:
            return
        (self.marked.remove if entry.thing in self.marked else self.marked.append)(entry.thing)
        assert options.highlighted is not None
        options.replace_option_prompt_at_index(options.highlighted, self.text_of(entry))

    def back(self) -> None:
        """From the columns to the list, from the list to the debugger."""
        if not self.table:
            self.dismiss(None)
            return
        self.table, self.all = "", entries()
        self.restart()

    def say(self, text: str) -> None:
        """Say what is wrong, in a few lines."""
        shown = self.query_one("#open-problem", Static)
        shown.update(clean(text, keep_newlines=True))
        shown.set_class(bool(text), "shown")
