"""``gradstep list``."""

import os
import pty
import subprocess
import tomllib

import pytest

from engine.experiment.builtins import BUILTINS, builtin_names
from engine.lesson.shipped import shipped_names
from tests.tui.cli.shell import COMMAND, environment, invoke, strict


def test_a_line_for_each_experiment():
    listed = invoke("list").stdout.partition("\n\n")[0].splitlines()
    assert [line.split()[0] for line in listed] == builtin_names()
    assert listed[0].startswith("regression  ")


def test_a_line_for_each_lesson_behind_them():
    head, *listed = invoke("list").stdout.partition("\n\n")[2].splitlines()
    assert "gradstep lesson NAME" in head
    assert [line.split()[0] for line in listed] == shipped_names()
    assert listed == invoke("list", "--lessons").stdout.splitlines()
    entries = strict(invoke("list", "--lessons", "--json").stdout)
    assert [entry["name"] for entry in entries] == shipped_names()
    assert all(entry["description"] for entry in entries)


def test_json_has_the_names_and_descriptions_of_the_files():
    listed = strict(invoke("list", "--json").stdout)
    assert [entry["name"] for entry in listed] == builtin_names()
    for entry in listed:
        raw = tomllib.loads((BUILTINS / f"{entry['name']}.toml").read_text("utf-8"))
        assert entry["description"] == raw["description"] != ""


@pytest.mark.parametrize(("env", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_a_terminal_gets_styles_unless_no_color(env, coloured):
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [*COMMAND, "list"],
        stdout=theirs,
        env=environment(TERM="xterm", COLUMNS="60", **env),
        stdin=subprocess.DEVNULL,
        check=True,
    )
    os.close(theirs)
    text = os.read(ours, 65536).decode()
    os.close(ours)
    assert done.returncode == 0
    assert ("\x1b[1m" in text) == coloured
    plain = text.replace("\x1b[1m", "").replace("\x1b[0m", "")
    assert max(len(line) for line in plain.splitlines()) <= 60
