"""``gradstep new``: files that work, and nothing overwritten."""

import numpy as np
import pytest

from engine.experiment.builtins import builtin_names
from engine.experiment.reader import load_experiment
from tests.engine.small_experiments import session_of
from tests.tui.cli.shell import assert_refused, invoke


def after_one_iteration(name):
    session = session_of(str(name))
    session.step(len(session.program.ops))
    return {key: array.tobytes() for key, array in session.tensors.items()}


@pytest.mark.parametrize("name", builtin_names())
def test_the_copy_runs_as_the_built_in(name, tmp_path):
    file = tmp_path / "mine.toml"
    result = invoke("new", file, "--from", name)
    assert result.exit_code == 0, result.output
    assert load_experiment(str(file)).name == "mine"
    assert after_one_iteration(file) == after_one_iteration(name)


def test_the_default_is_the_commented_regression(tmp_path):
    file = tmp_path / "mine.toml"
    result = invoke("new", file)
    assert result.stdout == f"wrote {file}\n"
    assert f"gradstep run {file}" in result.stderr
    assert file.read_text("utf-8").startswith("# Regression")
    assert sorted(tmp_path.iterdir()) == [file]


def test_the_data_file_comes_along_with_its_licence(tmp_path):
    file = tmp_path / "flowers.toml"
    result = invoke("new", file, "--from", "iris")
    data = tmp_path / "iris.csv"
    assert result.stdout == f"wrote {data}\nwrote {file}\n"
    assert len(np.genfromtxt(data, delimiter=",", skip_header=1)) == 150
    text = file.read_text("utf-8")
    assert 'csv = "iris.csv"' in text
    assert "CC BY 4.0" in text
    assert "digits" not in text


def test_an_experiment_file_is_never_overwritten(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text("mine")
    assert_refused(invoke("new", file, "--from", "iris"), str(file), "not overwritten")
    assert file.read_text() == "mine"
    assert sorted(tmp_path.iterdir()) == [file]


def test_not_even_by_itself(tmp_path):
    file = tmp_path / "mine.toml"
    assert invoke("new", file).exit_code == 0
    assert_refused(invoke("new", file), "not overwritten")


def test_a_link_that_leads_nowhere_is_not_written_through(tmp_path):
    link = tmp_path / "mine.toml"
    link.symlink_to(tmp_path / "elsewhere.toml")
    assert_refused(invoke("new", link), "not overwritten")
    assert not (tmp_path / "elsewhere.toml").exists()


def test_another_data_file_of_that_name_is_kept(tmp_path):
    data = tmp_path / "iris.csv"
    data.write_text("mine")
    assert_refused(invoke("new", tmp_path / "a.toml", "--from", "iris"), str(data))
    assert data.read_text() == "mine"
    assert not (tmp_path / "a.toml").exists()


def test_the_same_data_file_serves_two_experiments(tmp_path):
    invoke("new", tmp_path / "a.toml", "--from", "iris")
    result = invoke("new", tmp_path / "b.toml", "--from", "iris")
    assert result.stdout == f"wrote {tmp_path / 'b.toml'}\n"


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("mine",), ("ends in .toml",)),
        (("mine.toml", "--from", "iriss"), ("iriss", "did you mean 'iris'?")),
        (("mine.toml", "--from", "../iris"), ("no such built-in",)),
        (("nowhere/mine.toml",), ("nowhere/mine.toml", "No such file or directory")),
    ],
)
def test_what_cannot_be_written(args, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert_refused(invoke("new", *args), *words)
    assert list(tmp_path.iterdir()) == []
