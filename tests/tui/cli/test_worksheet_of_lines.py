"""``gradstep worksheet`` for lines, of a whole batch, and at a position."""

import json
import re
from pathlib import Path

import pytest

from tests.engine.worksheet.line_experiments import END, TEXTS
from tests.tui.cli.shell import invoke


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "lines.toml"
    path.write_text(TEXTS["relu"] + END, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("form", ["text", "markdown", "latex"])
def test_lines_in_every_form(file: str, form: str) -> None:
    result = invoke("worksheet", file, "--format", form)
    assert result.exit_code == 0
    assert "yhat" in result.stdout


def test_the_batch_has_samples_as_rows(file: str) -> None:
    found = json.loads(invoke("worksheet", file, "--batch", "--format", "json").stdout)
    assert (found["sample"], found["layout"]) == (None, "gradient")
    assert found["forward"][0]["output"] == "x W1ᵀ + b1"
    assert found["forward"][0]["shape"] == [2, 4]
    assert found["gradients"][0]["backward"][0]["formula"] == "(∂ℓ/∂z1)ᵀ x"
    layers = json.loads(invoke("worksheet", "regression", "--batch", "--format", "json").stdout)
    assert layers["forward"][0]["output"] == "x W⁽¹⁾ᵀ + b⁽¹⁾"
    assert layers["gradients"][0]["formula"] == "(∂ℓ/∂z₁)ᵀ x"


def test_a_sample_or_the_batch(file: str) -> None:
    result = invoke("worksheet", file, "--batch", "--sample", "0")
    assert result.exit_code == 2
    assert "exclude each other" in result.stderr


@pytest.mark.parametrize("name", ["regression", "lines"])
def test_at_a_position_with_the_parameters_there(name: str, file: str) -> None:
    thing = file if name == "lines" else name
    values = [
        json.loads(invoke("worksheet", thing, *at, "--format", "json").stdout)
        for at in ((), ("--at", "i1:forward"), ("--at", "i3:forward"))
    ]
    first = [one["gradients"][0]["values"] for one in values]
    assert first[0] == first[1] != first[2]


def test_a_vector_of_up_to_twelve_is_shown_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = invoke("worksheet", "regression").stdout
    assert re.search(r"… of \d+ values", text) is None
    assert "".join(text.split()).count("0.05000") >= 1
