"""A recording serves wherever an experiment does."""

from pathlib import Path

import pytest

from engine.recording.live import record
from tests.engine.recording.recordings import record_session
from tests.engine.small_experiments import built_in, session_of
from tests.tui.cli.shell import assert_refused, invoke


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return record(built_in("regression"), tmp_path / "r.gradstep", 4)


@pytest.mark.parametrize(
    "args",
    [
        ["trace", "NAME", "--json", "--values", "--iterations", "2"],
        ["trace", "NAME", "--json", "--iterations", "6", "--granularity", "iteration"],
        ["jacobian", "NAME", "--of", "loss", "--wrt", "linear1.weight", "--at", "i3:update"],
        ["worksheet", "NAME", "--format", "json"],
        ["worksheet", "NAME", "--at", "i3", "--format", "json"],
        ["explain", "NAME", "z1[0,1]", "--at", "i3:update"],
        ["diagnose", "NAME", "--json", "--iterations", "4"],
        ["check", "NAME"],
        ["show", "NAME"],
    ],
    ids=" ".join,
)
def test_it_gives_what_its_experiment_gives(args: list[str], recording: Path) -> None:
    results = [
        invoke(*(name if arg == "NAME" else arg for arg in args))
        for name in ("regression", recording)
    ]
    assert results[0].exit_code == results[1].exit_code
    assert results[0].stdout
    assert results[1].stdout == results[0].stdout


def test_a_script_goes_through_what_was_recorded(recording: Path, tmp_path: Path) -> None:
    script = tmp_path / "look"
    script.write_text("goto i3:update\np loss\ngoto end\n")
    other, own = (invoke("script", script, name) for name in ("regression", recording))
    assert other.exit_code == own.exit_code == 0
    assert own.stdout.splitlines()[:4] == other.stdout.splitlines()[:4]


def test_one_without_the_ending_is_known_by_its_bytes(recording: Path) -> None:
    plain = recording.rename(recording.with_name("plain"))
    assert invoke("show", plain).exit_code == 0


def test_edits_are_shown_where_they_were_recorded_and_never_left_out(tmp_path: Path) -> None:
    session = session_of("regression")
    path = tmp_path / "edited.gradstep"
    session.set("linear1.weight", 0.25, (0, 0))
    session.step(30)
    record_session(path, session, "full").writer.close()
    value = invoke("explain", path, "W1[0,0]", "--at", "#4").stdout
    assert "0.25" in value
    for command in ("trace", "diagnose"):
        assert_refused(invoke(command, path), "has edits", "export")


def test_a_table_or_a_script_is_no_experiment(tmp_path: Path) -> None:
    for name, remedy in (("a.csv", "gradstep new"), ("a.py", "a script and no experiment")):
        (tmp_path / name).write_text("a,b\n1,2\n")
        assert_refused(invoke("show", tmp_path / name), name, remedy)
