"""The debugger that plays a lesson: its strip of captions, and the keys that it has besides."""

import contextlib
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from textual.binding import BindingType
from textual.widgets import Input

from engine.debugger import Debugger
from engine.errors import GradstepError
from engine.lesson.opened import thing_of
from engine.lesson.progress import Progress, ProgressFile
from engine.lesson.reader import load_lesson
from engine.lesson.steps import Lesson, Note
from engine.session.views import Told
from tui.app import GradstepApp, outlive_terminal
from tui.keys.bindings import binding
from tui.keys.screen_commands import LESSON_COMMANDS
from tui.lesson.lecture import Lecture
from tui.screens.main import MainScreen
from tui.screens.worksheet import VersusScreen, WorksheetScreen
from tui.settings.folders import config_file, lesson_file
from tui.settings.settings import Settings, load_settings
from tui.widgets.caption_strip import CaptionStrip

NOTED = "the teacher's notes: the same command with --notes in a terminal of its own"
READ = (VersusScreen, WorksheetScreen)  # screens that a word of a lesson opens


class LessonApp(GradstepApp):
    """The debugger with a lesson; ``lecture`` plays it."""

    CSS_PATH = "../gradstep.tcss"  # beside the module of the class, says the toolkit
    # Before the keys of the screen: Space is the next phase there.
    BINDINGS: ClassVar[list[BindingType]] = [
        replace(binding(command), priority=True) for command in LESSON_COMMANDS
    ]

    def __init__(
        self,
        lesson: Lesson,
        debugger: Debugger,
        settings: Settings | None = None,
        timed: bool = True,
        progress: ProgressFile | None = None,
    ) -> None:
        super().__init__(debugger, settings)
        self.lecture = Lecture(lesson, lambda: self.main, self.strip, timed, self.note_place)
        self.progress, self.since = progress, time.time()
        self.main.parts.diary.thing = thing_of(lesson)
        self.begun: MainScreen | None = None  # the screen on which the captions stand
        self.early = 0  # how often Space was pressed before there was a strip

    def strip(self) -> CaptionStrip:
        """The strip of the screen in use."""
        return self.main.strip

    async def on_opened(self) -> None:
        """All panes of a screen are there: the strip too; begin, or go on."""
        # No super(): Textual calls the on_opened of every class of the MRO itself.
        parts, self.begun = self.main.parts, self.main
        parts.guide.free = parts.telling.free = True  # the lesson says what is looked at
        parts.panes.leave_room(True)
        if self.lecture.waits in ("", "opening"):
            self.lecture.advance()
        else:
            self.lecture.show()
        early, self.early = self.early, 0
        for _ in range(early):
            self.lecture.go_on()

    def note_place(self) -> None:
        """Tell the teacher's notes how far the lesson is, and a recording what was said."""
        lecture, main = self.lecture, self.mains[0]
        score, event = lecture.score, main.session.event
        place = Progress(
            lecture.place, lecture.waits, len(lecture.lesson.steps), self.since, event,
            len(score.answered), score.done, score.right, score.total,
        )  # fmt: skip
        if self.progress is not None:
            self.progress.write(place)
        views = main.debugger.views
        views.place = place.text
        # Choices belong to the line before them; everything else is a paragraph of its own.
        text = "".join(f"\n{one}" if one[:1] == " " else f"\n\n{one}" for one, _ in lecture.text)
        if text and not main.session.source.recorded:
            views.tell(event, Told(lecture.chapter, text.strip("\n")))

    @property
    def on_screen(self) -> bool:
        """Whether the screen in use has the captions already."""
        return self.begun is self.main

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The keys of the lesson are letters while something is typed, or belong to a screen."""
        if not action.startswith("lesson_"):
            return super().check_action(action, parameters)
        mine = self.screen is self.main or isinstance(self.screen, READ)
        return mine and not isinstance(self.focused, Input)

    def action_lesson_on(self) -> None:
        """Go on; a screen that a word has opened is read first."""
        if isinstance(self.screen, READ):
            self.screen.action_close()
        if self.on_screen:
            self.lecture.go_on()
        else:
            self.early += 1

    def action_lesson_back(self) -> None:
        """Read the caption before again."""
        if self.screen is self.main and self.on_screen:
            self.lecture.read(-1)

    def action_lesson_reload(self) -> None:
        """Read the file again, and go on at the same place of it."""
        try:
            said = self.lecture.reload(load_lesson(self.lecture.lesson.file))
        except GradstepError as problem:
            self.main.console.say(str(problem).splitlines(), "bad")
            said = str(problem).splitlines()[0]
        self.main.show_now(said)


def play_lesson(lesson: Lesson, debugger: Debugger, record: Path | None = None) -> LessonApp:
    """Play a lesson on the terminal; the application after its end, with the score.

    ``record`` is a file to record into, for who follows. Raises GradstepError where that cannot be.
    """
    settings = load_settings(config_file())
    progress, said = telling(lesson)
    try:
        app = LessonApp(lesson, debugger, settings, progress=progress)
        app.main.said += said
        if record is not None:
            app.main.said.append(app.main.parts.recording.start(record))
        outlive_terminal()
        app.run()
    finally:
        if progress is not None:
            progress.close()
    debugger.views.hidden = ""  # for who follows: the lesson is over
    closed = app.mains[0].parts.recording.stop()
    if closed:
        with contextlib.suppress(OSError):  # the terminal may be gone
            print(closed, file=sys.stderr, flush=True)
    return app


def telling(lesson: Lesson) -> tuple[ProgressFile | None, list[str]]:
    """What tells the teacher's notes how far a lesson is, and what is to be said of that."""
    if lesson.file == "-":  # there is no file that somebody else could read
        return None, []
    try:
        found = ProgressFile(lesson_file(Path(lesson.file)))
    except GradstepError as problem:
        return None, [f"no notes can follow: {problem}"]
    if found.busy:
        return None, ["this lesson is played in another terminal too, which the notes follow"]
    noted = any(isinstance(step, Note) for step in lesson.steps)
    return found, [NOTED] if noted else []
