"""A lesson walked through without a terminal: the real screen wherever it stands still."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from textual.pilot import Pilot

from engine.errors import GradstepError
from engine.lesson.opened import opened
from engine.lesson.steps import Lesson
from tui.keys.table import EVERY
from tui.lesson.app import LessonApp
from tui.lesson.lecture import Lecture
from tui.lesson.pictures import Rows, rows_of
from tui.settings.settings import Settings

MOST = 1_000  # pictures of a lesson
PATIENCE = 60.0  # seconds that a step may take
READING = (2.0, 15.0)  # seconds that a caption is shown: the least and the most
A_CHARACTER = 0.05  # seconds that one of a caption takes to read
LOOK = 0.01  # seconds between two looks whether a step is over


@dataclass(frozen=True, eq=False)
class Picture:
    """The screen at a place of a lesson, row by row; ``seconds`` is how long it is looked at.

    ``caption`` has the lines of the text, ``event`` is where the cursor stands, ``asks`` says that
    a question waits, ``step`` how many steps of the lesson are done.
    """

    chapter: str
    caption: tuple[str, ...]
    event: int
    seconds: float
    asks: bool
    step: int
    rows: Rows


class Walk:
    """Plays a lesson in an application without a terminal, and takes a picture at each place."""

    def __init__(self, app: LessonApp, seen: Callable[[Picture], None]) -> None:
        self.app = app
        self.seen = seen
        self.count = 0

    @property
    def lecture(self) -> Lecture:
        """What plays the lesson."""
        return self.app.lecture

    async def through(self, pilot: "Pilot[Any]") -> None:
        """From the beginning to the end, each question answered with its own right answer."""
        await self.still(pilot)
        while True:
            if self.lecture.waits != "play" or not self.count:  # what plays has pictures of its own
                await self.place(pilot)
            if self.lecture.waits == "end":
                return
            question = self.lecture.question
            if self.lecture.waits == "ask" and question is not None:
                self.lecture.answered(question.right or "?")
            elif self.lecture.waits == "play" and self.lecture.playing is not None:
                await self.play(pilot)
                continue
            else:
                self.app.action_lesson_on()
            await self.still(pilot)

    async def place(self, pilot: "Pilot[Any]") -> None:
        """A picture of a place: the question without its prompt, every page of a caption."""
        if self.app.main.has_class("asking"):
            self.app.main.prompt.dismiss()
            await self.still(pilot)
        self.take(reading(self.lecture))

    async def play(self, pilot: "Pilot[Any]") -> None:
        """A picture of each op that is played, at once and not in its time."""
        playing = self.lecture.playing
        while playing is not None and self.lecture.playing is playing:
            playing.step()
            await self.still(pilot)
            if self.lecture.playing is playing:
                self.take(1 / playing.rate)

    def take(self, seconds: float) -> None:
        """Take a picture; raises GradstepError where there are more than MOST."""
        self.count += 1
        if self.count > MOST:
            raise GradstepError(f"{self.lecture.lesson.file}: more than {MOST:,} pictures")
        lecture = self.lecture
        said = tuple(line for text, _ in lecture.text for line in text.split("\n"))
        event, asks = self.app.session.event, lecture.waits == "ask"
        rows = rows_of(self.app)
        self.seen(Picture(lecture.chapter, said, event, seconds, asks, lecture.place, rows))

    async def still(self, pilot: "Pilot[Any]") -> None:
        """Wait until all that was begun is done, and painted."""
        waited = 0.0
        while not self.at_rest():
            await pilot.pause(LOOK)
            waited += LOOK
            if waited > PATIENCE:
                place = self.lecture.lesson.steps[self.lecture.place - 1].line
                raise GradstepError(
                    f"{self.lecture.lesson.file}:{place}: takes longer than {PATIENCE:g} seconds"
                )
        for _ in range(3):  # what is shown is made in answer to messages, and these to others
            await pilot.pause(0)

    def at_rest(self) -> bool:
        """Whether nothing goes on."""
        busy = any(not one.is_finished for one in self.app.workers)
        whole = self.app.main.whole and self.app.on_screen
        return whole and self.app.main.job is None and not busy and self.lecture.waits != "opening"


def reading(lecture: Lecture) -> float:
    """The seconds that it takes to read the present caption."""
    least, most = READING
    return max(least, min(most, A_CHARACTER * sum(len(text) for text, _ in lecture.text)))


def walk(
    lesson: Lesson,
    size: tuple[int, int],
    theme: str,
    seen: Callable[[Picture], None],
) -> LessonApp:
    """Walk through a lesson in a terminal of a size and in a theme; ``seen`` gets each picture.

    The application afterwards. Raises GradstepError where a step cannot be carried out in time.
    """
    with opened(lesson) as debugger, colourful():
        app = LessonApp(lesson, debugger, Settings(commands=EVERY), timed=False)
        app.theme = theme
        problems: list[BaseException] = []

        async def through(pilot: "Pilot[Any]") -> None:
            try:
                await Walk(app, seen).through(pilot)
            except GradstepError as problem:
                problems.append(problem)
            finally:
                app.exit()

        app.run(headless=True, size=size, auto_pilot=through)
    if problems:
        raise problems[0]
    return app


@contextmanager
def colourful() -> Iterator[None]:
    """All colours, whatever terminal the command is run in: pictures are looked at elsewhere."""
    wanted = {"NO_COLOR": None, "COLORTERM": "truecolor", "TERM": "xterm-256color"}
    before = {name: os.environ.get(name) for name in wanted}
    put(wanted)
    try:
        yield
    finally:
        put(before)


def put(values: dict[str, str | None]) -> None:
    """Set variables of the environment; None takes one away."""
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
