"""Files of any kind and name, given to every command that takes one."""

import os
import sqlite3

import pytest

from engine.experiment.builtins import BUILTINS
from tests.tui.cli.shell import assert_refused, invoke, shell

ODD = "\udcff"  # the byte 0xff in a name, as Python has it
EXPERIMENT_COMMANDS = ("show", "trace", "train", "check", "diagnose", "worksheet", "record")
RECORDING_COMMANDS = ("info", "verify", "export", "diff")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GRADSTEP_HOME", str(tmp_path / "home"))
    return tmp_path


def arguments(command, name):
    more = {
        "record": ("-o", "never.gradstep"),
        "export": ("--to", "jsonl"),
        "diff": (name,),
    }
    return command, name, *more.get(command, ())


@pytest.mark.parametrize("command", [*EXPERIMENT_COMMANDS, *RECORDING_COMMANDS])
def test_a_pipe_a_device_and_a_directory_are_refused_at_once(command, here):
    os.mkfifo("pipe.toml")
    os.mkfifo("pipe.gradstep")
    os.mkdir("folder.toml")
    os.mkdir("folder.gradstep")
    ending = ".toml" if command in EXPERIMENT_COMMANDS else ".gradstep"
    for name in (f"pipe{ending}", f"folder{ending}", "/dev/zero"):
        if command == "diff" and name == "/dev/zero":
            continue  # neither one nor the other
        assert_refused(invoke(*arguments(command, name)), name, "not a file")
    assert not os.path.exists("never.gradstep")


@pytest.mark.parametrize("field", ["csv", "npz"])
def test_data_that_are_no_file(field, here):
    os.mkfifo("pipe")
    for name in ("pipe", "/dev/zero", "."):
        text = f'[data]\n{field} = "{name}"\n'
        text += 'inputs = ["a"]\ntargets = ["b"]\n' if field == "csv" else ""
        text += '[[layers]]\ntype = "relu"\n[loss]\ntype = "mse"\n'
        (here / "e.toml").write_text(text)
        assert_refused(invoke("show", "e.toml"), f"data.{field}: {name}", "not a file")


def test_settings_and_saved_state_that_are_no_file(here):
    from tests.engine.small_experiments import session_of
    from tui.settings.saved import read, session_file, write

    (here / "home").mkdir()
    os.mkfifo("home/config.toml")
    assert_refused(invoke("keys"), "config.toml", "not a file")
    assert_refused(invoke("config"), "config.toml", "not a file")
    path = session_file(session_of("xor"))
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    assert read(path) is None
    write(path, {"stops": []})
    assert os.listdir(path.parent) == [path.name]


def test_a_path_that_is_no_utf8(here):
    name, recording = f"e{ODD}.toml", f"r{ODD}.gradstep"
    assert invoke("new", name, "--from", "xor").exit_code == 0
    for command in ("show", "trace", "train", "worksheet", "check"):
        assert invoke(command, name).exit_code == 0, command
    assert invoke("record", name, "--iterations", 2, "-o", recording).exit_code == 0
    for command in ("info", "verify"):
        result = invoke(command, recording)
        assert result.exit_code == 0, result.stderr
    for form in ("jsonl", "markdown", "script", "npz"):
        result = invoke("export", recording, "--to", form, "-o", f"out{ODD}")
        assert result.exit_code == 0, result.stderr
    assert invoke("diff", recording, name).exit_code == 0


def test_what_is_saved_of_an_experiment_whose_path_is_no_utf8(here):
    from engine.debugger import Debugger
    from tests.engine.small_experiments import session_of
    from tui.settings.saved import restore, save

    assert invoke("new", f"e{ODD}.toml").exit_code == 0
    debugger = Debugger(session_of(f"e{ODD}.toml"))
    debugger.watches.add("norm(x)")
    save(debugger)
    again = Debugger(session_of(f"e{ODD}.toml"))
    assert restore(again) == []
    assert list(again.watches) == ["norm(x)"]


@pytest.mark.parametrize("name", [":memory:", "file:x.db", "file:x?mode=memory", "a b?c=d#e%41"])
def test_an_output_is_a_file_whatever_its_name(name, here):
    result = invoke("record", "xor", "--iterations", 2, "-o", name)
    assert result.exit_code == 0, result.stderr
    assert os.listdir() == [name]
    assert invoke("verify", name).exit_code == 0


def test_nobodys_database_is_written_to(here):
    from tests.engine.recording.recordings import record
    from tests.engine.small_experiments import program

    connection = sqlite3.connect("theirs.db")
    connection.execute("CREATE TABLE theirs (a)")
    connection.commit()
    connection.close()
    before = (here / "theirs.db").read_bytes()
    for name in ("theirs.db", "file:theirs.db"):
        result = invoke("record", "xor", "--iterations", 2, "-o", name, "--append")
        if name == "theirs.db":
            assert_refused(result, "not a recording")
    with pytest.raises(Exception, match="no recording of gradstep"):
        record(here / "theirs.db", program(), "full")  # whoever asks, and whatever was checked
    assert (here / "theirs.db").read_bytes() == before


def test_a_failed_export_leaves_what_was_there(here):
    assert invoke("record", "xor", "--iterations", 3, "-o", "r.gradstep").exit_code == 0
    connection = sqlite3.connect("r.gradstep")
    connection.execute("UPDATE edit SET entry = entry")
    connection.execute("UPDATE branch SET journal = x'00'")
    connection.commit()
    connection.close()
    (here / "out").write_text("a year of work")
    for form in ("jsonl", "npz", "markdown"):
        assert_refused(invoke("export", "r.gradstep", "--to", form, "-o", "out"), "damaged")
    assert (here / "out").read_text() == "a year of work"
    assert sorted(os.listdir()) == ["out", "r.gradstep"]


def test_hints_can_be_pasted_into_a_shell(here):
    result = invoke("new", "my file.toml")
    assert "next: gradstep run 'my file.toml'" in result.stderr
    assert "gradstep trace 'my file.toml'" in shell("run", here / "my file.toml").stderr.replace(
        f"{here}/", ""
    )


def test_too_many_layers_and_too_deep_keys_are_refused(here):
    text = (BUILTINS / "xor.toml").read_text("utf-8")
    (here / "many.toml").write_text(text + '[[layers]]\ntype = "relu"\n' * 20_000)
    assert_refused(invoke("show", "many.toml"), "layers: 20,00", "more than the limit of 2,000")
    (here / "deep.toml").write_text(text + "\n[z]\n" + "a." * 100_000 + "a = 1\n")
    assert_refused(invoke("show", "deep.toml"), "deep.toml:", ": not valid TOML", "64 parts")
