"""What goes wrong around a recording: kills, full disks, closed and vanished directories."""

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest

from engine.debugger import Debugger
from engine.errors import GradstepError
from engine.recording.live import record_run
from engine.recording.reader import Reader, check_appendable
from engine.recording.recorder import Recorder
from engine.session.session import Session
from tests.engine.memory import kept_by
from tests.engine.recording.processes import ROOT, python
from tests.engine.recording.recordings import opened, record, replayed, verdict, writer
from tests.engine.small_experiments import program
from tests.tui.cli.shell import invoke

TIMES = int(os.environ.get("GRADSTEP_TIMES", "1"))
KILLS = 50 * TIMES


def test_killed_at_fifty_moments(tmp_path: Path) -> None:
    """Every event committed before is there, is right, and the file takes another run."""
    done = python(
        "-m", "tests.engine.recording.kill_trials", str(tmp_path), str(KILLS), times=TIMES
    )
    trials = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(trials) == KILLS, done.stderr
    assert sum(trial["events"] > 0 for trial in trials) > KILLS // 2  # most committed something
    for number, trial in enumerate(trials):
        path = Path(trial["path"])
        with opened(path) as recording:
            branches = recording.branches
            found = branches["main"].events if branches else 0
            assert found >= trial["events"]
            assert recording.run.status == "recording"
            assert recording.reader.problems(everything=True) == []
            for iteration in range(1, found // len(recording.program.ops) + 1):
                recording.block(branches["main"], iteration)  # its chain is whole
        if number % 10 == 0:
            assert verdict(path).divergence is None
            check_appendable(path)
            record(path, program(training={"epochs": 2}), "full")
            with opened(path) as recording:
                assert [run.status for run in recording.runs] == ["recording", "closed"]
            assert verdict(path, 1).events == found
            assert verdict(path, 2).good


FULL_DISK = """
import resource, sys
from itertools import islice
from pathlib import Path
from tests.engine.memory import kept_by
from tests.engine.recording.recordings import writer
from engine.recording.live import record_run
from tests.engine.small_experiments import program
made = program(training={"epochs": 4000})
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
w = writer(Path(sys.argv[1]), made, "full")
done = 0
for done in record_run(w, made, made.timeline.iterations):
    w.commit()
w.close()
print(done, w.failed)
"""


def test_a_full_disk_ends_the_recording_and_not_the_session(tmp_path: Path) -> None:
    path = tmp_path / "r.gradstep"
    done = python("-c", FULL_DISK, str(path))
    iterations, _, failed = done.stdout.strip().partition(" ")
    assert iterations == "4000", done.stderr
    assert str(path) in failed
    assert "nothing more is recorded" in failed
    found = verdict(path)
    assert found.good
    assert found.events > 100


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_directory(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(GradstepError, match="Permission denied"):
        writer(tmp_path / "r.gradstep", program(), "full")


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "gone" / "r.gradstep"
    with pytest.raises(GradstepError, match=f"{path}: No such file or directory"):
        writer(path, program(), "full")


def test_a_file_that_vanishes_while_it_is_written(tmp_path: Path) -> None:
    session = Session(program(training={"epochs": 5}))
    recorder = Recorder(writer(tmp_path / "r.gradstep", session.program, "full"), Debugger(session))
    session.step(30)
    recorder.update()
    (tmp_path / "r.gradstep").unlink()
    session.step(30)
    recorder.update()
    assert "No such file" in recorder.writer.failed
    session.step(10)
    recorder.update()
    recorder.writer.close()
    assert session.event == 70


def test_the_limit_stops_the_tensors_and_keeps_the_rest(tmp_path: Path) -> None:
    path, made = tmp_path / "r.gradstep", program(training={"epochs": 300})
    done = record(path, made, "full", limit=200_000)
    assert (
        done.note == "the file has reached its limit of 200,000 bytes: no more tensors are "
        "stored, the rest is"
    )
    unlimited = record(tmp_path / "u.gradstep", made, "full")
    assert path.stat().st_size < unlimited.path.stat().st_size * 0.9
    with opened(path) as recording:
        assert recording.run.note == done.note
        assert recording.branches["main"].events == made.timeline.end
        assert len(recording.losses(recording.branches["main"])) == 300
    found = verdict(path)
    assert found.good
    assert found.events == made.timeline.end


def test_a_reader_sees_the_run_grow_and_does_not_disturb_it(tmp_path: Path) -> None:
    path, made = tmp_path / "r.gradstep", program(training={"epochs": 30})
    recording_run = writer(path, made, "keyframes")
    steps = record_run(recording_run, made, made.timeline.iterations)
    seen = []
    next(steps)
    recording_run.commit()
    with opened(path) as recording:
        session, playback = replayed(recording)
        for done in steps:
            recording_run.commit()
            playback.refresh()
            session.goto(session.known)
            seen.append(session.event)
            assert session.event == done * len(made.ops)
        recording_run.close()
        assert recording_run.failed == ""
    assert seen == sorted(seen)
    assert verdict(path).events == made.timeline.end


FOLLOWED = """
import os, sys
from pathlib import Path
from engine.recording.live import record_run
from tests.engine.recording.recordings import opened, replayed, writer
from tests.engine.small_experiments import program
path, made = Path(sys.argv[1]), program(training={"epochs": 20})
recording_run = writer(path, made, "full")
for _ in record_run(recording_run, made, 20):
    recording_run.commit()
with opened(path) as recording:
    session, playback = replayed(recording)
    os.truncate(f"{path}-shm", int(sys.argv[2]))
    try:
        playback.refresh()
    except Exception as problem:
        print(type(problem).__name__, problem)
    session.goto(session.known)
    print(session.event == 20 * len(made.ops))
os._exit(0)  # the writer cannot be saved: it looks at the index without asking
"""


@pytest.mark.parametrize("size", [0, 100, 4096])
def test_an_index_of_the_log_that_is_cut_off_does_not_end_who_follows(
    size: int, tmp_path: Path
) -> None:
    """SQLite maps it into memory, where to read on is a bus error: it is not asked any more."""
    done = python("-c", FOLLOWED, str(tmp_path / "r.gradstep"), str(size))
    assert (done.returncode, done.stderr) == (0, "")
    said, arrived = done.stdout.splitlines()
    assert said.startswith("Damaged ")
    assert f"r.gradstep-shm: cut off: {size:,} bytes are left of 32,768" in said
    assert arrived == "True"


CLOSING = """
import sys
from pathlib import Path
from engine.recording.live import record_run
from tests.engine.recording.recordings import writer
from tests.engine.small_experiments import program
made = program(training={"epochs": 20})
recording = writer(Path(sys.argv[1]), made, "full")
for _ in record_run(recording, made, 20):
    recording.commit()
print("written", flush=True)
sys.stdin.readline()
recording.close()
"""


def test_a_reader_that_measures_keeps_the_log_that_it_reads(tmp_path: Path) -> None:
    """A writer that ends removes the log unless somebody holds the file."""
    path = tmp_path / "r.gradstep"
    with subprocess.Popen(
        [sys.executable, "-c", CLOSING, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == b"written\n"
        with opened(path) as recording:
            assert recording.reader.measure() > path.stat().st_size
            other.stdin.write(b"\n")
            other.stdin.close()
            assert other.wait() == 0
            assert Path(f"{path}-wal").exists()
            assert recording.branches["main"].events == 20 * len(recording.program.ops)


def test_closed_is_a_single_file_of_its_own_kind(tmp_path: Path) -> None:
    path = tmp_path / "r.gradstep"
    record(path, program(), "full")
    assert [file.name for file in tmp_path.iterdir()] == ["r.gradstep"]
    head = path.read_bytes()[:100]
    assert head[18:20] == b"\1\1"  # no write-ahead log is needed to read it
    assert head[68:72] == b"GRDP"  # application_id
    assert int.from_bytes(head[60:64], "big") == 1  # user_version


def test_a_read_only_file_in_a_read_only_directory_opens(tmp_path: Path) -> None:
    path = tmp_path / "r.gradstep"
    record(path, program(), "full")
    path.chmod(0o400)
    tmp_path.chmod(0o500)
    try:
        assert verdict(path).good
    finally:
        tmp_path.chmod(0o700)


KILLED = """
import os, sys
from pathlib import Path
from engine.recording.live import record_run
from tests.engine.recording.recordings import writer
from tests.engine.small_experiments import program
made = program(training={"epochs": 20})
recording = writer(Path(sys.argv[1]), made, "full")
for _ in record_run(recording, made, 20):
    recording.commit()
os._exit(0)
"""


def test_a_killed_recording_on_a_read_only_medium_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its log has all that was committed, and there can be no index of it beside."""
    path = tmp_path / "r.gradstep"
    assert python("-c", KILLED, str(path)).returncode == 0
    Path(f"{path}-shm").unlink()
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert sorted(before) == ["r.gradstep", "r.gradstep-wal"]
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    found = verdict(path)
    assert (found.good, found.why) == (True, "it was not closed")
    with opened(path) as recording:
        assert recording.branches["main"].events == 20 * len(recording.program.ops)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


@pytest.mark.parametrize("size", [4096, None])
def test_a_file_without_its_log_is_named_so(size: int | None, tmp_path: Path) -> None:
    path, alone = tmp_path / "r.gradstep", tmp_path / "alone.gradstep"
    assert python("-c", KILLED, str(path)).returncode == 0
    alone.write_bytes(path.read_bytes()[:size])
    with pytest.raises(GradstepError, match=r"alone\.gradstep-wal is missing"), opened(alone):
        pass


def test_a_file_without_its_log_that_opens_says_so(tmp_path: Path) -> None:
    """A part of the log was taken in before: nobody knows whether more was in it."""
    path, alone = tmp_path / "r.gradstep", tmp_path / "alone.gradstep"
    assert python("-c", KILLED, str(path)).returncode == 0
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(FULL)")
        alone.write_bytes(path.read_bytes())
    assert "alone.gradstep-wal is missing" in verdict(alone).why
    assert "alone.gradstep-wal is missing" in invoke("info", alone).stdout


def test_no_memory_is_kept_for_each_event(tmp_path: Path) -> None:
    made = program(training={"epochs": 3000})
    recording_run = writer(tmp_path / "r.gradstep", made, "keyframes")
    steps = record_run(recording_run, made, made.timeline.iterations)

    def work(iterations):
        for done in islice(steps, iterations):
            if done % 200 == 0:
                recording_run.commit()

    work(1000)  # the buffers and caches have their sizes now
    kept = kept_by(lambda: work(2000))
    recording_run.close()
    assert kept < 8 * 2000 * len(made.ops)  # less than a reference for each event
    Reader(recording_run.path).close()
