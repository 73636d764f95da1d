"""The page about grading: its example is right, and its table names mistakes that there are."""

import re
from pathlib import Path

from engine.answers.asking import asked
from engine.answers.classes import read_points
from engine.answers.sources import read_handin
from engine.session.session import Session
from tests.engine.answers.graded import bench, grader, verdict

PAGE = Path(__file__).parents[3] / "docs" / "grading.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)

MADE = {
    "factor missing": ("∂ℓ/∂W⁽¹⁾", "x · ∂ℓ/∂ŷ · ∂ŷ/∂z₃ · ∂z₂/∂z₁"),
    "transposed factor": ("z₁", "W⁽¹⁾ᵀx + b⁽¹⁾"),
    "order of factors": ("∂ℓ/∂W⁽²⁾", "∂ℓ/∂ŷ · ∂ŷ/∂z₃ · z₂"),
    "a column where a row is meant": ("∂ℓ/∂ŷ", "2(ŷ − y)"),
    "a scalar where a matrix is meant": ("∂ŷ/∂z₃", "1"),
    "the loss is a vector": ("ℓ", "ŷ − y"),
    "term missing": ("z₃", "W⁽²⁾z₂"),
    "another tensor is meant": ("z₃", "W⁽²⁾z₁ + b⁽²⁾"),
}


def test_the_example_is_right(tmp_path: Path) -> None:
    path = tmp_path / "answers.toml"
    path.write_text(BLOCKS[0], encoding="utf-8")
    found = grader("regression").grade(read_handin(path))
    assert [one.verdict for one in found] == ["right"] * 7


def test_the_claim_is_answered_so() -> None:
    session = Session(bench("regression").program)
    found = asked(session, "W1.grad = x · ∂ℓ/∂ŷ · ∂ŷ/∂z₃ · ∂z₂/∂z₁")
    assert "\n".join(found.lines()) in TEXT


def test_the_points_are_read(tmp_path: Path) -> None:
    path = tmp_path / "points.toml"
    path.write_text(BLOCKS[1], encoding="utf-8")
    points = read_points(path, grader("regression"))
    assert (points.table, points.nearly) == ({"∂ℓ/∂W⁽¹⁾": 4.0, "∂ŷ/∂z₃": 2.0}, 0.5)


def test_the_table_shows_answers_that_make_the_mistake() -> None:
    rows = dict(re.findall(r"^\| `([^`]+)` \| `([^`]+)`", TEXT, re.MULTILINE))
    for reason, (of, said) in MADE.items():
        assert verdict("regression", of, said).reason == reason
        assert rows[reason] == f"{of} = {said}"
