"""``gradstep grade`` as people and programs call it."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from tests.tui.cli.shell import assert_refused, invoke, strict

RIGHT = '"W1.grad" = "x * dl/dyhat * dyhat/dz3 * W2 * dz2/dz1"\n"shape(dz2/dz1)" = "h×h"\n'
WRONG = '"W1.grad" = "x * dl/dyhat * dyhat/dz3 * dz2/dz1"\n"dyhat/dz3" = "I"\n'


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    texts = {"right.toml": RIGHT, "wrong.toml": WRONG, "broken.toml": "= 1"}
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return {name: tmp_path / name for name in texts}


def test_all_right(files: dict[str, Path]) -> None:
    result = invoke("grade", "regression", files["right.toml"])
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "2 of 2 right"


def test_wrong_with_the_reason(files: dict[str, Path]) -> None:
    result = invoke("grade", "regression", files["wrong.toml"])
    assert result.exit_code == 1
    text = " ".join(result.stdout.split())
    assert "✗ W1.grad wrong: factor missing: W⁽²⁾, between ∂ŷ/∂z₃ and ∂z₂/∂z₁" in text
    assert "(3×1)(1×2)(2×2)(4×4)" in text
    assert "right x · ∂ℓ/∂ŷ · ∂ŷ/∂z₃ · W⁽²⁾ · ∂z₂/∂z₁" in text


def test_json_of_one_file(files: dict[str, Path]) -> None:
    result = invoke("grade", "regression", files["wrong.toml"], "--json")
    found = strict(result.stdout)
    assert (result.exit_code, found["right"], found["total"]) == (1, 1, 2)
    first = found["answers"][0]
    assert {key: first[key] for key in ("of", "verdict", "reason", "factor", "dims")} == {
        "of": "W1.grad",
        "verdict": "wrong",
        "reason": "factor missing",
        "factor": "W⁽²⁾",
        "dims": [[3, 1], [1, 2], [2, 2], [4, 4]],
    }
    assert first["expected"] == "x · ∂ℓ/∂ŷ · ∂ŷ/∂z₃ · W⁽²⁾ · ∂z₂/∂z₁"


def test_several_hand_ins_make_a_table(files: dict[str, Path]) -> None:
    result = invoke("grade", "regression", files["right.toml"], files["wrong.toml"])
    assert result.exit_code == 1
    rows = [line.split() for line in result.stdout.splitlines()]
    assert ["∂ℓ/∂W⁽¹⁾", "✓", "✗"] in rows
    assert ["∂ŷ/∂z₃", "·", "✓"] in rows
    assert ["right", "2/2", "1/2"] in rows
    assert ["1", "∂ℓ/∂W⁽¹⁾", "factor", "missing:", "W⁽²⁾"] in rows


def test_a_class_has_a_row_for_each_file(files: dict[str, Path], tmp_path: Path) -> None:
    many = [tmp_path / f"{i}.toml" for i in range(30)]
    for i, path in enumerate(many):
        path.write_text(WRONG if i % 3 else RIGHT, encoding="utf-8")
    result = invoke("grade", "regression", *many)
    text = "".join(result.stdout.split())
    assert text.count("2/2✓✓·") == 10
    assert text.count("1/2✗·✓") == 20
    assert "20∂ℓ/∂W⁽¹⁾factormissing:W⁽²⁾" in text


def test_json_of_several_files(files: dict[str, Path]) -> None:
    result = invoke("grade", "regression", files["right.toml"], files["wrong.toml"], "--json")
    found = strict(result.stdout)
    assert [one["file"] for one in found["files"]] == [
        str(files["right.toml"]),
        str(files["wrong.toml"]),
    ]
    assert [one["right"] for one in found["files"]] == [2, 1]
    mistake = {"question": "∂ℓ/∂W⁽¹⁾", "mistake": "factor missing: W⁽²⁾", "count": 1}
    assert found["summary"] == [mistake]


def test_csv(files: dict[str, Path], tmp_path: Path) -> None:
    formula = tmp_path / "formula.toml"
    formula.write_text("\"=cmd|' /C calc'!A0\" = 1\n", encoding="utf-8")
    result = invoke("grade", "regression", files["wrong.toml"], formula, "--csv")
    rows = list(csv.reader(io.StringIO(result.stdout)))
    assert rows[0][:4] == ["file", "question", "of", "verdict"]
    assert rows[1][1:6] == ["∂ℓ/∂W⁽¹⁾", "W1.grad", "wrong", "factor missing", "W⁽²⁾"]
    assert rows[3][1].startswith("'=")  # no spreadsheet takes it for a formula


def test_a_file_that_cannot_be_read(files: dict[str, Path]) -> None:
    result = invoke("grade", "regression", files["broken.toml"])
    assert_refused(result, "broken.toml")
    both = invoke("grade", "regression", files["broken.toml"], files["right.toml"], "--json")
    assert both.exit_code == 2
    assert [one.get("right") for one in strict(both.stdout)["files"]] == [None, 2]


def test_results_for_an_autograder(files: dict[str, Path], tmp_path: Path) -> None:
    key, out = tmp_path / "key.toml", tmp_path / "results.json"
    key.write_text(
        'nearly = 0.5\n[points]\n"dL/dW1" = 4\n"∂ŷ/∂z₃" = 2\nb1.grad = 1\n', encoding="utf-8"
    )
    arguments = (files["wrong.toml"], "--gradescope", out, "--points", key)
    assert invoke("grade", "regression", *arguments).exit_code == 1
    found = json.loads(out.read_text(encoding="utf-8"))
    tests = [(t["name"], t["score"], t["max_score"]) for t in found["tests"]]
    assert tests == [("∂ℓ/∂W⁽¹⁾", 0, 4), ("∂ŷ/∂z₃", 2, 2), ("∂ℓ/∂b⁽¹⁾", 0, 1)]
    assert "factor missing: W⁽²⁾" in found["tests"][0]["output"]
    assert found["tests"][2]["output"] == "not answered"
    assert found["score"] == 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--json", "--csv"], ["--json and --csv"]),
        (["--points", "key.toml"], ["--points is for --gradescope"]),
    ],
)
def test_options_that_do_not_go_together(
    files: dict[str, Path], options: list[str], words: list[str]
) -> None:
    assert_refused(invoke("grade", "regression", files["right.toml"], *options), *words)


@pytest.mark.parametrize("points", ['"z1" = -1', '"z1" = "two"', "", "nearly = 2", '"z1" = nan'])
def test_points_that_are_none(files: dict[str, Path], tmp_path: Path, points: str) -> None:
    key = tmp_path / "key.toml"
    key.write_text(points, encoding="utf-8")
    arguments = ("--gradescope", tmp_path / "r.json", "--points", key)
    assert_refused(invoke("grade", "regression", files["right.toml"], *arguments), "points")


def test_arrays_in_npz(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, **{"dyhat/dz3": np.eye(2), "dz3/dz2": np.zeros((2, 4))})
    result = invoke("grade", "regression", path, "--json")
    words = [one["verdict"] for one in strict(result.stdout)["answers"]]
    assert words == ["right", "wrong"]
