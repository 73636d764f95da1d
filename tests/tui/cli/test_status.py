"""What a command ends with, whatever it raises."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from engine.errors import GradstepError
from tests.tui.cli.shell import PATIENCE
from tui.cli.status import status_of


def raising(error):
    def command():
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (GradstepError("a.toml: no"), 2, "gradstep: a.toml: no\n"),
        (GradstepError("\x1b[2J[b]"), 2, "gradstep: \\x1b[2J[b]\n"),
        (click.UsageError("no"), 2, "gradstep: no\n"),
        (click.exceptions.Exit(1), 1, ""),
        (KeyboardInterrupt(), 130, "gradstep: interrupted\n"),
        (click.Abort(), 130, "gradstep: interrupted\n"),
        (MemoryError(), 2, "gradstep: not enough memory\n"),
        (PermissionError(13, "Permission denied", "/x"), 2, "gradstep: /x: Permission denied\n"),
    ],
)
def test_errors_are_one_message_and_a_status(error, status, message, capsys, monkeypatch):
    monkeypatch.setattr("tui.cli.status.drop_output", lambda: None)
    assert status_of(raising(error)) == status
    assert capsys.readouterr() == ("", message)


def test_a_mistake_of_the_program_is_no_traceback(capsys, monkeypatch):
    monkeypatch.delenv("GRADSTEP_DEBUG", raising=False)
    assert status_of(raising(ZeroDivisionError("oops"))) == 2
    assert "ZeroDivisionError: oops" in capsys.readouterr().err
    monkeypatch.setenv("GRADSTEP_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        status_of(raising(ZeroDivisionError("oops")))


@pytest.mark.parametrize("status", [0, 1, 2])
def test_the_status_of_a_command_is_passed_on(status):
    assert status_of(lambda: status) == status


def piped(*words: str, into: list[str] | None, cwd: Path | None = None) -> int:
    """The status of a command whose reader ends at once, or that has none."""
    command = [sys.executable, "-m", "tui", *words]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE if into else subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=cwd,
    ) as process:
        if into:
            reader = subprocess.Popen(into, stdin=process.stdout, stdout=subprocess.DEVNULL)
            assert process.stdout is not None
            process.stdout.close()  # the reader alone holds it now
            reader.wait(timeout=PATIENCE)
        return process.wait(timeout=PATIENCE)


ANSWERS = [
    ["diagnose", "bug-dead-relu"],
    ["diagnose", "bug-dead-relu", "--json"],
    ["diff", "xor", "iris"],
    ["script", "fails.gs"],
    ["check", "regression"],
]


@pytest.mark.parametrize("words", ANSWERS, ids=" ".join)
def test_an_answer_survives_a_reader_that_is_gone(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "fails.gs").write_text("p W1\n" * 3000 + "assert 1 > 2\n")
    expected = piped(*words, into=None, cwd=tmp_path)
    assert expected == (0 if words[0] == "check" else 1)
    # true reads nothing: the very first write finds the pipe closed
    for reader in (["head", "-1"], ["true"]):
        assert piped(*words, into=reader, cwd=tmp_path) == expected


def test_what_answers_nothing_ends_with_its_reader(tmp_path: Path) -> None:
    assert piped("trace", "digits", "--iterations", "50", into=["true"], cwd=tmp_path) == 0


def test_a_script_from_a_standard_input_that_is_closed() -> None:
    done = subprocess.run(
        ["sh", "-c", f"{shlex.quote(sys.executable)} -m tui script - <&-"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == "gradstep: -: there is no standard input; name a file instead\n"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
@pytest.mark.parametrize("words", [["show", "regression"], ["worksheet", "xor"], ["keys"]])
def test_a_terminal_that_lacks_characters_is_no_error(encoding: str, words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tui", *words],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout


def test_hints_can_be_pasted_into_a_shell(tmp_path: Path) -> None:
    file = "my file; touch oops.toml"
    made = subprocess.run(
        [sys.executable, "-m", "tui", "new", file],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )
    (hint,) = [line.partition("next: ")[2] for line in made.stderr.splitlines() if "next" in line]
    assert shlex.split(hint) == ["gradstep", "run", file]
    run = subprocess.run(
        [sys.executable, "-m", "tui", "run", file],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert run.returncode == 2
    assert f"gradstep trace {shlex.quote(file)}" in run.stderr
