"""The teacher's own screen: what the class does not see of a lesson, beside where it is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from engine.lesson.here import Here, described, here
from engine.lesson.progress import Progress
from engine.lesson.shipped import name_of
from engine.lesson.steps import Ask, Lesson
from tui.render.caption import paragraph, rule
from tui.render.text.clean import clean
from tui.render.text.line import Line, fit_parts, fitted, spread

AHEAD = 40  # steps to come that are listed at most
WAITING = {
    "hold": "waits for Space",
    "ask": "waits for the answer",
    "play": "plays",
    "job": "runs",
    "opening": "opens a screen",
    "end": "is over",
    "": "goes on",
}
NOBODY = "Nobody plays this lesson yet. In the terminal that the class sees:"
LEFT = "Nobody plays it at present; this is where it stood."
NONE = "no notes here"


@dataclass(frozen=True)
class Teaching:
    """All that the screen shows.

    ``progress`` is None before anybody plays, ``playing`` says that somebody does now; ``answers``
    has the right answers by the lines of their questions, ``handed`` what is known of the class's,
    ``trouble`` why something cannot be read. ``now`` is in seconds since 1970.
    """

    lesson: Lesson
    progress: Progress | None = None
    playing: bool = False
    answers: Mapping[int, str] = field(default_factory=dict)
    handed: str = ""
    trouble: str = ""
    now: float = 0.0

    @property
    def place(self) -> int:
        """The step to come, as far as there is such a step in the lesson."""
        return 0 if self.progress is None else min(self.progress.place, len(self.lesson.steps))

    @property
    def here(self) -> Here:
        """What the lesson has there."""
        return here(self.lesson, self.place)


def head_lines(found: Teaching, width: int) -> list[Line]:
    """Two lines: the lesson and its chapter; how long, where, what for, how many answers."""
    progress, chapter = found.progress, found.here.chapter
    name: Line = [(" notes ", "key"), (f" {clean(found.lesson.title)} ", "name")]
    top = spread(name, [(f" {clean(chapter)} ", "")], width)
    if progress is None:
        return [top, fitted([(" not begun", "dim")], width)]
    state = WAITING.get(progress.waits, "goes on") if found.playing else "stopped"
    parts: list[tuple[int, Line]] = [
        (0, [(f" {elapsed(found.now - progress.began)}  ", "current")]),
        (0, [(state, "good" if found.playing else "warn")]),
        (2, [(f"  #{progress.event}", "dim")]),
        (1, [(f"  step {found.place} of {len(found.lesson.steps)}", "dim")]),
        (0, [(answered(progress), "")]),
        (1, [(f"  {clean(found.handed)}" if found.handed else "", "")]),
    ]
    return [top, fitted(fit_parts(parts, width), width)]


def answered(progress: Progress) -> str:
    """How many questions are done with; nothing where there are none."""
    if not progress.total:
        return ""
    return f"  {progress.answered} of {progress.total} answered, {progress.right} right"


def elapsed(seconds: float) -> str:
    """A time as ``4:05``, or ``1:04:05``."""
    whole = max(0, int(seconds))
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def body_lines(found: Teaching, width: int) -> list[Line]:
    """Notes, the right answer, what is on the screen, and what comes next; of any height."""
    return [fitted(line, width) for line in parts(found, width)]


def parts(found: Teaching, width: int) -> Iterator[Line]:
    """The lines of the body, part by part."""
    if found.trouble:
        yield from paragraph(found.trouble, "bad", width)
    progress = found.progress
    if progress is None:
        yield from paragraph(NOBODY, "warn", width)
        yield from paragraph(f"    gradstep lesson {name_of(found.lesson.file)}", "key", width)
    elif not found.playing:
        yield from paragraph(LEFT, "warn", width)
    if progress is not None and progress.steps != len(found.lesson.steps):
        said = "The file has other steps than what is played: reload it there."
        yield from paragraph(said, "warn", width)
    now = found.here
    yield rule("Notes", "", width)
    for note in now.notes or (NONE,):
        yield from paragraph(note, "" if now.notes else "dim", width)
    if now.question is not None:
        yield rule("The right answer", "", width)
        yield from paragraph(now.question.question, "dim", width)
        yield from paragraph(right(found, now.question), "good", width)
    yield rule("On the screen", "", width)
    for caption in now.captions:
        yield from paragraph(caption, "", width)
    yield rule("Next", "", width)
    yield from ahead(found)


def ahead(found: Teaching) -> Iterator[Line]:
    """The steps to come, with the lines of the file where they stand."""
    coming = found.lesson.steps[found.place : found.place + AHEAD]
    if not coming:
        yield [(" the end", "dim")]
    wide = max((len(str(step.line)) for step in coming), default=1)
    for step in coming:
        text = clean(described(step).replace("**", ""))
        line: Line = [(f" {step.line:>{wide}}  ", "dim"), (text, "")]
        if isinstance(step, Ask):
            line += [("  → ", "dim"), (clean(right(found, step)), "good")]
        yield line


def right(found: Teaching, ask: Ask) -> str:
    """The right answer of a question as far as it is worked out; what the file says of it."""
    return found.answers.get(ask.line) or ask.right or "…"
