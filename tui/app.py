"""The Textual application: themes, style sheet, palette and the queue of typed keys."""

import asyncio
import contextlib
import errno
import gc
import io
import select
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from inspect import isawaitable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.message import Message
from textual.screen import Screen

from engine.debugger import Debugger
from engine.experiment.reader import load_experiment
from engine.jacobian.operator import Layout
from engine.program.compiler import compile_program
from engine.program.program import Program
from engine.run.position_text import parse_position
from engine.session.history import DEFAULT_BUDGET
from engine.session.session import Session
from tui.control.tour import first_line
from tui.keys.command import Command
from tui.keys.table import EVERY
from tui.render.text.ascii import HANDLER, draws
from tui.screens.main import MainScreen
from tui.screens.offered import offered
from tui.screens.palette import Choice, Entry, Palette
from tui.screens.quitting import QuitScreen
from tui.settings.folders import config_file
from tui.settings.recent import remember
from tui.settings.remembered import Remembered, load_screen, save_screen
from tui.settings.saved import (
    first_time,
    load_lines,
    restore,
    save,
    save_lines,
)
from tui.settings.settings import Settings, load_settings
from tui.theme import DARK, LIGHT, THEMES, fitting
from tui.widgets.painting import PaintedApp

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

HEAD_START = 0.2  # seconds for which the screen waits until the cursor is where it shall begin
LOOK_UP = 2.0  # seconds between two looks whether anybody is there
STDIN = 0
REFUSED = 2  # the exit status where a recording could not be written to its end
PATIENCE = 3.0  # seconds after which a key that nobody has answered for is given up
# Objects between two looks for garbage, and how many looks at the young make one at the older: what
# is known of a network of a thousand lines takes a tenth of a second to look through.
SELDOM = (10_000, 50, 100)


class Terminal(io.FileIO):
    """The terminal that the screen is painted on; what is written to one that is gone is lost."""

    def write(self, data: "ReadableBuffer", /) -> int:
        """Write, or do as if: an error here would leave the application waiting for ever."""
        try:
            return super().write(data)
        except OSError as error:
            if error.errno != errno.EIO:  # what a terminal says whose window is closed
                raise
            return memoryview(data).nbytes


def outlive_terminal() -> None:
    """Let the toolkit paint on a Terminal; it takes the stderr that Python began with."""
    stderr = sys.__stderr__
    if stderr is not None and stderr.isatty():
        raw = Terminal(stderr.fileno(), "wb", closefd=False)
        buffer = io.BufferedWriter(raw)
        errors = stderr.errors if draws(stderr.encoding) else HANDLER
        sys.__stderr__ = io.TextIOWrapper(buffer, stderr.encoding, errors)  # type: ignore[misc]


class KeyHandled(Message):
    """Posted right behind a key, to the same widget: when it has bubbled up, the key is handled."""


class GradstepApp(PaintedApp):
    """The debugger in the terminal.

    Keys are handled one after the other: what is typed ahead goes to the prompt that an earlier key
    opens, not to the pane that had the focus when it was typed.
    """

    CSS_PATH = "gradstep.tcss"
    TITLE = "gradstep"
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING: ClassVar[str] = "ctrl+p"

    def __init__(self, debugger: Debugger, settings: Settings | None = None) -> None:
        super().__init__()
        settings = settings or Settings()
        self.debugger = debugger
        self.session = debugger.session
        self.commands = settings.commands
        for theme in THEMES:
            self.register_theme(theme)
        self.named_theme = settings.theme
        self.choose_theme(settings.theme)
        self.main = MainScreen(debugger, settings.commands)
        self.mains = [self.main]  # the last is the one in use: an evaluation stands over another
        self.typed_ahead: deque[events.Key] = deque()
        self.key_since: float | None = None
        self.start_at: int | None = None
        self.left = Remembered()

    def begin_at(self, target: int) -> None:
        """Move the session to event ``target`` before anything is painted, for HEAD_START seconds.

        If that is not enough, ``start_at`` keeps the target until all panes are mounted.
        """
        end = time.monotonic() + HEAD_START
        for _ in self.session.travel(target):
            if time.monotonic() > end:
                break
        if self.session.event != target:
            self.start_at = target
        # Without its watcher: there is no pane yet that the View could be handed to.
        self.main.set_reactive(MainScreen.view, self.main.snapshot())

    def on_mount(self) -> None:
        """Apply the keys of the settings file, and watch for the end of the terminal."""
        changed = {c.id: c for c in self.commands if c not in EVERY}
        self.set_keymap({name: ",".join(command.keys) for name, command in changed.items()})
        for number in (signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])):
            with contextlib.suppress(NotImplementedError, RuntimeError):
                if signal.getsignal(number) is not signal.SIG_IGN:
                    asyncio.get_running_loop().add_signal_handler(number, self.leave)
        if not self.is_headless:
            self.set_interval(LOOK_UP, self.leave_when_alone)

    def leave(self) -> None:
        """End as on a quit: a long run is stopped, a recording is closed, nothing is lost."""
        self.main.worker.cancel()
        self.exit()

    async def action_quit(self) -> None:
        """Quit as with the key: asked where something would go, at once where it is asked again."""
        if isinstance(self.screen, QuitScreen):
            self.exit()
        else:
            self.main.leave()

    def leave_when_alone(self) -> None:
        """The window is closed, or the browser's server is gone: end as on a quit, nothing is lost.

        Not everywhere a signal says so: programs inherit that hang-ups are ignored.
        """
        watch = select.poll()
        watch.register(STDIN, 0)  # a hang-up is told in any case
        if any(told & select.POLLHUP for _, told in watch.poll(0)):
            self.leave()

    def go_on_with(self, debugger: Debugger, said: Sequence[str] = ()) -> None:
        """Go on with another debugger: an evaluation over this one, this one again, or another.

        What is ``said`` of that stands in its console, and the first line in its note.
        """
        if len(self.mains) > 1 and debugger is self.mains[-2].debugger:
            self.mains.pop()
            self.pop_screen()
            self.use(self.mains[-1])
            self.main.show_now()
            return
        made, before = MainScreen(debugger, self.commands), self.main
        made.prompt_past = before.prompt_past
        made.parts.words.keep = before.parts.words.keep
        if debugger.run.name == before.debugger.run.name:  # else it is not known from where
            made.parts.diary.thing = before.parts.diary.thing
        made.parts.tour.step = before.parts.tour.step
        made.parts.panes.sizes |= before.parts.panes.sizes
        made.parts.follow.prefer(before.parts.follow.selection.derivative.layout)
        made.said += said
        if debugger.outer is before.debugger:
            self.mains.append(made)
            self.push_screen(made)
        else:
            self.mains[-1] = made
            # The first screen was never pushed, and cannot be taken from under another one.
            (self.push_screen if before is self.screen_stack[0] else self.switch_screen)(made)
        self.use(made)

    def use(self, main: MainScreen) -> None:
        """Make a main screen the one that keys and stops are about."""
        self.main, self.debugger, self.session = main, main.debugger, main.debugger.session
        main.parts.words.keep = lambda: save(self.mains[0].debugger)

    def get_default_screen(self) -> Screen[None]:
        """The debugger: no empty screen is laid out and painted before it."""
        return self.main

    async def on_event(self, event: events.Event) -> None:
        """Queue a key until the one before it has been handled; every other event passes."""
        if isinstance(event, events.MouseDown):
            self.main.moment()
        if not isinstance(event, events.Key) or event.is_forwarded:
            await super().on_event(event)
            return
        # Textual forwards a key to the widget that has the focus when the key arrives; the key
        # before it may be about to give the focus to a prompt.
        self.typed_ahead.append(event)
        if self.key_since is None or time.monotonic() - self.key_since > PATIENCE:
            await self.next_key()

    async def on_opened(self) -> None:
        """All panes are there: go on with what was typed before."""
        if not gc.isenabled():  # see tui.cli.debugger.loading
            gc.freeze()
            gc.set_threshold(*SELDOM)
            gc.enable()
        left, self.left, panes = self.left, Remembered(), self.main.parts.panes
        if left.code and isinstance(self.session.run, Program):
            panes.listing()
        if left.inspector != "tensor" and not panes.missing(left.inspector):
            panes.put_beside(left.inspector)
        if self.start_at is not None:
            self.main.parts.movement.go_to(self.start_at)
        await self.next_key()

    async def on_key_handled(self) -> None:
        """Forward the keys that were typed meanwhile."""
        await self.next_key()

    async def next_key(self) -> None:
        """Forward queued keys, up to the first that a widget of the main screen has to handle."""
        self.key_since = None
        while self.typed_ahead and self.key_since is None and self.main.whole:
            key, target = self.typed_ahead.popleft(), self.focused or self.screen
            self.main.moment()
            main, listens = (
                self.main,
                self.screen is self.main and not self.main.has_class("asking"),
            )
            await super().on_event(key)
            if listens:
                main.parts.tour.pressed(key.key)
            if key.is_forwarded and self.main in target.ancestors_with_self:
                self.key_since = time.monotonic()
                target.post_message(KeyHandled())

    async def action_command_palette(self) -> None:  # type: ignore[override]
        """Open the palette, if it is not open; what is typed ahead is for its field."""
        if not isinstance(self.screen, Palette):
            await self.push_screen(Palette(list(self.offered()), self.commands), self.chosen)

    def offered(self) -> Iterator[Entry]:
        """What the palette offers."""
        parts = self.main.parts
        yield from offered(self.commands, parts.words, parts.prompting, partial(Runner, self))
        yield Entry("Theme: dark", "", self.dark_theme)
        yield Entry("Theme: light", "", self.light_theme)

    async def chosen(self, act: Choice | None) -> None:
        """Do what was chosen in the palette."""
        if act is not None:
            self.main.moment()
            result = act()
            if isawaitable(result):
                await result

    def dark_theme(self) -> None:
        """Colours for a dark terminal."""
        self.choose_theme(DARK.name)

    def light_theme(self) -> None:
        """Colours for a light terminal."""
        self.choose_theme(LIGHT.name)

    def choose_theme(self, name: str) -> None:
        """Switch to a theme by name, in its variant for the colours that the terminal has."""
        self.chosen_theme = name
        self.theme = fitting(name, self.console.color_system)

    def recall(self, left: Remembered) -> None:
        """Begin as the screen was left the last time."""
        parts = self.main.parts
        self.choose_theme(left.theme_over(self.named_theme))
        parts.panes.sizes |= left.sizes
        if left.gradient:
            parts.follow.prefer(Layout.GRADIENT)
        self.left = left

    @property
    def remembered(self) -> Remembered:
        """How the screen is left."""
        parts = self.main.parts
        return Remembered(
            self.chosen_theme,
            self.named_theme,
            dict(parts.panes.sizes),
            parts.panes.inspector,
            self.main.has_class("code"),
            parts.follow.selection.derivative.layout == Layout.GRADIENT,
        )


class Runner:
    """A command as the coroutine function that the palette calls."""

    def __init__(self, app: GradstepApp, command: Command) -> None:
        self.app = app
        self.command = command

    async def __call__(self) -> None:
        """Run the action of the main screen, or of a pane once it has the focus."""
        main, pane = self.app.main, self.command.pane
        if pane:
            main.parts.panes.go_to(pane)
        target = main.query_one(f"#{pane}") if pane else main
        await self.app.run_action(self.command.press, default_namespace=target)


def compiled(name: str) -> Program:
    """The program of an experiment."""
    return compile_program(load_experiment(name))


def run_debugger(
    name: str,
    at: str | None = None,
    budget: int | None = None,
    record: str | None = None,
    program: Callable[[str], Program] = compiled,
    offer: bool = False,
    drawing: Callable[[], contextlib.AbstractContextManager[None]] = contextlib.nullcontext,
) -> int:
    """Open the debugger on an experiment, a built-in's name or a file; the exit status.

    ``at`` is a position as a person types it, ``budget`` the bytes of the history, ``record`` the
    file to record into, ``program`` what compiles the experiment of a name. With ``offer`` the
    first start offers a tour. Initial values are drawn within ``drawing``, before there is a
    screen. Raises GradstepError where one of them cannot be used.
    """
    settings = load_settings(config_file())
    budget = budget or settings.history or DEFAULT_BUDGET
    with drawing():
        debugger = Debugger(Session(program(name), budget))
    problems = restore(debugger)
    target = None if at is None else parse_position(at, debugger)
    outlive_terminal()
    app = GradstepApp(debugger, settings)
    app.main.parts.diary.thing = name
    if target is not None:
        app.begin_at(target)
    remember(name)
    if settings.hint and first_time():
        app.main.said += [first_line(settings.commands, offer)]
    app.main.problems += problems
    if record is not None:
        app.main.problems.append(app.main.parts.recording.start(Path(record)))
    return run_and_keep(app)


def run_and_keep(app: GradstepApp) -> int:
    """Run the application as it was left the last time, and keep how it is left; exit status."""
    app.recall(load_screen())
    # At every change: a killed process loses none.
    app.main.parts.words.keep = lambda: save(app.mains[0].debugger)
    app.main.prompt_past.lines += load_lines()
    try:
        app.run()
    finally:
        # After the screen is gone: the rest is recorded and the file closed however it ended.
        said = app.mains[0].parts.recording.stop()
        save(app.mains[0].debugger)
        save_lines(app.main.prompt_past.lines)
        save_screen(app.remembered)
    if said:
        with contextlib.suppress(OSError):  # the terminal may be gone
            print(said, file=sys.stderr, flush=True)
    return app.return_code or (REFUSED if app.mains[0].parts.recording.failed else 0)
