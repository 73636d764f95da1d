"""``gradstep keys``: the same table as the help screen and docs/keys.md."""

from pathlib import Path

import pytest

from tests.tui.cli.shell import ROOT, invoke
from tui.keys.help import help_rows
from tui.keys.table import COMMANDS


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADSTEP_HOME", str(tmp_path))
    return tmp_path


def test_docs_hold_what_the_command_prints():
    printed = invoke("keys", "--markdown").output
    assert (ROOT / "docs" / "keys.md").read_text(encoding="utf-8") == printed


def test_every_row_of_the_help_screen_is_printed():
    lines = {" ".join(line.split()) for line in invoke("keys").output.splitlines()}
    for group, rows in help_rows():
        assert group in lines
        for keys, words in rows:
            assert " ".join(f"{keys} {words}".split()) in lines
    assert sum(len(rows) for _, rows in help_rows()) >= len(COMMANDS)


def test_own_keys_are_in_the_table(home: Path):
    (home / "config.toml").write_text('[keys]\nwatch = "f7"\n')
    assert any(
        line.split()[:1] == ["F7"] and "watch an expression" in line
        for line in invoke("keys").output.splitlines()
    )


def test_a_mistake_is_refused_with_its_line(home: Path):
    (home / "config.toml").write_text('[keys]\nwatch = "n"\n')
    done = invoke("keys")
    assert done.exit_code == 2 or done.exception is not None
    said = done.output + str(done.exception)
    assert "line 2: watch: 'n' is the key of step-phase too" in said
