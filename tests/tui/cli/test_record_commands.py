"""The commands of recordings: record, info, verify, diff, export, replay."""

import csv
import io
import json
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from engine.experiment.builtins import BUILTINS
from engine.recording.writer import Writer
from tests.tui.cli.shell import (
    COMMAND,
    PATIENCE,
    assert_refused,
    environment,
    invoke,
    lines,
    shell,
    strict,
)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "r.gradstep"
    result = invoke("record", "regression", "-o", path, "--iterations", 6)
    assert result.exit_code == 0, result.stderr
    return path


def test_record_tells_what_it_will_take_and_what_it_took(tmp_path: Path) -> None:
    path = tmp_path / "r.gradstep"
    result = invoke("record", "xor", "-o", path, "--store", "keyframes")
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "store keyframes (states every 16 iterations)" in result.stderr
    assert "an iteration" in result.stderr
    assert "100 iterations, 2,100 events" in result.stderr


def test_record_refuses_to_write_over_a_file_and_appends_to_a_recording(recording: Path) -> None:
    assert_refused(invoke("record", "xor", "-o", recording), str(recording), "--append")
    result = invoke("record", "xor", "-o", recording, "--append", "--iterations", 3)
    assert result.exit_code == 0
    about = strict(invoke("info", recording, "--json").stdout)
    assert [run["experiment"] for run in about["runs"]] == ["regression", "xor"]
    assert about["experiment"] == "xor"
    first = strict(invoke("info", recording, "--run", 1, "--json").stdout)
    assert first["experiment"] == "regression"
    other = recording.with_name("notes.txt")
    other.write_text("not a recording at all")
    assert_refused(invoke("record", "xor", "-o", other, "--append"), "not a recording")
    assert other.read_text() == "not a recording at all"


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--iterations", 0), "0"),
        (("--iterations", 3, "--epochs", 3), "exclude each other"),
        (("--limit", "much"), "is not a size"),
        (("--store", "half"), "half"),
    ],
)
def test_wrong_options(args: tuple[object, ...], words: str, tmp_path: Path) -> None:
    path = tmp_path / "r.gradstep"
    assert_refused(invoke("record", "xor", "-o", path, *args), words)
    assert not path.exists()


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    path = tmp_path / "none" / "r.gradstep"
    assert_refused(invoke("record", "xor", "-o", path), str(path), "No such file")


def test_info(recording: Path) -> None:
    result = invoke("info", recording)
    assert result.exit_code == 0
    assert "main: 126 events, 6 it" in result.stdout
    about = strict(invoke("info", recording, "--json").stdout)
    assert about["branches"][0]["iterations"] == 6
    assert about["environment"]["numpy"] == np.__version__
    assert about["store"] == "full"
    assert about["damage"] == []


def test_verify(recording: Path) -> None:
    result = invoke("verify", recording)
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "verified")
    about = strict(invoke("verify", recording, "--json").stdout)
    assert (about["verified"], about["guarantee"], about["events"]) == (True, "bit-exact", 126)


def test_verify_says_no_to_another_run(recording: Path) -> None:
    import sqlite3

    connection = sqlite3.connect(recording)
    connection.execute("UPDATE loss SET value = value * 2 WHERE iteration = 4")
    connection.commit()
    connection.close()
    result = invoke("verify", recording)
    assert result.exit_code == 1
    assert "i4:loss:loss" in result.stdout
    assert "ULPs apart" in result.stdout
    assert result.stdout.splitlines()[-1] == "NOT verified"
    about = strict(invoke("verify", recording, "--json").stdout)
    assert about["divergence"]["tensor"] == "loss"


def test_export_of_json_lines_is_the_trace(recording: Path) -> None:
    found = invoke("export", recording, "--to", "jsonl")
    trace = invoke("trace", "regression", "--json", "--values", "--iterations", 6)
    assert found.exit_code == 0
    assert found.stdout == trace.stdout
    assert len(lines(found.stdout)) == 127


def test_export_of_arrays(recording: Path, tmp_path: Path) -> None:
    out = tmp_path / "r.npz"
    assert invoke("export", recording, "--to", "npz", "-o", out).exit_code == 0
    with np.load(out, allow_pickle=False) as arrays:
        assert arrays["linear1.weight"].shape == (7, 4, 3)
        assert arrays["loss"].shape == (6,)


def test_export_of_scalars_has_a_row_for_each_iteration_of_each_run(
    recording: Path, tmp_path: Path
) -> None:
    other = tmp_path / "=other.gradstep"
    document = tmp_path / "steps.toml"
    schedule = '[schedule]\ntype = "step"\nstep_size = 1\ngamma = 0.5\n'
    document.write_text((BUILTINS / "xor.toml").read_text("utf-8") + schedule, "utf-8")
    assert invoke("record", document, "-o", other, "--iterations", 2).exit_code == 0
    result = invoke("export", recording, other, "--to", "csv")
    assert result.exit_code == 0
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [row["iteration"] for row in rows] == [*map(str, range(7)), "0", "1", "2"]
    assert {row["branch"] for row in rows} == {"main"}
    trace = lines(invoke("trace", "regression", "--json", "--iterations", 6).stdout)
    losses = [line["loss"] for line in trace[1:] if line["op"] == "loss"]
    assert [float(row["loss"]) for row in rows[1:7]] == losses
    assert rows[0]["loss"] == ""
    assert float(rows[0]["data.loss"]) > float(rows[6]["data.loss"]) > 0
    rates = [float(row["optimizer.lr"]) for row in rows[-2:]]
    assert rates == [rates[0], rates[0] / 2]


def test_several_recordings_go_into_csv_alone(recording: Path) -> None:
    result = invoke("export", recording, recording, "--to", "jsonl")
    assert_refused(result, "--to jsonl takes one recording")
    result = invoke("export", recording, "absent.gradstep", "--to", "csv")
    assert_refused(result, "absent.gradstep")


def test_the_report(recording: Path) -> None:
    text = invoke("export", recording, "--to", "markdown").stdout
    for words in ("## Loss", "| 6 |", "## Environment", "(a) The five steps"):
        assert words in text


def test_export_never_writes_over_the_recording(recording: Path) -> None:
    before = recording.read_bytes()
    result = invoke("export", recording, "--to", "jsonl", "-o", recording)
    assert_refused(result, "is the recording itself")
    assert recording.read_bytes() == before


def test_an_unknown_branch(recording: Path) -> None:
    result = invoke("export", recording, "--to", "jsonl", "--branch", "man")
    assert_refused(result, "no branch 'man'", "main")


def test_diff_of_recordings_and_experiments(recording: Path) -> None:
    assert invoke("diff", recording, "regression").exit_code == 0
    result = invoke("diff", recording, "classification-mse", "--json")
    assert result.exit_code == 1
    about = strict(result.stdout)
    assert about["iterations"] == 6
    assert about["first"]["tensor"]
    assert about["reasons"]
    text = invoke("diff", "deep-relu", "deep-sigmoid", "--iterations", 2).stdout
    assert "layer 2: type relu → sigmoid" in text
    assert "max |A − B|" in text


def test_replay_needs_a_terminal_and_says_what_to_use_instead(recording: Path) -> None:
    done = shell("replay", recording)
    assert done.returncode == 2
    assert f"gradstep info {recording}" in done.stderr


@pytest.mark.parametrize("command", ["info", "verify", "replay"])
@pytest.mark.parametrize("content", [b"", b"hello", b"SQLite format 3\0" + b"\0" * 100])
def test_files_that_are_no_recordings(command: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.gradstep"
    path.write_bytes(content)
    result = invoke(command, path)
    assert result.exit_code == 2
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_signals_close_the_file_properly(number: int, status: int, tmp_path: Path) -> None:
    path = tmp_path / "r.gradstep"
    process = subprocess.Popen(
        [*COMMAND, "record", "xor", "-o", str(path), "--iterations", "100000000"],
        stderr=subprocess.PIPE,
        env=environment(),
        text=True,
    )
    until = time.monotonic() + PATIENCE
    while recorded_events(path) < 1000:
        assert time.monotonic() < until, "nothing is recorded"
        time.sleep(0.05)
    process.send_signal(number)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == status, said
    assert "interrupted after" in said
    assert [file.name for file in tmp_path.iterdir()] == ["r.gradstep"]
    about = strict(invoke("info", path, "--json").stdout)
    assert about["status"] == "interrupted"
    assert about["branches"][0]["events"] >= 1000
    assert about["branches"][0]["events"] % 21 == 0


def test_a_log_that_could_not_be_taken_in_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the disk is full, or another program holds the file."""
    path = tmp_path / "r.gradstep"
    holders = []
    close = Writer.close

    def held(writer: Writer, status: str = "closed") -> None:
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN")
        assert holder.execute("SELECT count(*) FROM run").fetchone() == (1,)
        holders.append(holder)
        writer.connection.execute("PRAGMA busy_timeout = 0")
        close(writer, status)

    monkeypatch.setattr(Writer, "close", held)
    result = invoke("record", "xor", "--iterations", 5, "-o", path)
    assert result.exit_code == 2
    assert f"{path} and {path}-wal belong together" in result.stderr
    assert invoke("verify", path).exit_code == 0  # with its log nothing is lost
    alone = tmp_path / "alone.gradstep"
    alone.write_bytes(path.read_bytes())
    for holder in holders:
        holder.close()
    for command in ("info", "verify"):
        assert_refused(invoke(command, alone), str(alone), "alone.gradstep-wal is missing")


def test_a_run_that_fails_leaves_a_closed_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "r.gradstep"

    def broken(writer: Writer) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("tui.cli.record.check_disk", broken)
    assert invoke("record", "xor", "-o", path).exit_code == 2
    assert [file.name for file in tmp_path.iterdir()] == ["r.gradstep"]
    assert strict(invoke("info", path, "--json").stdout)["status"] == "interrupted"


def test_nohup_is_respected(tmp_path: Path) -> None:
    path = tmp_path / "r.gradstep"
    process = subprocess.Popen(
        [*COMMAND, "record", "xor", "-o", str(path), "--iterations", "100000000"],
        stderr=subprocess.PIPE,
        env=environment(),
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),  # noqa: PLW1509
    )
    until = time.monotonic() + PATIENCE
    while recorded_events(path) < 100:
        assert time.monotonic() < until, "nothing is recorded"
    process.send_signal(signal.SIGHUP)
    seen = recorded_events(path)
    while recorded_events(path) <= seen:
        assert time.monotonic() < until, "it has ended"
    process.terminate()
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 143, said


def recorded_events(path: Path) -> int:
    """How far a run is that is being recorded: what `info` says meanwhile."""
    if not path.exists():
        return 0
    result = invoke("info", path, "--json")
    branches = json.loads(result.stdout)["branches"] if result.exit_code == 0 else []
    return branches[0]["events"] if branches else 0


def test_nothing_of_it_loads_textual(recording: Path) -> None:
    code = (
        "import sys; from tui.cli import gradstep\n"
        f"for args in (['info', {str(recording)!r}], ['verify', {str(recording)!r}]):\n"
        "    try: gradstep.main(args)\n"
        "    except SystemExit as end: assert end.code == 0\n"
        "assert not any(name.split('.')[0] == 'textual' for name in sys.modules)\n"
    )
    done = subprocess.run(
        [COMMAND[0], "-c", code], capture_output=True, text=True, env=environment(), check=False
    )
    assert done.returncode == 0, done.stderr
