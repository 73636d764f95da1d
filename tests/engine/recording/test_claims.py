"""What a file claims is held against its size before it is believed, each digest being right."""

import json
import sqlite3
from pathlib import Path

import pytest

from engine.debugger import Debugger
from engine.recording.digests import journal_digest
from engine.recording.marks import MOST, MOST_TEXT
from engine.recording.reader import Damaged
from engine.recording.runs import MOST_BRANCHES, MOST_EDITS, MOST_RUNS
from engine.session.session import Session
from tests.engine.recording.recordings import opened, record_session, replayed, verdict
from tests.engine.small_experiments import program
from tests.tui.cli.shell import invoke, strict

OPS = len(program().ops)
NO_EDITS = journal_digest([])
BRANCH = "INSERT INTO branch (run, name, parent, fork, events, journal) VALUES (1, ?, ?, ?, ?, ?)"


@pytest.fixture(params=["full", "keyframes"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A branch main of 140 events, and one that left it at event 70."""
    session = Session(program(data={"batch_size": 3}, training={"epochs": 4}))
    debugger = Debugger(session)
    debugger.bookmarks.mark("start", 5, "look here")
    debugger.stops.add("op", "loss")
    debugger.watches.add("norm(linear1.weight)")
    session.goto(140)
    session.goto(70)
    session.set("optimizer.lr", 0.3, branch="fast")
    session.goto(100)
    file = tmp_path / "r.gradstep"
    record_session(file, debugger, request.param).writer.close()
    return file


class Forger:
    """Changes a file with SQLite, as a stranger would."""

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None)

    def __enter__(self) -> "sqlite3.Connection":
        self.connection.execute("BEGIN")
        return self.connection

    def __exit__(self, *_: object) -> None:
        self.connection.execute("COMMIT")
        self.connection.close()


def refused(path: Path, words: str) -> None:
    with pytest.raises(Damaged, match=words), opened(path) as recording:
        replayed(recording)
    for command in (["info"], ["verify"], ["export", "--to", "jsonl", "-o", path.parent / "out"]):
        result = invoke(command[0], path, *command[1:])
        assert result.exit_code in (1, 2), result.stdout
        assert "Traceback" not in result.stderr
    assert not (path.parent / "out").exists()


@pytest.mark.parametrize("iteration", [10_000, 2**30, 2**45])
def test_events_without_their_digests(path: Path, iteration: int) -> None:
    """One row at the far end is no run of a million iterations."""
    with Forger(path) as forged:
        row = forged.execute("SELECT * FROM block WHERE iteration = 1 AND branch = 1").fetchone()
        forged.execute("INSERT INTO block VALUES (?, ?, ?, ?, ?)", (1, iteration, *row[2:]))
        forged.execute("UPDATE branch SET events = ? WHERE id = 1", (iteration * OPS,))
    refused(path, "digests of .* iterations, which a file of .* bytes cannot hold")


@pytest.mark.parametrize("iteration", [-1, 0, 2**62])
def test_a_last_iteration_that_is_none(path: Path, iteration: int) -> None:
    with Forger(path) as forged:
        forged.execute("DELETE FROM block WHERE branch = 1")
        forged.execute("INSERT INTO block VALUES (1, ?, x'', '', x'')", (iteration,))
    refused(path, f"digests up to iteration {iteration}")


def test_a_branch_that_left_where_its_parent_never_was(path: Path) -> None:
    with Forger(path) as forged:
        forged.execute("UPDATE branch SET events = 60 WHERE name = 'main'")
    refused(path, "left 'main' at #70, where that has no event")


def test_branches_that_hang_on_each_other(path: Path) -> None:
    with Forger(path) as forged:
        forged.execute("UPDATE branch SET parent = 'fast' WHERE name = 'main'")
    refused(path, "branch 'main' hangs on 'fast'")


def test_branches_a_thousand_deep_open_and_verify(path: Path) -> None:
    depth = 1500
    with Forger(path) as forged:
        rows = [
            (f"b{i}", f"b{i - 1}" if i else "main", 3 * OPS, 3 * OPS, NO_EDITS)
            for i in range(depth)
        ]
        forged.executemany(BRANCH, rows)
    with opened(path) as recording:
        session, playback = replayed(recording)
        last = recording.branches[f"b{depth - 1}"]
        assert len(recording.losses(last)) == len(recording.losses(recording.branches["main"])[:3])
        session.branches.switch(f"b{depth - 1}")
        session.goto(0)
        session.goto(session.known)
        assert playback.trouble == ""


def test_more_branches_than_anybody_has(path: Path) -> None:
    with Forger(path) as forged:
        rows = [(f"b{i}", "main", 0, 0, NO_EDITS) for i in range(MOST_BRANCHES)]
        forged.executemany(BRANCH, rows)
    refused(path, f"table branch: more than {MOST_BRANCHES:,} rows")


def test_more_runs_than_anybody_has(path: Path) -> None:
    columns = "gradstep, name, experiment, labels, data, root, environment, store, ops, width"
    columns += ", spacing, status, note"
    with Forger(path) as forged:
        for _ in range(13):
            forged.execute(f"INSERT INTO run ({columns}) SELECT {columns} FROM run")
    refused(path, f"table run: more than {MOST_RUNS:,} rows")


def edits(path: Path, entries: list[str]) -> None:
    with Forger(path) as forged:
        forged.execute("DELETE FROM edit WHERE branch = 1")
        rows = [(1, number, 3, text) for number, text in enumerate(entries)]
        forged.executemany("INSERT INTO edit VALUES (?, ?, ?, ?)", rows)
        values = (journal_digest(entries),)
        forged.execute("UPDATE branch SET journal = ? WHERE id = 1", values)


def test_more_edits_than_anybody_makes(path: Path) -> None:
    entry = '{"event":3,"index":[],"set":"optimizer.lr","value":0.1}'
    edits(path, [entry] * (MOST_EDITS + 1))
    refused(path, f"table edit: more than {MOST_EDITS:,} rows")


@pytest.mark.parametrize(
    "entry",
    [
        "7",
        '"set"',
        '{"event":1e300,"set":"optimizer.lr","value":1}',
        f'{{"event":{10**30},"set":"optimizer.lr","value":1}}',
        '{"event":true,"set":"optimizer.lr","value":1}',
        '{"event":1,"set":"optimizer.lr","value":{}}',
        '{"event":1,"set":"optimizer.lr","value":' + "[" * 20_000 + "]" * 20_000 + "}",
        '{"event":1,"skip":"forward","end":-4}',
        '{"event":1,"set":"optimizer.lr","index":[1.5],"value":1}',
    ],
)
def test_an_edit_that_is_none(path: Path, entry: str) -> None:
    edits(path, [entry])
    refused(path, "journal")


@pytest.mark.parametrize("table", ["block", "keyframe"])
def test_digests_of_more_tensors_than_there_are(path: Path, table: str) -> None:
    with Forger(path) as forged:
        forged.execute(f"UPDATE {table} SET digests = zeroblob(20000000) WHERE iteration = 1")
    with opened(path) as recording:
        branch = recording.branches["main"]
        ask = recording.block if table == "block" else recording.keyframe
        with pytest.raises(Damaged, match="more digests than there are tensors"):
            ask(branch, 1)


BAD_STOPS = [
    "not JSON",
    "[]",
    "7",
    '{"kind":"op"}',
    '{"kind":"nothing","number":1}',
    '{"kind":[],"number":1}',
    '{"kind":"op","number":"1","target":"loss"}',
    '{"kind":"op","number":9,"target":7}',
    '{"kind":"op","number":9,"target":"gone"}',
    '{"kind":"when","number":9,"target":"1 +"}',
    "[" * 5000,
    "9" * (MOST_TEXT + 1),
    b"\xff\xfe",
    7,
    1.5,
]


@pytest.mark.parametrize("entry", BAD_STOPS, ids=lambda entry: str(entry)[:20])
def test_one_bad_stop_does_not_close_the_file(path: Path, entry: object) -> None:
    with Forger(path) as forged:
        forged.execute("INSERT INTO stop VALUES (1, 7, ?)", (entry,))
    with opened(path) as recording:
        session, playback = replayed(recording)
        session.goto(session.known)
        assert [stop.target for stop in playback.debugger.stops] == ["loss"]
        assert list(playback.debugger.bookmarks) == ["start"]
        assert list(playback.debugger.watches) == ["norm(linear1.weight)"]
        assert playback.trouble


@pytest.mark.parametrize(
    ("table", "values"),
    [
        ("bookmark", ("name", 5, b"\x00")),
        ("bookmark", ("n", "five", "text")),
        ("bookmark", ("n", 1.5, "text")),
        ("bookmark", ("a b\x1b", 1, "text")),
        ("bookmark", ("n", 1, "t" * (MOST_TEXT + 1))),
        ("watch", (b"\x00",)),
        ("watch", ("norm(",)),
    ],
)
def test_nor_does_one_bad_mark(path: Path, table: str, values: tuple[object, ...]) -> None:
    with Forger(path) as forged:
        holes = ", ".join("?" * (2 + len(values)))
        forged.execute(f"INSERT INTO {table} VALUES ({holes})", (1, 9, *values))
    with opened(path) as recording:
        _, playback = replayed(recording)
        assert len(playback.debugger.stops) == 1
        assert list(playback.debugger.bookmarks) == ["start"]
        assert list(playback.debugger.watches) == ["norm(linear1.weight)"]
        assert playback.trouble


def test_info_names_the_bad_one_and_shows_the_others(path: Path) -> None:
    with Forger(path) as forged:
        forged.execute("INSERT INTO stop VALUES (1, 5, 'not JSON')")
    result = invoke("info", path, "--json")
    about = strict(result.stdout)
    assert result.exit_code == 1
    assert [json.loads(text)["target"] for text in about["stops"]] == ["loss"]
    assert about["bookmarks"] == [{"name": "start", "event": 5, "text": "look here"}]
    assert any("stop 2" in said for said in about["damage"])


@pytest.mark.parametrize("table", ["bookmark", "stop", "watch"])
def test_a_hundred_thousand_marks(path: Path, table: str) -> None:
    """The first are taken and the others told."""
    entry = {
        "bookmark": "'m' || n, 1, 'text'",
        "stop": '\'{"kind":"op","number":\' || n || \',"target":"loss"}\'',
        "watch": "'loss + ' || n",
    }[table]
    with Forger(path) as forged:
        forged.execute(f"DELETE FROM {table}")
        forged.execute(
            "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 100000)"
            f" INSERT INTO {table} SELECT 1, n, {entry} FROM c"
        )
    with opened(path) as recording:
        _, playback = replayed(recording)
        found = {
            "bookmark": playback.debugger.bookmarks,
            "stop": playback.debugger.stops,
            "watch": playback.debugger.watches,
        }[table]
        assert len(found) == MOST
        assert "more than 1,000 rows" in playback.trouble


@pytest.mark.parametrize("value", ["[]", "7", '{"blas": [[[]]], "simd": {"a": 1}, "numpy": [1]}'])
def test_an_environment_of_other_types(path: Path, value: str) -> None:
    with Forger(path) as forged:
        forged.execute("UPDATE run SET environment = ?", (value,))
    assert invoke("info", path).exit_code in (0, 1)
    assert not verdict(path).exact


def test_many_edits_at_one_event_are_found_in_one_pass() -> None:
    from engine.session.journal import Edit, Journal

    journal = Journal(tuple(Edit(3, "optimizer.lr", float(i)) for i in range(MOST_EDITS)))
    assert len(journal.edits[3]) == MOST_EDITS
