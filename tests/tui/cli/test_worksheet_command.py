"""``gradstep worksheet`` and ``gradstep compare`` as people and programs call them."""

import json
import re

import pytest
from rich.cells import cell_len

from tests.tui.cli.shell import invoke, shell

HOMEWORK = ["regression", "classification-mse", "classification-bce", "classification-relu"]


def squeezed(text: str) -> str:
    """The text with every run of white space as one space."""
    return " ".join(text.split())


@pytest.mark.parametrize("columns", ["80", "120"])
@pytest.mark.parametrize("name", [*HOMEWORK, "iris", "deep-relu"])
def test_the_tables_fit_the_width(name: str, columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    result = invoke("worksheet", name)
    assert result.exit_code == 0
    assert max(cell_len(line.rstrip()) for line in result.stdout.splitlines()) <= int(columns)
    cut = re.findall(r"(?<!  )…(?! of \d)", result.stdout)
    assert cut == []  # values are left out, and it says so, but no word or formula is cut off
    for title in ("(a) The five steps", "(b) Forward", "(c) Gradients, numerator", "(d) Elements"):
        assert title in result.stdout


def test_a_formula_keeps_all_its_parts_when_it_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    text = "".join(invoke("worksheet", "regression", "--layout", "gradient").stdout.split())
    assert "(∂z₂/∂z₁)ᵀW⁽²⁾ᵀ" in text
    assert "(h×h)(h×K)(K×K)(K×1)(1×n)" in text


def test_the_numbers_stand_under_the_formulas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    text = squeezed(invoke("worksheet", "regression", "--layout", "numerator").stdout)
    assert "n = 3 · h = 4 · K = 2" in text
    assert "x · ∂ℓ/∂ŷ · ∂ŷ/∂z₃ · W⁽²⁾ · ∂z₂/∂z₁ n×h" in text
    assert "(3×1)(1×2)(2×2)(2×4)(4×4)" in text
    assert "z₁ = W⁽¹⁾x + b⁽¹⁾ h×1 [0.7500 0.05000 -1.350 0.3000]ᵀ 4×1" in text
    assert "gradient layout" not in text


def test_json_is_that_of_the_sample() -> None:
    first, third = (
        json.loads(invoke("worksheet", "regression", "--sample", i, "--format", "json").stdout)
        for i in (0, 2)
    )
    assert list(first)[:3] == ["experiment", "sample", "layout"]
    assert first["forward"][0]["values"] != third["forward"][0]["values"]
    assert third["gradients"][0]["dims"] == [3, 4]


def test_latex_and_markdown() -> None:
    latex = invoke("worksheet", "classification-bce", "--format", "latex").stdout
    assert latex.startswith("\\documentclass")
    assert latex.endswith("\\end{document}\n")
    markdown = invoke("worksheet", "classification-bce", "--format", "markdown").stdout
    assert markdown.startswith("# classification-bce\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("worksheet", "nothing-like-it"), "nothing-like-it"),
        (("worksheet", "regression", "--sample", "4"), "0 to 3"),
        (("worksheet", "regression", "--format", "pdf"), "'pdf' is not one of"),
        (("compare", "regression"), "Missing argument 'B'"),
        (("compare", "regression", "nope.toml"), "nope.toml"),
    ],
)
def test_what_cannot_be_served(arguments: tuple[str, ...], message: str) -> None:
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stdout == ""


def test_compare_is_done_whether_or_not_they_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    assert invoke("compare", "regression", "regression").exit_code == 0
    result = invoke("compare", "classification-mse", "classification-bce")
    assert result.exit_code == 0
    assert "(c) nothing changes" in result.stdout


@pytest.mark.parametrize("columns", ["80", "140"])
def test_compare_marks_the_changed_rows_alone(
    columns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    lines = invoke("compare", "classification-mse", "classification-bce").stdout.splitlines()
    assert max(cell_len(line.rstrip()) for line in lines) <= int(columns)
    marked = [line for line in lines if re.match(r" *≠ (?!changed)", line)]
    assert len(marked) == 3
    both = [line for line in lines if "2(ŷᵢ − yᵢ)" in line and "ŷᵢ(1 − ŷᵢ)" in line]
    assert len(both) == (1 if columns == "140" else 0)  # side by side where there is room


def test_compare_shows_vanishing_gradients() -> None:
    found = json.loads(invoke("compare", "deep-sigmoid", "deep-relu", "--format", "json").stdout)
    first, last = found["norms"]["rows"][0], found["norms"]["rows"][-1]
    assert first["norms"][0] < 1e-5 * last["norms"][0]
    assert first["norms"][1] > 0.1 * last["norms"][1]


def test_a_pipe_gets_no_escape_sequences() -> None:
    for arguments in (("worksheet", "regression"), ("compare", "regression", "xor")):
        done = shell(*arguments)
        assert done.returncode == 0
        assert "\x1b" not in done.stdout
        assert done.stderr == ""
