"""Verification: what was changed in a recording is found and named."""

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from engine.recording.digests import link, strong
from engine.recording.reader import Damaged
from engine.recording.ulps import ulps_between
from engine.recording.verify import Verdict, Verification
from engine.session.session import Session
from tests.engine.recording.recordings import (
    close_again,
    opened,
    record,
    record_session,
    replayed,
    verdict,
)
from tests.engine.small_experiments import program

STORES = ["full", "keyframes"]


@pytest.mark.parametrize("store", STORES)
def test_a_recording_is_verified_bit_by_bit(store: str, tmp_path: Path) -> None:
    made = program(training={"epochs": 40})
    record(tmp_path / "r.gradstep", made, store)
    found = verdict(tmp_path / "r.gradstep")
    assert found.good
    assert found.exact
    assert (found.tolerance, found.rounded, found.uncompared) == (0.0, 0, 0)
    assert found.events == made.timeline.end


@pytest.mark.parametrize("store", STORES)
def test_edits_skips_and_branches_are_verified(store: str, tmp_path: Path) -> None:
    session = Session(program(training={"epochs": 20}))
    session.goto(40)
    session.set("linear1.weight", 0.25, (0, 1))
    session.goto(90)
    session.skip("update")
    session.goto(200)
    session.goto(77)
    session.set("optimizer.lr", 0.5, branch="fast")
    session.goto(260)
    record_session(tmp_path / "r.gradstep", session, store).writer.close()
    found = verdict(tmp_path / "r.gradstep")
    assert found.good
    ops = len(session.program.ops)
    assert found.events == 200 + 260 - 77 // ops * ops


def falsify(path: Path, tensor: str, iteration: int, index: int, ulps: int = 3) -> None:
    """Move one stored value by some ULPs, with every digest made to fit, as a forger would."""
    with opened(path) as recording:
        branch = recording.branches["main"]
        slot = [name for _, name in recording.slots].index(tensor)
        block = recording.block(branch, iteration)
        array = recording.written(block, slot)
        last = recording.reader.rows("SELECT max(iteration) FROM block")[0][0]
        links = [recording.link_before(branch, iteration)]
        blocks = {i: recording.block(branch, i) for i in range(iteration, last + 1)}
    assert array is not None
    flat = array.copy().ravel()
    for _ in range(ulps):
        flat[index] = np.nextafter(flat[index], np.inf)
    changed = strong(array.dtype.str, array.shape, flat.tobytes())
    connection = sqlite3.connect(path)
    number, offset = block.refs[slot] >> 24, block.refs[slot] & 2**24 - 1
    (data,) = connection.execute("SELECT data FROM content WHERE id = ?", (number,)).fetchone()
    data = data[:offset] + flat.tobytes() + data[offset + flat.nbytes :]
    connection.execute("UPDATE content SET data = ? WHERE id = ?", (data, number))
    for i, other in blocks.items():
        digests = list(other.digests)
        if i == iteration:
            digests[slot] = changed
        joined = b"".join(digests)
        links.append(link(links[-1], i, joined))
        values = (joined, links[-1], i)
        connection.execute("UPDATE block SET digests = ?, link = ? WHERE iteration = ?", values)
    connection.commit()
    connection.close()
    close_again(path)


def test_the_first_divergence_is_named_with_values_and_ulps(tmp_path: Path) -> None:
    path, made = tmp_path / "r.gradstep", program(training={"epochs": 9})
    record(path, made, "full")
    falsify(path, "tanh1.out", 5, 4)
    found = verdict(path)
    assert found.divergence is not None
    assert not found.damage
    assert found.divergence.tensor == "tanh1.out"
    assert found.divergence.position == "i5:forward:tanh1.out"
    assert found.divergence.index == (1, 1)
    assert found.divergence.ulps == 3
    session = Session(made)
    session.goto(found.divergence.event + 1)
    assert found.divergence.recomputed == session.tensors["tanh1.out"][1, 1]
    assert found.divergence.recorded != found.divergence.recomputed


def elsewhere(path: Path, **changes: object) -> Verdict:
    """Verify as if this were another machine."""
    with opened(path) as recording:
        here = recording.run.environment | changes
        steps = Verification(recording, here).run()
        while True:
            try:
                next(steps)
            except StopIteration as end:
                found: Verdict = end.value
                return found


def test_another_environment_gets_a_tolerance_and_the_reason(tmp_path: Path) -> None:
    path, made = tmp_path / "r.gradstep", program(training={"epochs": 9})
    record(path, made, "full")
    falsify(path, "tanh1.out", 5, 4)
    found = elsewhere(path, blas_threads=64)
    assert not found.exact
    assert found.tolerance == 1e-9
    assert found.good
    assert found.rounded > 0
    assert any(text.startswith("blas_threads") for text in found.differences)
    falsify(path, "tanh1.out", 7, 4, ulps=3)
    assert elsewhere(path, numpy="3.0").good


def test_a_large_difference_is_one_everywhere(tmp_path: Path) -> None:
    path, made = tmp_path / "r.gradstep", program(dtype="float32", training={"epochs": 3})
    record(path, made, "full")
    falsify(path, "linear1.out", 2, 0, ulps=20_000)
    found = elsewhere(path, machine="arm64")
    assert found.divergence is not None
    assert (found.divergence.tensor, found.divergence.index) == ("linear1.out", (0, 0))
    assert found.divergence.ulps == 20_000


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE block SET digests = zeroblob(length(digests)) WHERE iteration = 3", "iteration 3"),
        ("DELETE FROM block WHERE iteration = 4", "iteration 4"),
        ("UPDATE run SET experiment = replace(experiment, '0.1', '0.2')", "experiment"),
        ("UPDATE content SET data = zeroblob(length(data))", "its data x"),
        ("DELETE FROM content", "its data x"),
        ("UPDATE branch SET events = events + 9999999", "main"),
    ],
)
def test_damage_is_named(store: str, statement: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "r.gradstep"
    record(path, program(training={"epochs": 8}), store)
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()
    assert words in told_about(path)


def told_about(path: Path) -> str:
    """What is said about a damaged file, at once or among what is damaged."""
    try:
        found = verdict(path)
    except Damaged as problem:
        return str(problem)
    assert not found.good
    return "; ".join(found.damage)


def test_a_loss_that_was_rewritten_is_found(tmp_path: Path) -> None:
    path = tmp_path / "r.gradstep"
    record(path, program(training={"epochs": 8}), "keyframes")
    connection = sqlite3.connect(path)
    connection.execute("UPDATE loss SET value = value + 1e-9 WHERE iteration = 6")
    connection.commit()
    connection.close()
    found = verdict(path)
    assert found.divergence is not None
    assert found.divergence.tensor == "loss"
    assert found.divergence.position == "i6:loss:loss"


def test_a_damaged_tensor_is_recomputed_in_a_replay(tmp_path: Path) -> None:
    path, made = tmp_path / "r.gradstep", program(training={"epochs": 8})
    record(path, made, "full")
    with opened(path) as recording:
        block = recording.block(recording.branches["main"], 3)
        slot = [name for _, name in recording.slots].index("linear1.out")
        number, offset = block.refs[slot] >> 24, block.refs[slot] & 2**24 - 1
    connection = sqlite3.connect(path)
    (data,) = connection.execute("SELECT data FROM content WHERE id = ?", (number,)).fetchone()
    data = data[:offset] + bytes([data[offset] ^ 1]) + data[offset + 1 :]
    connection.execute("UPDATE content SET data = ? WHERE id = ?", (data, number))
    connection.commit()
    connection.close()
    event = 2 * len(made.ops) + next(op.index for op in made.ops if op.name == "linear1.out")
    with opened(path) as recording:
        session, playback = replayed(recording)
        session.goto(event + 2)
        assert playback.status(session.branch, event) == "recomputed"
        assert playback.status(session.branch, event + 1) == "recorded"
        assert "linear1.out of iteration 3" in playback.trouble
    found = verdict(path)
    assert found.divergence is None


@pytest.mark.parametrize(
    ("a", "b", "ulps"),
    [
        (1.0, 1.0, 0),
        (0.0, -0.0, 0),
        (1.0, np.nextafter(1.0, 2.0), 1),
        (-1.0, np.nextafter(-1.0, -2.0), 1),
        (5e-324, -5e-324, 2),
        (1.0, 2.0, 2**52),
        (np.float32(1), np.float32(2), 2**23),
        (np.inf, np.finfo(float).max, 1),
    ],
)
def test_ulps(a: float, b: float, ulps: int) -> None:
    assert ulps_between(a, b) == ulps_between(b, a) == ulps


def test_nan_has_no_distance() -> None:
    assert ulps_between(np.nan, 1.0) is None
