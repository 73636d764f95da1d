"""What a command ends with, whatever it raises."""

import click
import pytest

from engine.errors import GradstepError
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
