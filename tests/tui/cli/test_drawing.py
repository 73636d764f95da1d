"""Initial values of a large network: a bar on a terminal while they are drawn."""

import os
import pty
import subprocess
from pathlib import Path

import pytest

from engine.nn import initializers
from tests.tui.cli.shell import COMMAND, environment, invoke, read_until, shell

LARGE = """
seed = 0
[data]
x = [[0.5, 1.0]]
y = [[1.0]]
[[layers]]
type = "linear"
out = 1100
[[layers]]
type = "linear"
out = 1100
[[layers]]
type = "linear"
out = 1
[loss]
type = "mse"
[optimizer]
type = "sgd"
lr = 0.1
[training]
epochs = 1
"""


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "large.toml"
    path.write_text(LARGE, encoding="utf-8")
    return path


@pytest.mark.parametrize("command", ["train", "run"])
def test_a_bar_on_a_terminal(large: Path, command: str) -> None:
    ours, theirs = pty.openpty()
    env = environment(TERM="xterm-256color", XDG_CONFIG_HOME=str(large.parent))
    streams = {"stdin": theirs, "stdout": theirs, "stderr": theirs}
    with subprocess.Popen([*COMMAND, command, large], env=env, **streams) as process:
        os.close(theirs)
        seen = read_until(ours, b"initial values 1100 \xc3\x97 1100")
        seen += read_until(ours, b"100%" if command == "run" else b"1/1")
        process.kill()
    os.close(ours)
    assert b"initial values 1100 \xc3\x97 1100" in seen


def test_no_bar_without_a_terminal(large: Path) -> None:
    assert "initial values" not in shell("train", large).stderr


def test_no_bar_for_a_small_network(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []
    monkeypatch.setattr("tui.cli.drawing.Bar.drawn", lambda bar, shape, done: told.append(shape))
    assert invoke("train", "iris", "--iterations", "1").exit_code == 0
    assert told == []
    monkeypatch.setattr(initializers, "BLOCK", 5)
    assert invoke("train", "iris", "--iterations", "1").exit_code == 0
    assert told
