"""Scores, and the file that collects those of a class."""

import json
from pathlib import Path

import pytest

from engine.errors import GradstepError
from engine.lesson.question import Judged
from engine.lesson.score import Score, check_collecting, collect
from engine.lesson.steps import Ask

FIRST, SECOND, THIRD = (Ask(line, f"q{line}", "text", "a") for line in (3, 5, 9))
WRONG, RIGHT = Judged("wrong", "why"), Judged("right")


def scored() -> Score:
    score = Score(3)
    score.of(FIRST).try_("a", RIGHT)
    score.of(SECOND).try_("b", WRONG)
    score.of(SECOND).try_("a", RIGHT)
    score.of(THIRD).try_("b", WRONG)
    score.of(THIRD).revealed = True
    return score


def test_a_score_counts_what_was_right_before_it_was_shown() -> None:
    assert scored().lines() == (
        "2 of 3 right, 1 of them at the first try",
        "✗ q9  (shown)",
    )


def test_questions_that_were_not_met_are_counted() -> None:
    score = Score(2)
    score.of(FIRST).try_("b", WRONG)
    assert score.lines() == (
        "0 of 2 right, 0 of them at the first try", "✗ q3  (not answered)", "1 not asked",
    )  # fmt: skip
    assert Score(0).lines() == ()


def test_a_file_collects_the_answers_of_a_class(tmp_path: Path) -> None:
    file = tmp_path / "class.json"
    collect(file, "homework", "ada", scored())
    collect(file, "homework", "grace", Score(3))
    found = json.loads(file.read_text())["answers"]
    assert [(one["name"], one["right"], one["total"]) for one in found] == [
        ("ada", 2, 3), ("grace", 0, 3),
    ]  # fmt: skip
    assert found[0]["answers"][1] == {
        "question": "q5",
        "line": 5,
        "right": True,
        "revealed": False,
        "tries": [
            {"said": "b", "verdict": "wrong", "message": "why"},
            {"said": "a", "verdict": "right", "message": ""},
        ],
    }
    assert [path.name for path in tmp_path.iterdir()] == ["class.json"]


@pytest.mark.parametrize("content", ["{}", "[1]", "nonsense", '{"answers": 3}', "[" * 10_000])
def test_a_file_of_something_else_is_kept(tmp_path: Path, content: str) -> None:
    file = tmp_path / "class.json"
    file.write_text(content)
    with pytest.raises(GradstepError, match="not a file of answers"):
        collect(file, "homework", "ada", scored())
    assert file.read_text() == content


def test_a_folder_that_is_not_there_is_told_beforehand(tmp_path: Path) -> None:
    check_collecting(tmp_path / "new.json")
    with pytest.raises(GradstepError, match="there is no folder"):
        check_collecting(tmp_path / "none" / "new.json")
