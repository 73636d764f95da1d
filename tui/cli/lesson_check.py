"""``gradstep script --check``: a lesson tried without a screen."""

import click

from engine.lesson.opened import opened
from engine.lesson.perform import Outcome, Performance
from engine.lesson.reader import load_lesson
from engine.lesson.steps import Ask, Chapter, Lesson, Play, Typed
from tui.cli.output import note, print_json
from tui.cli.status import DONE, NO
from tui.render.text.clean import clean


def check_lesson(file: str, budget: int, as_json: bool) -> int:
    """Try all steps of a lesson; the exit status: NO where an answer or an assertion fails."""
    lesson = load_lesson(file)
    status = DONE
    with opened(lesson, budget) as debugger:
        performance = Performance(lesson, debugger)
        for outcome in performance.outcomes():
            status = status if outcome.ok else NO
            if as_json:
                print_json(outcome_data(outcome))
            else:
                print_outcome(outcome, lesson)
    note(summary(lesson, performance.score.right))
    return status


def summary(lesson: Lesson, right: int) -> str:
    """What was tried, in a line."""
    chapters, asked = len(lesson.chapters), len(lesson.questions)
    head = f"{lesson.file}: {len(lesson.steps)} steps, {chapters} chapters"
    return f"{head}, {right} of {asked} questions take their own answer" if asked else head


def outcome_data(outcome: Outcome) -> dict[str, object]:
    """What has come of a step, as plain data."""
    step = outcome.step
    word = step.name if isinstance(step, Typed) else type(step).__name__.lower()
    return {
        "line": step.line,
        "word": "view" if word == "show" else word,
        "ok": outcome.ok,
        "text": list(outcome.lines),
        **outcome.data,
    }


def print_outcome(outcome: Outcome, lesson: Lesson) -> None:
    """Print what a step does, as a script's commands are; a failure with its place."""
    match outcome.step:
        case Typed(text=text) | Play(text=text):
            click.echo(clean(f"> {text}"))
        case Chapter():
            click.echo()
        case Ask():
            pass
        case _:
            if not outcome.lines:
                return
    place = "" if outcome.ok else f"{lesson.file}:{outcome.step.line}: "
    for line in outcome.lines:
        click.echo(clean(f"{place}{line}"))
