"""Two captures compared, and one looked through: what differs first, and what is damaged."""

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from engine.capture.differences import Comparison, Outcome
from engine.capture.messages import Degree, Value
from engine.capture.opened import opened_capture
from engine.capture.origin import started
from engine.capture.verify import Verdict, verify
from engine.capture.writer import CaptureWriter
from engine.run.phases import Phase
from tests.engine.capture.told import Net, Teller, trained, writer_at


def compared(a: Path, b: Path, tolerance: float = 0.0) -> Outcome:
    with opened_capture(str(a)) as left, opened_capture(str(b)) as right:
        count = min(left.timeline.iterations, right.timeline.iterations)
        comparison = Comparison(left, right, count, tolerance)
        for _ in comparison.run():
            pass
        return comparison.outcome


def verified(path: Path) -> Verdict:
    with opened_capture(str(path)) as run:
        steps = verify(run)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                return end.value


def test_the_same_script_twice(tmp_path: Path) -> None:
    for name in ("a", "b"):
        trained(tmp_path / name, 4, rows=(5, 2))
    outcome = compared(tmp_path / "a", tmp_path / "b")
    assert outcome.same
    assert (outcome.compared, outcome.unknown, outcome.reasons) == (4, 0, [])


def test_another_rate_differs_first_at_the_first_update(tmp_path: Path) -> None:
    trained(tmp_path / "a", 4)
    trained(tmp_path / "b", 4, lr=0.10001)
    outcome = compared(tmp_path / "a", tmp_path / "b")
    assert not outcome.same
    first = outcome.first
    assert first is not None
    assert (first.position, first.events, first.tensor) == (
        "i1:update:fc1.weight", (10, 10), "fc1.weight",
    )  # fmt: skip
    assert first.place == "train.py:17"
    assert outcome.reasons == ["lr: 0.1 and 0.10001"]
    assert outcome.missing is None
    assert compared(tmp_path / "a", tmp_path / "b", tolerance=0.01).same


def test_other_data_differ_before_any_op(tmp_path: Path) -> None:
    trained(tmp_path / "a", 2)
    trained(tmp_path / "b", 2, seed=1)
    first = compared(tmp_path / "a", tmp_path / "b").first
    assert first is not None
    assert (first.position, first.tensor) == ("i1", "x")
    assert first.what == "input: its value"
    assert first.events == (None, None)


def test_an_op_that_one_has_not_is_named_and_the_rest_is_aligned(tmp_path: Path) -> None:
    for name in ("a", "b"):
        teller = Teller(writer_at(tmp_path / name))
        one = np.float32([1, 2])
        kinds = ["neg", "exp", "log"] if name == "a" else ["neg", "log"]
        for kind in kinds:
            number = teller.tensor(kind, "activation", one)
            teller.happen(Phase.FORWARD, kind, kind, {}, {kind: (number, one)}, 3)
        teller.end_iteration()
        teller.end()
    outcome = compared(tmp_path / "a", tmp_path / "b")
    assert outcome.first is None  # log is log, though it is another number
    assert outcome.missing is not None
    assert (outcome.missing.what, outcome.missing.events) == ("only A has this op", (1, None))
    other = compared(tmp_path / "b", tmp_path / "a").missing
    assert other is not None
    assert (other.what, other.events) == ("only B has this op", (None, 1))


def test_shapes_that_drift(tmp_path: Path) -> None:
    for name, size in (("a", 2), ("b", 3)):
        teller = Teller(writer_at(tmp_path / name))
        one = np.ones(size, np.float32)
        number = teller.tensor("h", "activation", one)
        teller.happen(Phase.FORWARD, "h", "neg", {}, {"h": (number, one)}, 3)
        teller.end_iteration()
        teller.end()
    outcome = compared(tmp_path / "a", tmp_path / "b")
    assert outcome.drift == ["i1:forward:h: h is 2 float32 in A and 3 float32 in B"]


@pytest.mark.parametrize(
    ("told", "what"),
    [
        ([(0, 1, 0.5, 1, 0), (0, 2, 0.5, 1, 0)], "its statistics (the values are means)"),
        ([(0, 1, 0.5, 1, 0), (0, 1, 0.5, 1, 0)], None),
        ([(0, np.nan, 0.5, 1, 0), (0, np.nan, 0.5, 1, 0)], None),
    ],
)
def test_what_was_not_kept_is_compared_by_its_statistics(told, what, tmp_path: Path) -> None:
    for name, statistics in zip("ab", told, strict=True):
        teller = Teller(writer_at(tmp_path / name))
        one = np.ones(9, np.float32)
        number = teller.tensor("h", "activation", one)
        values = {"h": Value(Degree.STATISTICS, statistics=statistics)}
        teller.happen(Phase.FORWARD, "h", "neg", {}, {"h": (number, one)}, 3, values=values)
        teller.end_iteration()
        teller.end()
    outcome = compared(tmp_path / "a", tmp_path / "b")
    assert (outcome.first.what if outcome.first else None) == what
    assert outcome.unknown == (what is None)


def test_fingerprints_tell_large_tensors_apart(tmp_path: Path) -> None:
    for name, last in (("a", 1), ("b", 1), ("c", 2)):
        teller = Teller(writer_at(tmp_path / name), limit=4, fingerprints=True)
        one = np.ones(9, np.float32).reshape(3, 3)
        one[2, 2] = last
        number = teller.tensor("h", "activation", one)
        teller.happen(Phase.FORWARD, "h", "neg", {}, {"h": (number, one)}, 3)
        teller.end_iteration()
        teller.end()
    assert compared(tmp_path / "a", tmp_path / "b").same
    assert compared(tmp_path / "a", tmp_path / "b").unknown == 0
    assert not compared(tmp_path / "a", tmp_path / "c").same


def test_a_sound_file_is_verified(tmp_path: Path) -> None:
    path = tmp_path / "r.gradstep"
    trained(path, 3)
    verdict = verified(path)
    assert verdict.good
    assert verdict.closed
    assert (verdict.events, verdict.iterations) == (50, 3)
    assert verdict.values > 30


def test_a_file_that_nobody_closed_is_verified_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "r.gradstep"
    teller = Teller(writer_at(path))
    Net(teller).iterate()
    teller.writer.commit()
    verdict = verified(path)
    assert verdict.good
    assert not verdict.closed


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE capture_block SET loss = 9 WHERE iteration = 1", "iteration 2"),
        ("UPDATE content SET data = zeroblob(length(data))", "h of iteration 1|fc1.weight of"),
        ("UPDATE capture_op SET line = 99 WHERE number = 0", "ops of iterations of kind 1"),
        ("UPDATE capture_tensor SET name = 'q' WHERE number = 3", "ops of iterations of kind"),
        ("UPDATE capture_shape SET sure = 0", "ops of iterations of kind 1"),
        ("UPDATE capture_run SET command = '{}'", "its command or its process"),
        ("UPDATE capture_run SET note = 'x'", "its run are not"),
        ("INSERT INTO capture_log VALUES (7, 1, 0, 'stdout', 'x')", "its printed text"),
        ("DELETE FROM capture_block WHERE iteration = 2", "its last iteration"),
        ("UPDATE capture_closing SET digests = '{}'", "its run are not"),
    ],
)
def test_whatever_was_changed_is_named(statement: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "r.gradstep"
    trained(path, 3)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(statement)
    connection.close()
    damage = verified(path).damage
    assert any(part in one for one in damage for part in said.split("|")), damage


def test_other_data_are_a_reason(tmp_path: Path) -> None:
    trained(tmp_path / "a", 2)
    trained(tmp_path / "b", 2, scale=2.0)
    assert compared(tmp_path / "a", tmp_path / "b").reasons == [
        "data: the first batch is another one (x)"
    ]


def test_the_environment_that_changes_numbers_is_a_reason(
    tmp_path: Path,
) -> None:
    for name, threads in (("a", "1"), ("b", "2")):
        around = {"OMP_NUM_THREADS": threads, "API_KEY": "secret"}
        command = started("train.py", ["python"], {}, around)
        assert "secret" not in str(command.facts)
        teller = Teller(CaptureWriter(tmp_path / name, command))
        Net(teller, lr=0.1 * int(threads)).iterate()
        teller.end()
    assert compared(tmp_path / "a", tmp_path / "b").reasons == [
        "environment.OMP_NUM_THREADS: 1 and 2",
        "lr: 0.1 and 0.2",
    ]
