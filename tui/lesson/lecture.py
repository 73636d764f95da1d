"""What plays a lesson on the screen: one step after the other, until one waits for a person."""

from collections.abc import Callable
from dataclasses import replace
from difflib import SequenceMatcher

from engine.errors import GradstepError
from engine.lesson.perform import at_line, check_view, line_of
from engine.lesson.question import Question
from engine.lesson.score import Score
from engine.lesson.steps import (
    AnyStep,
    Ask,
    Chapter,
    Hide,
    Hold,
    Lesson,
    Note,
    Play,
    Reveal,
    Say,
    Show,
    Typed,
)
from tui.control.viewing import conceal, show
from tui.control.worker import Job
from tui.lesson.playing import Playing
from tui.render.caption import Caption
from tui.render.text.line import Span
from tui.screens.main import MainScreen
from tui.widgets.caption_strip import CaptionStrip

ON, ANSWER, SKIP, AGAIN = "Space goes on", "Space: answer", "Space: to its end", "Space: back"
ROOM = 100  # columns from which the key for large is told too
REVEAL = "?"
PROMPT = "answer, ? shows it"
OVER = "the lesson is over: q quits"


class Lecture:
    """A lesson under way.

    ``place`` is the step to come. ``waits`` says what for: ``hold``, ``ask``, ``play``, ``job`` and
    ``opening`` (a word that is not done yet), ``end``; nothing while steps are carried out.
    ``main`` gives the screen in use, ``strip`` its strip. Where it is not ``timed``
    nothing plays by itself: who walks through it takes each op. ``noted`` is called where the
    lesson has come to another place, or says something else.
    """

    def __init__(
        self,
        lesson: Lesson,
        main: Callable[[], MainScreen],
        strip: Callable[[], CaptionStrip],
        timed: bool = True,
        noted: Callable[[], None] = lambda: None,
    ) -> None:
        self.noted = noted
        self.lesson = lesson
        self.main = main
        self.strip = strip
        self.timed = timed
        self.place = 0
        self.waits = ""
        self.chapter = ""
        self.text: tuple[Span, ...] = ()
        self.told: list[tuple[str, tuple[Span, ...]]] = []  # the captions so far, with chapters
        self.again: int | None = None  # the one that is read again
        self.page = 0
        # What has happened since somebody went on: a caption was shown; any step was carried out.
        self.unread = self.moved = False
        self.score = Score(len(lesson.questions))
        self.question: Question | None = None
        self.playing: Playing | None = None
        self.advancing = False

    # -- one step after the other

    def go_on(self) -> None:
        """What Space does: the next page, the caption after, or the steps up to the next hold."""
        if self.again is not None:
            self.read(1)
        elif self.page + 1 < self.strip().pages:
            self.page += 1
            self.show()
        elif self.waits == "hold":
            self.unread = self.moved = False
            self.advance()
        elif self.waits == "ask":
            self.prompt()
        elif self.waits == "play" and self.playing is not None:
            self.playing.finish()
        elif self.waits == "end":
            self.main().show_now(OVER)
        else:
            self.main().free  # noqa: B018  # says that a run is under way

    def advance(self) -> None:
        """Carry out steps until one waits."""
        if self.advancing:
            return
        self.waits, self.advancing = "", True
        try:
            while not self.waits and self.place < len(self.lesson.steps):
                step = self.lesson.steps[self.place]
                self.place += 1
                try:
                    self.carry_out(step)
                except GradstepError as problem:
                    self.failed(step, problem)
        finally:
            self.advancing = False
        if not self.waits:
            self.end()
        self.show()

    def carry_out(self, step: AnyStep) -> None:
        """Carry out one step; raises GradstepError where it cannot be."""
        if isinstance(step, Note):  # for who teaches: the class sees nothing of it
            return
        if isinstance(step, Chapter) and self.moved:
            self.waits, self.place = "hold", self.place - 1  # nothing runs over into a chapter
            return
        self.moved = True
        match step:
            case Typed():
                self.run(step, line_of(self.lesson, step))
            case Say():
                self.say((step.text, ""))
            case Chapter():
                self.begin_chapter(step)
            case Hold():
                self.waits = "hold"
            case Show():
                self.view(step)
            case Play():
                self.play(step)
            case Ask():
                self.ask(step)
            case Hide() | Reveal():
                self.hide(step)

    def failed(self, step: AnyStep, problem: GradstepError) -> None:
        """A step that cannot be carried out: say where, and wait."""
        said = str(at_line(self.lesson, step, problem))
        self.say((said.splitlines()[0], "bad"))
        self.waits = "hold"

    def end(self) -> None:
        """The lesson is over: the score."""
        self.waits = "end"
        lines = self.score.lines()
        if lines:
            self.chapter = "Score"
            self.say(*((line, "good" if not i else "") for i, line in enumerate(lines)))

    # -- words

    def run(self, step: AnyStep, line: str) -> None:
        """Run a line of the command language, and go on when it is done."""
        main = self.main()
        words, moving = main.parts.words, main.parts.movement
        leads = words.line.leads(line)
        words.console().begin(line)
        self.waits = "job"

        def done(job: Job) -> None:
            self.waits = ""
            if job.error is not None:
                self.failed(step, job.error)
            elif leads is not None:
                moving.arrived(job)
            else:
                words.answered(job)
            if self.main() is not main and not self.main().whole:
                self.waits = "opening"  # goes on when all of the new screen is there
            elif self.main().screen is not self.main().app.screen:
                self.waits = self.waits or "hold"  # a screen to read stands over it
            if not self.waits:
                self.advance()
            else:
                self.show()

        if not words.worker.begin(words.line.run(line), done, leads):
            self.waits, self.place = "hold", self.place - 1

    # -- captions

    def say(self, *text: Span) -> None:
        """Show a text, and keep it to be read again.

        One that nobody has had time to read stays above it: nothing has waited since.
        """
        if self.unread:
            self.text = (*self.text, *text)
            self.told[-1] = (self.chapter, self.text)
        else:
            self.text, self.page = text, 0
            self.told.append((self.chapter, text))
        self.unread = True

    def begin_chapter(self, step: Chapter) -> None:
        """A new chapter."""
        number = self.lesson.chapters.index(step) + 1
        self.chapter = f"{number}/{len(self.lesson.chapters)} {step.title}"
        self.moved = False

    def read(self, by: int) -> None:
        """Read an earlier caption again (-1), or a later one (1), as far as there are any."""
        at = len(self.told) - 1 if self.again is None else self.again
        at = max(0, at + by)
        self.again = at if at < len(self.told) - 1 else None
        self.page = 0
        self.show()

    def show(self) -> None:
        """Show the caption as it is now, where there is a strip for it already."""
        if self.waits == "opening":
            return
        chapter, text, hint = self.chapter, self.text, self.hint
        if self.again is not None:
            chapter, text = self.told[self.again]
            chapter = f"{chapter}  (again, {self.again + 1} of {len(self.told)})".strip()
            hint = AGAIN
        else:
            self.noted()
        self.strip().show(Caption(chapter, text, hint, self.page))

    @property
    def hint(self) -> str:
        """What Space does."""
        if self.playing is not None:
            return f"{self.playing.text}  {SKIP}"
        found = {"hold": ON, "ask": ANSWER, "end": "the end"}.get(self.waits, "")
        main = self.main()
        if not found or self.strip().width < ROOM or main.parts.panes.large:
            return found
        return f"{main.keys['large']}: large  {found}"

    # -- views

    def view(self, step: Show) -> None:
        """Show a pane with what it is about; raises GradstepError for what the run has not."""
        main = self.main()
        check_view(step, main.debugger)
        show(step, main.parts.follow, main.parts.panes, main.debugger.run)

    def hide(self, step: Hide | Reveal) -> None:
        """Hide something, or show it again; raises GradstepError for what the run has not."""
        main = self.main()
        parts = main.parts
        hidden = parts.follow.hidden.after(step, main.debugger.run)
        conceal(hidden, parts.follow, parts.panes, main)
        main.debugger.views.hidden = hidden.text

    # -- playing

    def play(self, step: Play) -> None:
        """Go op by op to where a word leads; the steps behind it wait."""
        main = self.main()
        target = main.parts.words.line.leads(step.text)
        assert target is not None  # read so
        self.playing = Playing(main, target, step.rate, self.played)
        self.waits = "play"
        if self.timed:
            self.playing.begin()

    def played(self) -> None:
        """It has come to its end."""
        self.playing = None
        self.advance()

    # -- questions

    def ask(self, step: Ask) -> None:
        """Show a question and open the prompt for its answer."""
        self.question = Question(step, self.main().debugger)
        self.score.of(step)
        letters = (f"  {chr(ord('a') + i)}) {one}" for i, one in enumerate(step.choices))
        self.say((f"**{step.question}**", ""), *((one, "") for one in letters))
        self.waits = "ask"
        self.prompt()

    def prompt(self) -> None:
        """Ask for the answer at the prompt; who leaves it has Space to come back."""
        self.show()
        self.main().parts.prompting.ask(PROMPT, self.answered, past="answer")

    def answered(self, said: str) -> None:
        """Judge an answer: go on behind a right one, tell of a wrong one why and ask again."""
        question = self.question
        if question is None or not said:
            self.show()
            return
        record = self.score.of(question.ask)
        if said == REVEAL:
            record.revealed = not record.right
            self.judged(f"it is {question.told}", "warn")
            return
        found = question.judge(said)
        record.try_(said, found)
        why = f": {found.message}" if found.message else ""
        if found.right:
            self.judged(f"✓ {said}  right{why}", "good")
            return
        self.text = (*self.asked, (f"✗ {said}  {found.verdict}{why}", "bad"))
        self.told[-1] = (self.chapter, self.text)
        self.page = self.strip_pages() - 1
        self.prompt()

    @property
    def asked(self) -> tuple[Span, ...]:
        """The lines of the question, without those about an answer."""
        return tuple(span for span in self.text if not span[1])

    def judged(self, said: str, role: str) -> None:
        """The question is done with: say so, and wait."""
        self.text = (*self.asked, (said, role))
        self.told[-1] = (self.chapter, self.text)
        self.question, self.waits = None, "hold"
        self.page = self.strip_pages() - 1
        self.show()

    def strip_pages(self) -> int:
        """In how many parts the present text is read."""
        strip = self.strip()
        return Caption("", self.text).pages(strip.width, strip.most)

    # -- edited meanwhile

    def reload(self, lesson: Lesson) -> str:
        """Go on with the lesson as it was edited, at the same place of it; what has changed."""
        old, new = self.lesson, lesson
        before, after = ([sameness(step) for step in one.steps] for one in (old, new))
        place = 0
        for same in SequenceMatcher(a=before, b=after, autojunk=False).get_matching_blocks():
            if same.a >= self.place:
                break
            place = same.b + min(same.size, self.place - same.a)
        self.lesson, self.place = lesson, place
        self.score.total = len(lesson.questions)
        said = [step for step in lesson.steps[:place] if isinstance(step, Say)]
        if said and self.waits == "hold" and self.question is None:
            self.text = ((said[-1].text, ""),)
            if self.told:
                self.told[-1] = (self.chapter, self.text)
        self.show()
        changed = len(after) - len(before)
        more = f", {abs(changed)} steps {'more' if changed > 0 else 'fewer'}" if changed else ""
        return f"reloaded: {len(after)} steps{more}"


def sameness(step: AnyStep) -> str:
    """A step without its line; of a caption only that it is one, so that texts may be edited."""
    return "say" if isinstance(step, Say) else repr(replace(step, line=0))
