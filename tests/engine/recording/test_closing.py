"""The closing digest: whatever is changed in a closed recording is told, by every command."""

import sqlite3
from pathlib import Path

import pytest

from engine.debugger import Debugger
from engine.recording.closing import PARTS, RunningDigest, encoded
from engine.recording.writer import Writer
from engine.session.session import Session
from tests.engine.recording.recordings import record, record_session, verdict, writer
from tests.engine.small_experiments import program
from tests.tui.cli.shell import invoke, strict

V1 = Path(__file__).parents[2] / "recordings" / "v1.gradstep"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Two branches, an edit, a bookmark, a stop, a watch and metrics."""
    session = Session(program(data={"batch_size": 3}, training={"epochs": 12}))
    debugger = Debugger(session)
    debugger.bookmarks.mark("start", 5, "look here")
    debugger.stops.add("op", "loss")
    debugger.watches.add("norm(linear1.weight)")
    session.goto(400)
    session.goto(70)
    session.set("optimizer.lr", 0.3, branch="fast")
    session.goto(100)
    file = tmp_path / "r.gradstep"
    recorder = record_session(file, debugger, "full")
    recorder.writer.metrics("main", {"accuracy": 0.5, "loss": float("nan")})
    recorder.writer.close()
    return file


def change(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        assert connection.execute(statement).rowcount != 0, statement
    connection.close()


LAST = "(SELECT max(iteration) FROM block)"
# A change to every table that no digest of an event can notice, and what it is called.
CHANGES = {
    "run": "UPDATE run SET note = 'the disk was full'",
    "run: its status": "UPDATE run SET status = 'interrupted'",
    "run: its environment": "UPDATE run SET environment = replace(environment, 'python', 'pyhton')",
    "ops": "UPDATE op SET formula = 'ŷ = 0' WHERE number = 3",
    "ops: one less": "DELETE FROM op WHERE number = 3",
    "tensors": "UPDATE tensor SET role = 'loss' WHERE number = 1",
    "branches": "UPDATE branch SET name = 'slow' WHERE name = 'fast'",
    "branches: one less": "DELETE FROM branch WHERE name = 'fast'",
    "ends": f"UPDATE block SET link = zeroblob(16) WHERE iteration = {LAST}",
    "edits": "UPDATE edit SET event = 71",
    "metrics": "UPDATE metric SET value = 1.0 WHERE name = 'accuracy'",
    "metrics: one less": "DELETE FROM metric WHERE name = 'accuracy'",
    "bookmarks": "UPDATE bookmark SET text = 'look there'",
    "bookmarks: none": "DELETE FROM bookmark",
    "stops": "UPDATE stop SET entry = replace(entry, 'loss', 'tanh1')",
    "watches": "DELETE FROM watch",
    "losses": "UPDATE loss SET gradient = gradient * 2 WHERE iteration = 3",
    "losses: whose": "UPDATE loss SET gradient_of = 'linear9.weight' WHERE iteration = 3",
    "losses: one more": "INSERT INTO loss VALUES (1, 9000, 3, 1.0, NULL, NULL)",
    "keyframes": "DELETE FROM keyframe WHERE iteration = 17",
}


def test_what_it_covers_is_said(path: Path) -> None:
    result = invoke("verify", path)
    assert result.exit_code == 0, result.stdout
    assert f"covered     events, {', '.join(PARTS)}" in result.stdout
    assert "not covered" not in result.stdout
    about = strict(invoke("verify", path, "--json").stdout)
    assert (about["covered"], about["not_covered"]) == (["events", *PARTS], [])


@pytest.mark.parametrize("part", CHANGES)
def test_every_change_is_told_by_its_part(part: str, path: Path) -> None:
    change(path, CHANGES[part])
    for command in ("verify", "info"):
        result = invoke(command, path)
        assert result.exit_code == 1, result.stdout
        assert f"its {part.partition(':')[0]} are not the ones that it was closed with" in (
            result.stdout
        )
    assert invoke("verify", path).stdout.splitlines()[-1] == "NOT verified"


@pytest.mark.parametrize("form", ["jsonl", "npz", "markdown", "script"])
@pytest.mark.parametrize("part", ["metrics", "losses", "bookmarks", "ends: not"])
def test_an_export_of_what_was_changed_ends_with_1(part: str, form: str, path: Path) -> None:
    out = path.with_suffix(".out")
    assert invoke("export", path, "--to", form, "-o", out).exit_code == 0
    if part in CHANGES:
        change(path, CHANGES[part])
    else:
        change(path, "UPDATE content SET data = zeroblob(length(data)) WHERE id > 16777217")
    result = invoke("export", path, "--to", form, "-o", out)
    assert result.exit_code == 1
    assert "damaged: " in result.stderr
    assert f"wrote {out}" in result.stderr


def test_what_was_recomputed_is_said_with_its_events(tmp_path: Path) -> None:
    path = tmp_path / "r.gradstep"
    made = program(training={"epochs": 6})
    record(path, made, "full")
    change(path, "UPDATE block SET digests = zeroblob(length(digests)) WHERE iteration = 3")
    ops = len(made.ops)
    said = f"{ops} events of main (#{2 * ops} to #{3 * ops - 1}) could not be read"
    sound = invoke("trace", "xor", "--json").stdout
    assert sound
    export = invoke("export", path, "--to", "jsonl", "-o", tmp_path / "out")
    diff = invoke("diff", path, path)
    for result in (export, diff):
        assert result.exit_code == 1
        assert said in result.stderr
        assert "iteration 3 of branch 'main'" in result.stderr
    about = strict(invoke("diff", path, path, "--json").stdout)
    assert any(said in line for line in about["damage"])
    assert about["same"]


def test_a_result_that_is_another_one_here_is_said(tmp_path: Path) -> None:
    """Digests that fit each other and not the run: only executing it tells."""
    from engine.recording.digests import link
    from tests.engine.recording.recordings import close_again, opened

    path = tmp_path / "r.gradstep"
    made = program(training={"epochs": 2})
    record(path, made, "keyframes")
    with opened(path) as recording:
        branch = recording.branches["main"]
        digests = [list(recording.block(branch, i).digests) for i in (1, 2)]
        links = [recording.link_before(branch, 1)]
    digests[0][4] = b"\1" * 8
    connection = sqlite3.connect(path, isolation_level=None)
    for i, each in enumerate(digests, 1):
        joined = b"".join(each)
        links.append(link(links[-1], i, joined))
        connection.execute(
            "UPDATE block SET digests = ?, link = ? WHERE iteration = ?", (joined, links[-1], i)
        )
    connection.close()
    close_again(path)
    result = invoke("export", path, "--to", "jsonl", "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "1 event of main" in result.stderr
    assert "with other results than they give here" in result.stderr


@pytest.mark.parametrize("run", [1, 2])
def test_an_older_file_says_what_is_not_covered(run: int) -> None:
    result = invoke("verify", V1, "--run", run)
    assert result.exit_code == 0
    assert "covered     events, edits, losses, keyframes\n" in result.stdout
    missing = "not covered run, ops, tensors, branches, ends, metrics, bookmarks, stops, watches"
    assert f"{missing}: no digest of them is kept" in result.stdout
    assert invoke("export", V1, "--run", run, "--to", "script").exit_code == 0


def test_one_that_was_not_closed_says_so(tmp_path: Path) -> None:
    made = writer(tmp_path / "r.gradstep", program(), "full")
    made.branch("main")
    made.commit()
    found = verdict(tmp_path / "r.gradstep")
    assert found.good
    assert (found.why, "metrics" in found.uncovered) == ("it was not closed", True)
    made.close()
    assert verdict(tmp_path / "r.gradstep").uncovered == ()


def test_an_older_file_is_appended_to(tmp_path: Path) -> None:
    path = tmp_path / "r.gradstep"
    path.write_bytes(V1.read_bytes())
    assert invoke("record", "xor", "--iterations", 2, "-o", path, "--append").exit_code == 0
    assert verdict(path, 3).uncovered == ()
    assert "metrics" in verdict(path, 1).uncovered
    assert verdict(path, 1).good


def test_a_closing_digest_that_is_none(path: Path) -> None:
    for text in ("7", "not JSON", '{"run": 1}', "[" * 5000):
        change(path, f"UPDATE closing SET digests = '{text}'")
        assert invoke("verify", path).exit_code == 1


def test_rows_are_told_apart_by_their_values_and_types() -> None:
    rows = [(1,), ("1",), (b"1",), (1.0,), (None,), ("1", ""), ("", "1"), ("n;",), ("1;s0:",)]
    assert len({encoded(row) for row in rows}) == len(rows)
    assert encoded((0.0,)) == encoded((-0.0,))  # SQLite keeps no sign
    a, b = RunningDigest(), RunningDigest()
    a.take(rows)
    for row in rows:
        b.take([row])
    assert a.hex() == b.hex()


@pytest.mark.parametrize("store", ["full", "keyframes"])
def test_the_running_digests_are_those_of_the_rows(store: str, tmp_path: Path) -> None:
    """However the run was committed, and wherever it ended."""
    for every in (1, 3, 1000):
        session = Session(program(data={"batch_size": 3}, training={"epochs": 30}))
        recorder = record_session(tmp_path / f"{every}.gradstep", session, store)
        for event in range(0, 500, every):
            session.goto(event)
            recorder.update()
        session.goto(507)
        recorder.update()
        recorder.writer.close()
        found = verdict(tmp_path / f"{every}.gradstep")
        assert (found.good, found.uncovered) == (True, ())


def test_an_infinite_loss_and_one_that_is_minus_zero(tmp_path: Path) -> None:
    made: Writer = writer(tmp_path / "r.gradstep", program(), "full")
    made.branch("main")
    made.metrics("main", {"a": float("inf"), "b": -0.0, "c": float("nan")})
    made.close()
    found = verdict(tmp_path / "r.gradstep")
    assert found.good
