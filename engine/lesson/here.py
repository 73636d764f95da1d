"""What a place of a lesson has: for who teaches, beside what the class sees."""

from collections.abc import Iterator
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Here:
    """The chapter with its number, the captions and notes since somebody went on, the question."""

    chapter: str
    captions: tuple[str, ...]
    notes: tuple[str, ...]
    question: Ask | None


def here(lesson: Lesson, place: int) -> Here:
    """What a lesson has where ``place`` is the step to come."""
    done = lesson.steps[:place]
    question = done[-1] if done and isinstance(done[-1], Ask) else None
    titles = [step.title for step in done if isinstance(step, Chapter)]
    chapter = f"{len(titles)}/{len(lesson.chapters)} {titles[-1]}" if titles else ""
    since = list(stretch(done))[::-1]
    captions = tuple(step.text for step in since if isinstance(step, Say))
    notes = tuple(step.text for step in since if isinstance(step, Note))
    return Here(chapter, captions, notes, question)


def stretch(done: tuple[AnyStep, ...]) -> Iterator[AnyStep]:
    """The steps since somebody went on, backwards; the last may be what is waited at."""
    for back, step in enumerate(reversed(done)):
        if back and isinstance(step, Hold | Ask):
            return
        yield step
        if isinstance(step, Chapter):
            return


def described(step: AnyStep) -> str:
    """A step in one line, as it stands in the file; of a long text the beginning."""
    match step:
        case Typed(text=text):
            return text
        case Say(text=text):
            return f"say  {first_line(text)}"
        case Note(text=text):
            return f"note  {first_line(text)}"
        case Chapter(title=title):
            return f"chapter  {title}"
        case Hold():
            return "hold"
        case Play(text=text, rate=rate):
            return f"play {text} at {rate:g}/s"
        case Ask(question=question):
            return f"ask  {first_line(question)}"
        case Hide(part=part, names=names):
            return " ".join(("hide", *([] if part == "cells" else [part]), *names))
        case Reveal(names=names):
            return " ".join(("reveal", *names))
        case Show(pane=pane, of=of, wrt=wrt):
            return " ".join(("view", pane, f"d{of}/d{wrt}" if wrt else of)).rstrip()


def first_line(text: str) -> str:
    """The first line of a text that has something in it."""
    return next((line.strip() for line in text.split("\n") if line.strip()), "")
