"""How far a lesson is, through the private file of who plays it and through recordings."""

import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from engine.debugger import Debugger
from engine.errors import GradstepError
from engine.lesson.here import described, here
from engine.lesson.progress import (
    Progress,
    ProgressFile,
    last_progress,
    played,
    progress_of,
)
from engine.lesson.reader import read_lesson
from engine.recording.estimate import estimate
from engine.recording.recorder import Recorder
from engine.recording.writer import Writer
from engine.session.session import Session
from tests.engine.small_experiments import program

HALF = Progress(3, "ask", 9, 1.5e9, 12, 2, 1, 1, 4)


def test_a_progress_comes_back_from_its_text() -> None:
    assert progress_of(HALF.text) == HALF


@pytest.mark.parametrize(
    "change",
    [{"place": -1}, {"place": 1.5}, {"place": True}, {"place": 2**60}, {"waits": 3}, {"began": 1},
     {"began": float("nan")}, {"event": None}, {"total": "4"}],
    ids=str,
)  # fmt: skip
def test_one_that_is_none_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(GradstepError, match=f"its {next(iter(change))} is"):
        progress_of(json.dumps({**json.loads(HALF.text), **change}))


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 9999, "1"])
def test_what_is_no_table_is_refused(text: str) -> None:
    with pytest.raises(GradstepError, match="cannot be read"):
        progress_of(text)


def test_who_plays_is_followed_and_nobody_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "state" / "a.gradstep"
    assert not played(path)
    file = ProgressFile(path)
    assert played(path)
    assert last_progress(path) is None
    file.write(HALF)
    assert last_progress(path) == HALF
    file.write(replace(HALF, place=4))
    assert last_progress(path) == replace(HALF, place=4)
    file.close()
    assert not played(path)
    assert last_progress(path) == replace(HALF, place=4)
    again = ProgressFile(path)
    assert last_progress(path) is None  # another play of it
    again.close()


def test_of_two_who_play_the_first_is_followed(tmp_path: Path) -> None:
    first, second = (ProgressFile(tmp_path / "a.gradstep") for _ in range(2))
    assert (first.busy, second.busy) == (False, True)
    first.write(HALF)
    second.write(Progress())
    second.close()
    assert played(first.path)
    assert last_progress(first.path) == HALF
    first.close()


def test_what_was_left_by_who_was_killed_is_no_hindrance(tmp_path: Path) -> None:
    path = tmp_path / "a.gradstep"
    path.write_bytes(b"\0" * 5000)
    with pytest.raises(GradstepError):
        last_progress(path)
    file = ProgressFile(path)
    file.write(HALF)
    assert last_progress(path) == HALF
    file.close()


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "no").write_text("a file")
    with pytest.raises(GradstepError, match="no"):
        ProgressFile(tmp_path / "no" / "a.gradstep")


def test_a_recording_has_it_too(tmp_path: Path) -> None:
    path, made = tmp_path / "r.gradstep", program()
    debugger = Debugger(Session(made))
    recorder = Recorder(Writer(path, made, estimate(made, "full", 1), {}), debugger)
    recorder.update()
    assert last_progress(path) is None
    debugger.views.place = HALF.text
    recorder.update()
    assert last_progress(path) == HALF
    recorder.writer.close()
    with sqlite3.connect(path) as file:
        file.execute("UPDATE view SET text = '# lesson {}'")
    with pytest.raises(GradstepError):
        last_progress(path)


LESSON = """open xor
chapter "A"
note "first"
say "one"
hold
note "second"
say "two"
ask "b?" = 2
s
say "three"
note "third"
chapter "B"
view chain W1.grad
hide sizes W1
reveal W1
play 3 at 2/s
"""


@pytest.mark.parametrize(
    ("place", "chapter", "captions", "notes", "asks"),
    [
        (0, "", (), (), False),
        (4, "1/2 A", ("one",), ("first",), False),  # it holds
        (7, "1/2 A", ("two",), ("second",), True),
        (10, "1/2 A", ("three",), ("third",), False),  # the chapter waits
        (11, "2/2 B", (), (), False),
        (99, "2/2 B", (), (), False),
    ],
)
def test_what_a_place_of_a_lesson_has(
    place: int, chapter: str, captions: tuple[str, ...], notes: tuple[str, ...], asks: bool
) -> None:
    found = here(read_lesson(LESSON, "a.lesson"), place)
    assert (found.chapter, found.captions, found.notes) == (chapter, captions, notes)
    assert (found.question is not None) is asks


def test_steps_in_a_line() -> None:
    assert [described(step) for step in read_lesson(LESSON, "a.lesson").steps] == [
        "chapter  A", "note  first", "say  one", "hold", "note  second", "say  two", "ask  b?", "s",
        "say  three", "note  third", "chapter  B", "view chain W1.grad", "hide sizes W1",
        "reveal W1", "play 3s at 2/s",
    ]  # fmt: skip
