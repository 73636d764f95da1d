"""`gradstep script`: a debugger session as a regression test."""

from pathlib import Path

import pytest

from tests.tui.cli.shell import assert_refused, invoke, lines, shell


def write(path: Path, *commands: str) -> Path:
    path.write_text("\n".join(commands), encoding="utf-8")
    return path


def test_a_script_prints_each_command_and_its_result(tmp_path: Path) -> None:
    script = write(tmp_path / "a.txt", "# a comment", "", "b backward", "c", "assert loss > 2")
    result = invoke("script", script)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "> b backward",
        "stop 1: break backward",
        "> c",
        "stop 1 (break backward): before #9 i1:backward:identity1.out.grad",
        "#9 i1:backward:identity1.out.grad  ∂ℓ/∂ŷ = 2(ŷ − y)  loss 2.2375",
        "> assert loss > 2",
        "holds: loss > 2",
    ]


def test_a_failed_assertion_is_status_1_and_the_script_goes_on(tmp_path: Path) -> None:
    script = write(tmp_path / "a.txt", "9s", "assert loss < 1", "goto end", "assert loss < 1")
    result = invoke("script", script, "regression")
    assert result.exit_code == 1
    assert f"{script}:2: assertion failed at #9 " in result.stdout
    assert result.stdout.splitlines()[-1] == "holds: loss < 1"


def test_an_error_is_status_2_with_file_line_and_column(tmp_path: Path) -> None:
    script = write(tmp_path / "a.txt", "9s", "p norm(los)", "s")
    result = invoke("script", script)
    assert result.exit_code == 2
    assert f"{script}:2:8: unknown name 'los': did you mean loss?" in result.stderr
    assert "p norm(los)\n       ^" in result.stderr
    assert "> s" not in result.stdout


@pytest.mark.parametrize("content", [b"\xff\xfe", None])
def test_a_file_that_is_no_script(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "a.txt"
    if content is not None:
        file.write_bytes(content)
    assert_refused(invoke("script", file), str(file), "a script has debugger commands")


def test_an_unknown_experiment(tmp_path: Path) -> None:
    assert_refused(invoke("script", write(tmp_path / "a.txt", "s"), "regresion"), "regresion")


def test_json_is_an_object_for_each_command(tmp_path: Path) -> None:
    script = write(tmp_path / "a.txt", "until any non-finite", "p loss", "assert loss < 1")
    result = invoke("script", script, "bug-exploding", "--json")
    assert result.exit_code == 1
    until, value, check = lines(result.stdout)
    assert (until["line"], until["command"], until["ok"]) == (1, "until any non-finite", True)
    (hit,) = until["hits"]
    assert (hit["tensor"], hit["index"], hit["after"]) == ("loss", [], "Infinity")
    assert hit["written_by"] == until["at"]["event"] - 1
    assert value["value"] == "Infinity"
    assert (check["ok"], check["held"]) == (False, False)


def test_what_a_script_echoes_cannot_steer_the_terminal(tmp_path: Path) -> None:
    script = write(tmp_path / "a.txt", "mark a \x1b[31mred")
    result = invoke("script", script)
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout
    assert r"\x1b[31mred" in result.stdout


def test_in_a_process_of_its_own(tmp_path: Path) -> None:
    done = shell("script", write(tmp_path / "a.txt", "goto end", "assert loss > 100"))
    assert done.returncode == 1
    assert done.stderr == ""
