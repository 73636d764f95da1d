"""Lessons carried out without a screen."""

from pathlib import Path

import pytest

from engine.errors import GradstepError
from engine.lesson.opened import opened
from engine.lesson.perform import Outcome, Performance
from engine.lesson.reader import read_lesson
from tests.engine.capture.told import trained


def performed(file: str, *lines: str) -> list[Outcome]:
    lesson = read_lesson("\n".join(lines), file)
    with opened(lesson) as debugger:
        return list(Performance(lesson, debugger).outcomes())


def test_words_move_the_cursor_and_play_goes_where_its_word_leads() -> None:
    found = performed("a.lesson", "open regression", "n", "play n at 2/s", "play 3 at 9/s")
    assert [one.data["at"]["event"] for one in found] == [4, 8, 11]


def test_each_question_gets_its_own_answer() -> None:
    found = performed("a.lesson", "open regression", 'ask "?" = 1 + 1', 'ask "dl/dyhat =" = "y"')
    assert [one.ok for one in found] == [True, False]
    assert found[0].lines == ("?", "2 is right")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("view tensor q", "a.lesson:3: no tensor 'q'"),
        ("view tensor x sample 99", "a.lesson:3: sample 99: the batch has 4, from 0"),
        ("hide zz", "a.lesson:3: no tensor 'zz'"),
        ("goto nowhere", "a.lesson:3:6: "),
        ('ask "?" = norm(zz)', "a.lesson:3: "),
    ],
)
def test_an_error_has_file_and_line(line: str, said: str) -> None:
    with pytest.raises(GradstepError) as raised:
        performed("a.lesson", "open regression", "hold", line)
    assert str(raised.value).startswith(said)


def test_files_are_looked_for_beside_the_lesson(tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "engine/experiment/builtins/xor.toml").read_text()
    (tmp_path / "own.toml").write_text(text)
    found = performed(str(tmp_path / "a.lesson"), "open own.toml", "s", "versus own.toml")
    assert all(one.ok for one in found)


def test_what_cannot_be_opened_is_told_with_the_lesson(tmp_path: Path) -> None:
    with pytest.raises(GradstepError, match=r"a\.lesson: what it opens: .*regresion"):
        performed("a.lesson", "open regresion")
    with pytest.raises(GradstepError, match=r"a\.lesson: what it opens: .*b\.gradstep"):
        performed(str(tmp_path / "a.lesson"), "open b.gradstep")


def test_a_lesson_over_a_recording() -> None:
    recordings = Path(__file__).parents[2] / "recordings"
    found = performed(str(recordings / "a.lesson"), "open v1.gradstep", "f", "p loss")
    assert found[1].ok


def test_a_lesson_is_over_a_captured_script_too(tmp_path: Path) -> None:
    trained(tmp_path / "net.gradstep", 2)
    file = str(tmp_path / "a.lesson")
    lines = ("open net.gradstep", "n", 'ask "1 + 1?" = 2', "view program", "hide next", "n")
    found = performed(file, *lines)
    assert all(one.ok for one in found)
    assert found[-1].data["at"]["event"] > found[0].data["at"]["event"] > 0
    with pytest.raises(GradstepError, match=r"a\.lesson:2: no tensor 'W1.grad'"):
        performed(file, "open net.gradstep", "view chain W1.grad")
