"""`gradstep lesson` and `gradstep script --check`."""

import json
from pathlib import Path

import pytest

from engine.lesson.shipped import shipped_names
from tests.tui.cli.shell import assert_refused, invoke, lines


def write(path: Path, *steps: str) -> Path:
    path.write_text("\n".join(steps), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", shipped_names())
def test_a_lesson_that_comes_along_takes_its_own_answers(name: str) -> None:
    result = invoke("script", "--check", name)
    assert result.exit_code == 0
    assert "questions take their own answer" in result.stderr


def test_what_a_check_prints(tmp_path: Path) -> None:
    lesson = write(
        tmp_path / "a.lesson", "open regression", 'chapter "One"', 'say "look"', "n", "hold",
        'ask "size?" = shape(W1.grad)', "view chain W1.grad", "play 2 at 2/s",
    )  # fmt: skip
    result = invoke("script", "--check", lesson)
    assert result.stdout.splitlines() == [
        "",
        "One",
        "look",
        "> n",
        "#4 i1:forward:linear1.out  z₁ = linear1(x)",
        "size?",
        "4×3 is right: in gradient layout",
        "> 2s",
        "#6 i1:forward:linear2.out  z₃ = linear2(z₂)",
    ]
    assert (
        result.stderr == f"{lesson}: 7 steps, 1 chapters, 1 of 1 questions take their own answer\n"
    )


def test_an_answer_of_its_own_that_is_refused_is_status_1_with_its_line(tmp_path: Path) -> None:
    lesson = write(tmp_path / "a.lesson", "open regression", 'ask "∂ℓ/∂b⁽²⁾ =" = "W2"', "s")
    result = invoke("script", "--check", lesson)
    assert result.exit_code == 1
    assert f"{lesson}:2: W2 is wrong" in result.stdout
    assert "0 of 1 questions" in result.stderr


def test_a_check_as_json_is_an_object_for_each_step(tmp_path: Path) -> None:
    lesson = write(tmp_path / "a.lesson", "open xor", "hold", 'ask "?" = 1 > 2', "assert 1 > 2")
    result = invoke("script", "--check", "--json", lesson)
    assert result.exit_code == 1
    found = lines(result.stdout)
    assert [(one["line"], one["word"], one["ok"]) for one in found] == [
        (2, "hold", True), (3, "ask", True), (4, "assert", False),
    ]  # fmt: skip
    assert (found[1]["answer"], found[1]["verdict"]) == ("no", "right")


def test_errors_are_status_2_and_name_file_and_line(tmp_path: Path) -> None:
    lesson = write(tmp_path / "a.lesson", "open xor", "hodl", "view tensro x")
    result = invoke("script", "--check", lesson)
    assert_refused(
        result,
        f"{lesson}:2:1: no word 'hodl' (did you mean hold?)",
        f"{lesson}:3:6: no pane 'tensro'",
    )
    lesson = write(tmp_path / "a.lesson", "open xor", "hold", "goto nowhere")
    result = invoke("script", "--check", lesson)
    assert result.exit_code == 2
    assert f"{lesson}:3:6: " in result.stderr


def test_a_script_says_that_it_is_given_a_lesson(tmp_path: Path) -> None:
    lesson = write(tmp_path / "a.lesson", "# x", "open xor", "hold")
    result = invoke("script", lesson)
    assert result.exit_code == 2
    assert f"{lesson}:3:1: no command 'hold'" in result.stderr
    assert "a word of lessons: script --check" in result.stderr


def test_a_lesson_needs_a_terminal_and_a_file() -> None:
    assert_refused(invoke("lesson", "homework-1.2"), "terminal", "gradstep script --check")
    assert_refused(invoke("lesson", "homwork-1.2"), "did you mean 'homework-1.2'?")


def test_notes_need_a_terminal_and_a_lesson_that_is_a_file() -> None:
    assert_refused(invoke("lesson", "homework-1.2", "--notes"), "terminal")
    assert_refused(invoke("lesson", "homwork-1.2", "--notes"), "did you mean 'homework-1.2'?")


def test_answers_go_to_no_file_of_something_else(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text(json.dumps({"mine": 1}))
    # The terminal is asked for first: there is none in a test.
    result = invoke("lesson", "homework-1.2", "--answers", file)
    assert result.exit_code == 2
    assert file.read_text() == json.dumps({"mine": 1})


def test_a_lesson_is_exported_in_its_forms(tmp_path: Path) -> None:
    lesson = write(tmp_path / "a.lesson", "# T", "open xor", 'say "look"', "hold", "s", "hold")
    for form, begins in (
        ("html", "<!DOCTYPE html>"),
        ("cast", '{"version": 2'),
        ("markdown", "# T"),
    ):
        out = tmp_path / f"a.{form}"
        result = invoke("export", lesson, "--to", form, "-o", out, "--size", "80x24")
        assert result.exit_code == 0, result.output
        assert out.read_text().startswith(begins)
        assert "look" in out.read_text()
        assert f"wrote {out}" in result.stderr
        if form != "markdown":
            assert "3 steps, " in result.stderr  # with its size and how long it took
            assert "of memory" in result.stderr
    assert_refused(invoke("export", lesson, "--to", "npz", "-o", "x"), "has html, cast, markdown")
    for size in ("80", "80x", "5x5", "99999x30", "ax3"):
        assert invoke("export", lesson, "--to", "html", "--size", size).exit_code == 2


def test_a_recording_is_exported_as_a_lesson_over_it(tmp_path: Path) -> None:
    recording, lesson = tmp_path / "a.gradstep", tmp_path / "a.lesson"
    assert invoke("record", "xor", "-o", recording, "--iterations", 1).exit_code == 0
    assert invoke("export", recording, "--to", "lesson", "-o", lesson).exit_code == 0
    assert "open a.gradstep" in lesson.read_text().splitlines()
    assert invoke("script", "--check", lesson).exit_code == 0
    result = invoke("export", recording, "--to", "cast", "--size", "80x24")
    assert (result.exit_code, result.stdout[:13]) == (0, '{"version": 2')
    assert invoke("export", recording, "--to", "html", "--run", 1).exit_code == 2
