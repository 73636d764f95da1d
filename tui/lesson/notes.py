"""The teacher's own terminal: follows who plays a lesson, and shows what the class does not see."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import events
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.screen import Screen

from engine.errors import GradstepError
from engine.lesson.opened import opened
from engine.lesson.perform import Performance
from engine.lesson.progress import Progress, last_progress, played
from engine.lesson.reader import load_lesson
from engine.lesson.score import handed_in
from engine.lesson.steps import Ask, Lesson
from tui.app import outlive_terminal
from tui.keys.bindings import bindings
from tui.keys.command import TEACHER
from tui.keys.table import EVERY
from tui.render.teaching import Teaching, body_lines, head_lines
from tui.render.text.line import Line
from tui.settings.folders import config_file, lesson_file
from tui.settings.settings import Settings, load_settings
from tui.theme import THEMES, fitting
from tui.widgets.key_line import KeyLine
from tui.widgets.lines import Lines, LinesScreen

POLL = 0.25  # seconds between two looks at how far the lesson is
HEAD = 2  # lines


class Source:
    """Where a lesson is followed: its private file, or a recording of it; and the class's answers.

    Whatever cannot be read is told, and looked at again the next time.
    """

    def __init__(
        self, lesson: Lesson, recording: Path | None = None, answers: Path | None = None
    ) -> None:
        self.lesson = lesson
        self.path = recording or lesson_file(Path(lesson.file))
        self.private = recording is None
        self.answers = answers
        self.changed = self.modified()

    def modified(self) -> int:
        """When the file of the lesson was last changed; 0 where it is gone."""
        try:
            return Path(self.lesson.file).stat().st_mtime_ns
        except OSError:
            return 0

    def look(self, before: Teaching) -> Teaching:
        """How it stands now."""
        trouble = self.reread()
        progress, playing = before.progress, not self.private or played(self.path)
        try:
            progress = self.progress() or progress
        except GradstepError as problem:
            trouble = trouble or str(problem)
        return Teaching(
            self.lesson, progress, playing, before.answers, self.handed(), trouble, time.time()
        )

    def progress(self) -> Progress | None:
        """How far the lesson is; None where nobody has played it yet."""
        return last_progress(self.path) if self.path.exists() else None

    def reread(self) -> str:
        """Read the lesson again where its file has changed; why that cannot be."""
        now = self.modified()
        if now == self.changed:
            return ""
        try:
            self.lesson = load_lesson(self.lesson.file)
        except GradstepError as problem:
            return str(problem).splitlines()[0]  # until it can be read: it is looked at again
        self.changed = now
        return ""

    def handed(self) -> str:
        """How many of a class have handed in."""
        if self.answers is None:
            return ""
        try:
            found = handed_in(self.answers, Path(self.lesson.file).stem)
        except GradstepError as problem:
            return str(problem)
        return f"{found} handed in"


def work_out(lesson: Lesson, tell: Callable[[int, str], object]) -> None:
    """Carry a lesson out, and tell the right answer of each question with its line."""
    try:
        with opened(lesson) as debugger:
            for outcome in Performance(lesson, debugger).outcomes():
                if isinstance(outcome.step, Ask):
                    tell(outcome.step.line, str(outcome.data["answer"]))
    except GradstepError:
        return  # a check says what is wrong; what is known by then is shown


class NotesHead(Lines):
    """The lesson, its chapter, how long it has taken, how many answers."""

    teaching: Teaching | None = None

    def made(self) -> list[Line]:
        return [] if self.teaching is None else head_lines(self.teaching, self.content_size.width)


class NotesBody(Lines):
    """Notes, answers, captions and what comes next, from a line on; ``top`` is that line."""

    teaching: Teaching | None = None
    top = 0

    def made(self) -> list[Line]:
        if self.teaching is None:
            return []
        width, height = self.content_size
        lines = body_lines(self.teaching, width)
        self.top = max(0, min(self.top, len(lines) - height))
        return lines[self.top : self.top + height]


class TeachersScreen(LinesScreen):
    """The notes, and the keys that turn over."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(TEACHER)

    def __init__(self, source: Source, settings: Settings) -> None:
        super().__init__()
        self.source = source
        self.head, self.body = NotesHead(id="notes-head"), NotesBody(id="notes-body")
        self.keys = KeyLine(settings.commands, TEACHER)
        self.teaching = Teaching(source.lesson, now=time.time())

    def compose(self) -> ComposeResult:
        yield self.head
        yield self.body
        yield self.keys

    def on_mount(self) -> None:
        """Look at once, and from now on again and again."""
        self.work_out()
        self.look()
        self.set_interval(POLL, self.look)

    def look(self) -> None:
        """Show where the lesson is."""
        before, lesson = self.teaching, self.source.lesson
        self.teaching = self.source.look(before)
        if self.source.lesson is not lesson:
            self.work_out()
        if self.teaching.place != before.place:
            self.body.top = 0
        self.show()

    def show(self) -> None:
        """Paint what differs."""
        for part in (self.head, self.body):
            part.teaching = self.teaching
            part.watch_view()

    def work_out(self) -> None:
        """Find the right answers beside, which may take a while; the process waits for none."""
        lesson = self.source.lesson

        def tell(line: int, answer: str) -> None:
            if self.source.lesson is lesson:
                answers = {**self.teaching.answers, line: answer}
                self.teaching = replace(self.teaching, answers=answers)

        self.teaching = replace(self.teaching, answers={})
        later = partial(self.call_later, tell)
        threading.Thread(target=work_out, args=(lesson, later), daemon=True).start()

    def action_turn(self, by: int) -> None:
        """So many lines on; a whole page where it is more than one."""
        page = max(1, self.body.content_size.height - 1)
        self.body.top = max(
            0, self.body.top + (by if abs(by) == 1 else page * (1 if by > 0 else -1))
        )
        self.body.watch_view()

    def on_resize(self, event: events.Resize) -> None:
        """Wrap for another width."""
        self.show()


class NotesApp(App[None]):
    """The notes of a lesson in a terminal of their own."""

    CSS_PATH = "../gradstep.tcss"
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, source: Source, settings: Settings | None = None) -> None:
        super().__init__()
        settings = settings or Settings(commands=EVERY)
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = fitting(settings.theme, self.console.color_system)
        self.commands = settings.commands
        self.teacher = TeachersScreen(source, settings)

    def on_mount(self) -> None:
        """Apply the keys of the settings file."""
        changed = {c.id: c for c in self.commands if c not in EVERY}
        self.set_keymap({name: ",".join(command.keys) for name, command in changed.items()})

    def get_default_screen(self) -> Screen[None]:
        """The notes and nothing else."""
        return self.teacher


def show_notes(source: Source) -> int:
    """Show the notes until q is pressed; the exit status."""
    outlive_terminal()
    app = NotesApp(source, load_settings(config_file()))
    app.run()
    return app.return_code or 0
