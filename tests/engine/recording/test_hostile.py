"""Recordings from strangers: a message at worst, and nothing of theirs reaches the terminal.

GRADSTEP_FUZZ is the number of mutated recordings; 2000 is worth a run after changes to reading.
"""

import json
import os
import sqlite3
from pathlib import Path

import pytest

from engine.debugger import Debugger
from engine.errors import GradstepError
from engine.recording.estimate import estimate
from engine.recording.reader import Damaged
from engine.session.session import Session
from tests.engine.recording.mutations import STRUCTURE
from tests.engine.recording.processes import python
from tests.engine.recording.recordings import opened, record, record_session, replayed
from tests.engine.small_experiments import program
from tests.tui.cli.shell import invoke

TRIALS = int(os.environ.get("GRADSTEP_FUZZ", "120"))


def lesson(path: Path, store: str) -> Path:
    """A small recording with a bit of everything."""
    session = Session(program(data={"batch_size": 3, "shuffle": True}, training={"epochs": 4}))
    debugger = Debugger(session)
    debugger.bookmarks.mark("start", 5, "look here")
    debugger.watches.add("norm(linear1.weight)")
    session.goto(60)
    session.set("linear1.bias", 0.5, (0,))
    session.goto(140)
    session.goto(70)
    session.set("optimizer.lr", 0.3, branch="fast")
    session.goto(180)
    record_session(path, debugger, store).writer.close()
    return path


@pytest.mark.parametrize("store", ["full", "keyframes"])
def test_mutated_recordings(store: str, tmp_path: Path) -> None:
    source = lesson(tmp_path / "source.gradstep", store)
    first = 0 if store == "full" else TRIALS
    told = python(
        "-m",
        "tests.engine.recording.fuzz_trials",
        *map(str, (source, tmp_path, first, TRIALS // 2)),
        times=TRIALS // 120,
    )
    lines = [json.loads(line) for line in told.stdout.splitlines()]
    assert len(lines) == TRIALS // 2 + 1, told.stderr
    assert [line for line in lines if line.get("wrong")] == []
    assert lines[-1]["mebibytes"] < 500


def changed(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


@pytest.mark.parametrize("statement", [s for s in STRUCTURE if "journal_mode" not in s])
def test_another_schema_is_refused(statement: str, tmp_path: Path) -> None:
    path = lesson(tmp_path / "r.gradstep", "full")
    changed(path, statement)
    with pytest.raises(GradstepError), opened(path):
        pass


def test_a_newer_version_is_refused_with_its_number(tmp_path: Path) -> None:
    path = lesson(tmp_path / "r.gradstep", "full")
    changed(path, "PRAGMA user_version = 41")
    with pytest.raises(GradstepError, match=r"version 41 .* upgrade gradstep"), opened(path):
        pass


def test_a_trigger_in_the_schema_never_runs(tmp_path: Path) -> None:
    path = lesson(tmp_path / "r.gradstep", "full")
    changed(path, "CREATE VIEW spy AS SELECT load_extension('x')")
    with pytest.raises(Damaged, match="a view 'spy' that no recording has"), opened(path):
        pass


@pytest.mark.parametrize("size", [10**6, 2**40])
def test_an_experiment_that_the_file_cannot_hold(size: int, tmp_path: Path) -> None:
    """Memory is asked for only after the sizes were found plausible."""
    from engine.recording.canonical import parse
    from engine.recording.digests import root_digest

    path = lesson(tmp_path / "r.gradstep", "full")
    connection = sqlite3.connect(path, isolation_level=None)
    text, labels, data = connection.execute("SELECT experiment, labels, data FROM run").fetchone()
    text = text.replace('"out":3', f'"out":{size}')
    x, y = (bytes.fromhex(parse(data, "data")[name]["digest"]) for name in ("x", "y"))
    root = root_digest(text, labels, x, y)
    connection.execute("UPDATE run SET experiment = ?, root = ?", (text, root))
    connection.close()
    with pytest.raises(Damaged, match=r"one iteration takes .* cannot hold"), opened(path) as found:
        replayed(found)


def test_a_row_larger_than_it_should_be_is_not_read(tmp_path: Path) -> None:
    path = lesson(tmp_path / "r.gradstep", "full")
    changed(path, "UPDATE content SET data = zeroblob(30000000)")
    with pytest.raises(Damaged, match="30,000,000 bytes where"), opened(path) as found:
        replayed(found)


def test_a_query_without_end_is_given_up(tmp_path: Path) -> None:
    path = lesson(tmp_path / "r.gradstep", "full")
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    with opened(path) as recording, pytest.raises(Damaged, match="takes too long"):
        recording.reader.rows(endless)


def test_reading_cannot_write(tmp_path: Path) -> None:
    path = lesson(tmp_path / "r.gradstep", "full")
    with opened(path) as recording, pytest.raises(Damaged, match="readonly"):
        recording.reader.rows("DELETE FROM run")


def test_names_of_files_are_no_options_of_sqlite(tmp_path: Path) -> None:
    path = tmp_path / "a?mode=rwc&x#y%41 ü.gradstep"
    record(path, program(), "full")
    with opened(path) as recording:
        assert recording.branches["main"].events > 0
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("name", ["nothing.gradstep", "a\0b", "x" * 5000])
def test_no_file(name: str) -> None:
    with pytest.raises(GradstepError), opened(Path(name)):
        pass


def test_an_estimate_is_near_the_truth(tmp_path: Path) -> None:
    made = program(training={"epochs": 1000})
    for store in ("full", "keyframes"):
        path = tmp_path / f"{store}.gradstep"
        record(path, made, store)
        guess = estimate(made, store, made.timeline.iterations).total
        assert guess / 1.5 < path.stat().st_size < guess * 1.5, store


def test_a_branch_is_called_as_branches_are(tmp_path: Path) -> None:
    path = lesson(tmp_path / "r.gradstep", "full")
    changed(path, "UPDATE branch SET name = 'a' || char(27) || '[31m'")
    with pytest.raises(Damaged, match=r"a branch is called"), opened(path) as found:
        replayed(found)


NO_CLOSING = "DELETE FROM closing"  # or it would tell of each


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE keyframe SET whole = ''", "table keyframe: a str where int is expected"),
        ("UPDATE keyframe SET whole = 2", "has a keyframe of iteration 1 with 2 for whole"),
        ("DELETE FROM loss WHERE branch = 2 AND iteration = 5", "the losses of branch 'fast'"),
        ("INSERT INTO loss VALUES (2, 11, 0, 1, 1, '')", "'fast' has 11 losses, but events of 10"),
    ],
)
@pytest.mark.parametrize("form", ["jsonl", "npz", "markdown", "script"])
def test_rows_that_an_export_does_not_need(
    statement: str, said: str, form: str, tmp_path: Path
) -> None:
    """Without a closing digest too, and on another branch, every command tells what is damaged."""
    path = lesson(tmp_path / "r.gradstep", "full")
    changed(path, NO_CLOSING, statement)
    for command in (
        ["info", path],
        ["verify", path],
        ["export", path, "--to", form, "-o", tmp_path / "out"],
        ["diff", path, path],
    ):
        done = invoke(*command)
        assert done.exit_code in (1, 2), command
        assert said in done.stdout + done.stderr, command
