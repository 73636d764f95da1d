"""Captured recordings from strangers: what is wrong is said, and nothing else happens."""

import random
import shutil
import sqlite3
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from engine.capture.messages import Degree, Value
from engine.capture.sink import Stream
from engine.errors import GradstepError
from engine.recording.reader import Damaged, Reader
from engine.run.phases import Phase
from engine.session.session import Session
from tests.engine.capture.captures import opened
from tests.engine.capture.told import Net, Teller, writer_at

TRIALS = 150


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording with a bit of everything."""
    path = tmp_path_factory.mktemp("source") / "source.gradstep"
    teller = Teller(writer_at(path), limit=30)
    net = Net(teller, sizes=(9, 9, 2), step_every=2)
    for _ in range(3):
        net.iterate()
        teller.writer.text(Stream.STDOUT, "loss\n")
    number = teller.tensor("w", "parameter", np.zeros((90, 90), np.float32))
    for k in range(2):
        array = np.full((90, 90), k, np.float32)
        value = {"w": Value(Degree(0))} if k else None
        teller.happen(Phase.UPDATE, "w", "step", {}, {"w": (number, array)}, 1, values=value)
    teller.later(teller.events - 1, 0, np.full((90, 90), 1, np.float32))
    teller.end()
    return path


def looked_through(path: Path) -> None:
    """Everything that is asked of a recording."""
    with opened(path) as run:
        session = Session(run, 10_000)
        for event in (0, 3, run.timeline.end, run.timeline.end // 2, 0):
            session.goto(event)
            for name in run.tensors:
                run.source.kept(event, name)
        run.places.first_odd(0, run.timeline.end)
        for iteration in range(min(4, run.timeline.iterations)):
            run.stored.facts(iteration)
        run.stored.log(10, 10)
        assert run.stored.sources == {}


def changed(source: Path, path: Path, *statements: str) -> Path:
    shutil.copy(source, path)
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()
    return path


def test_it_is_sound(source: Path) -> None:
    looked_through(source)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE capture_tensor SET shape = '[1e9]'", "tensor 0"),
        ("UPDATE capture_tensor SET shape = '[1099511627776]'", "shape|tensor 0"),
        ("UPDATE capture_tensor SET shape = '{}'", "tensor 0"),
        ("UPDATE capture_tensor SET role = 'root' WHERE number = 2", "tensor 2"),
        ("UPDATE capture_tensor SET number = 77 WHERE number = 2", "tensor"),
        ("UPDATE capture_op SET phase = 'sleep' WHERE number = 1", "op 1"),
        ("UPDATE capture_op SET reads = x'ffffff00' WHERE number = 1", "op 1"),
        ("UPDATE capture_op SET reads = x'ff' WHERE number = 1", "op 1: 1 bytes"),
        ("UPDATE capture_op SET attributes = '[]' WHERE number = 1", "op 1"),
        ("UPDATE capture_op SET views = '[1]' WHERE number = 1", "op 1: its views"),
        ("UPDATE capture_op SET line = -1 WHERE number = 1", "op 1"),
        ("UPDATE capture_op SET forward = 99 WHERE number = 1", "op 1 belongs"),
        ("UPDATE capture_shape SET ops = x'ffffff00'", "shape 0"),
        ("UPDATE capture_shape SET ops = x''", "shape 0"),
        ("UPDATE capture_shape SET loss = 4000", "shape 0"),
        ("UPDATE capture_block SET shape = 50", "iteration 1"),
        ("UPDATE capture_block SET iteration = 70 WHERE iteration = 1", "iteration 2"),
        ("UPDATE capture_block SET given = x'ffffff00'", "iteration 1"),
        ("UPDATE capture_run SET command = 'x'", "its command"),
        ("UPDATE capture_run SET process = '[]'", "its process"),
        ("UPDATE capture_run SET events = -1", "run 1 has"),
        ("DELETE FROM capture_run", "nothing was captured"),
        ("DROP TABLE capture_log", "table capture_log is missing"),
        ("PRAGMA user_version = 1", "version 1"),
        ("CREATE TABLE capture_more (x)", "capture_more"),
    ],
)
def test_what_cannot_be_is_named(statement: str, said: str, source: Path, tmp_path: Path) -> None:
    path = changed(source, tmp_path / "r.gradstep", statement)
    with pytest.raises(Damaged, match=said):
        looked_through(path)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE capture_block SET statistics = zeroblob(length(statistics))",
        "UPDATE capture_block SET degrees = x'00'",
        "UPDATE capture_block SET digests = x''",
        "UPDATE capture_block SET loss = 7",
        "UPDATE capture_block SET facts = '[]'",
        "UPDATE capture_later SET digest = zeroblob(16)",
        "UPDATE content SET data = zeroblob(length(data))",
        "DELETE FROM content",
    ],
)
def test_a_changed_iteration_is_not_believed(statement: str, source: Path, tmp_path: Path) -> None:
    path = changed(source, tmp_path / "r.gradstep", statement)
    with opened(path) as run:
        session = Session(run)
        session.goto(run.timeline.end)
        for name in run.tensors:
            run.source.kept(run.timeline.end, name)
        assert "damaged" in run.places.trouble


def test_mutated_bytes(source: Path, tmp_path: Path) -> None:
    """A message at worst, whatever byte is another one."""
    chance, whole = random.Random(20240229), source.read_bytes()
    for trial in range(TRIALS):
        data = bytearray(whole)
        for _ in range(chance.choice((1, 1, 8, 64))):
            data[chance.randrange(len(data))] = chance.randrange(256)
        path = tmp_path / f"{trial}.gradstep"
        path.write_bytes(data)
        with suppress(GradstepError):
            looked_through(path)
        path.unlink()


def test_an_older_gradstep_refuses_it_with_a_sentence(source: Path, tmp_path: Path) -> None:
    """What reads versions up to 1 says so; so does this one of a version that is yet to come."""
    path = changed(source, tmp_path / "r.gradstep", "PRAGMA user_version = 3")
    with pytest.raises(GradstepError, match=r"version 3 .* up to 2: upgrade gradstep"):
        Reader(path)
