"""The settings file: written with every default as a comment, checked line by line."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from engine.errors import GradstepError
from tui.cli import gradstep
from tui.keys.table import EVERY
from tui.settings.saved import first_time
from tui.settings.settings import Settings, load_settings, settings_text


def uncommented(text: str) -> str:
    """The file with every setting switched on; the sentence at its top stays a comment."""
    first, *lines = text.splitlines()
    return "\n".join([first, *(line.removeprefix("# ") for line in lines)])


def test_no_file_means_the_defaults(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "none.toml") == Settings()


def test_the_written_file_has_every_default(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(settings_text(), encoding="utf-8")
    assert load_settings(path) == Settings()
    path.write_text(uncommented(settings_text()), encoding="utf-8")
    settings = load_settings(path)
    assert (settings.theme, settings.history, settings.hint) == ("gradstep-dark", 2**28, True)
    keys = {command.id: {*command.keys, *command.aliases} for command in EVERY}
    assert {command.id: set(command.keys) for command in settings.commands} == keys


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('theme = "blue"', "line 2: theme: 'blue' is not one of gradstep-dark, gradstep-light"),
        ('history = "2"', "line 2: history: '2' is not a size"),
        ("history = 5", "line 2: history: 5 is not a size"),
        ('hint = "no"', "line 2: hint: 'no' is not true or false"),
        ("hins = true", "line 2: hins: no such setting; did you mean 'hint'?"),
    ],
)
def test_every_mistake_is_named_with_its_line(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(f"# mine\n{line}\n", encoding="utf-8")
    with pytest.raises(GradstepError) as caught:
        load_settings(path)
    assert said in str(caught.value)


def test_config_writes_once_and_then_only_checks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADSTEP_HOME", str(tmp_path))
    path = tmp_path / "config.toml"
    assert CliRunner().invoke(gradstep, ["config"]).output.strip() == str(path)
    path.write_text('theme = "gradstep-light"\n', encoding="utf-8")
    done = CliRunner().invoke(gradstep, ["config"])
    assert done.exit_code == 0
    assert "in order" in done.stderr
    assert path.read_text(encoding="utf-8") == 'theme = "gradstep-light"\n'
    path.write_text("theme = 1\n", encoding="utf-8")
    assert CliRunner().invoke(gradstep, ["config"]).exit_code == 2


def test_the_hint_comes_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADSTEP_HOME", str(tmp_path))
    assert first_time()
    assert not first_time()
