"""Lessons made of runs: what is written can be read again, and leads to the same places."""

import re

import pytest

from engine.debugger import Debugger
from engine.lesson.perform import Performance
from engine.lesson.reader import read_lesson
from engine.lesson.steps import Chapter, Say
from engine.lesson.writing import MOST, lesson_of
from engine.session.session import Session
from engine.words.language import CommandLine
from tests.engine.small_experiments import built_in


def made(*lines: str) -> Debugger:
    debugger = Debugger(Session(built_in("regression")))
    for line in lines:
        CommandLine(debugger).execute(line)
    return debugger


def visited(text: str) -> list[int]:
    """The events at which the lesson holds."""
    lesson = read_lesson(text, "a.lesson")
    debugger = Debugger(Session(built_in("regression")))
    found = []
    for outcome in Performance(lesson, debugger).outcomes():
        if type(outcome.step).__name__ == "Hold":
            found.append(debugger.event)
    return found


def test_bookmarks_are_chapters_with_captions() -> None:
    debugger = made("goto #30", "mark late the end", "goto #9", 'mark early "quoted" **text**')
    text = lesson_of(debugger, "regression")
    lesson = read_lesson(text, "a.lesson")
    assert [step.title for step in lesson.chapters] == ["early", "late"]
    said = [step.text for step in lesson.steps if isinstance(step, Say)]
    assert said == ['"quoted" **text**', "the end"]
    assert visited(text) == [9, 30]


def test_edits_are_made_again() -> None:
    debugger = made("goto #12", "set W1[0,1] = 3", "set optimizer.lr = 0.5", "skip update")
    text = lesson_of(debugger, "regression")
    assert re.findall("^(?:set|skip).*", text, re.MULTILINE) == [
        "set W1[0, 1] = 3.0", "set optimizer.lr = 0.5", "skip update",
    ]  # fmt: skip
    assert len(visited(text)) > 1


@pytest.mark.parametrize(("known", "count"), [(20, 21), (84, 85), (600, 86), (630, 90)])
def test_a_run_without_bookmarks_has_places_all_along(known: int, count: int) -> None:
    places = visited(lesson_of(made(f"goto #{known}"), "regression"))
    assert places[0] == 0
    assert places[-1] == known
    assert len(places) <= MOST + 1
    assert len(places) == count or known >= 600


@pytest.mark.parametrize("said", ['"""', 'a""" b', '"', "x" * 20_000, "\x1b[2J\n# y\nhold", ""])
def test_hostile_bookmarks_stay_captions(said: str) -> None:
    debugger = made("s")
    debugger.bookmarks.mark("one", 1, said)
    lesson = read_lesson(lesson_of(debugger, 'a "b" c.toml'), "a.lesson")
    assert lesson.thing == 'a "b" c.toml'
    kinds = [type(step).__name__ for step in lesson.steps]
    assert kinds in (["Typed", "Chapter", "Say", "Hold"], ["Typed", "Chapter", "Hold"])
    assert isinstance(lesson.steps[1], Chapter)
