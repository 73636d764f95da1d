"""The example queries of docs/recording.md, run through the plain sqlite3 module."""

import re
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.recording.schema import TABLES
from engine.run.position import Granularity
from engine.session.session import Session
from tests.engine.recording.recordings import record_session
from tests.engine.small_experiments import program

DOCUMENT = Path(__file__).parents[3] / "docs" / "recording.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")
QUERIES = re.findall(r"```sql\n(.*?)```", TEXT, re.DOTALL)
LOSSES, CHANGES, GRADIENTS, BYTES, EDITS = range(5)


@pytest.fixture(scope="module")
def session() -> Session:
    made = Session(program(training={"epochs": 7}))
    made.goto(40)
    made.set("optimizer.lr", 0.5)
    made.goto(made.program.timeline.end)
    return made


@pytest.fixture
def rows(session: Session, tmp_path: Path) -> Any:
    path = tmp_path / "r.gradstep"
    record_session(path, session, "full").writer.close()
    connection = sqlite3.connect(path)
    yield lambda number: connection.execute(QUERIES[number]).fetchall()
    connection.close()


def test_there_are_as_many_queries_as_tests() -> None:
    assert len(QUERIES) == 5


def test_losses(rows: Any, session: Session) -> None:
    assert rows(LOSSES) == list(enumerate(session.losses.tolist(), 1))


def test_the_events_that_changed_a_tensor(rows: Any, session: Session) -> None:
    expected, before = [], None
    session.goto(0)
    while session.event < session.known:
        session.step()
        last = session.last_event()
        assert last is not None
        if "linear1.bias.grad" in last.op.writes:
            now = session.tensors["linear1.bias.grad"].tobytes()
            if now != before:
                expected.append((last.index,))
            before = now
    assert rows(CHANGES) == expected


def test_the_biggest_gradients(rows: Any, session: Session) -> None:
    found = []
    program = session.program
    for iteration in range(1, program.timeline.iterations + 1):
        session.goto((iteration - 1) * len(program.ops))
        session.step(4, Granularity.PHASE)
        sizes = {
            op.name: float(np.abs(session.tensors[op.name]).max()) for op in program.ops if op.adds
        }
        name = max(sizes, key=lambda name: sizes[name])
        found.append((iteration, name, sizes[name]))
    assert rows(GRADIENTS) == sorted(found, key=lambda row: -row[2])[:10]


def test_the_bytes_of_a_tensor(rows: Any, session: Session) -> None:
    session.goto(2 * len(session.program.ops))
    ((digits,),) = rows(BYTES)
    assert bytes.fromhex(digits) == session.tensors["linear1.bias.grad"].tobytes()


def test_what_somebody_changed(rows: Any) -> None:
    entry = '{"event":40,"index":[],"set":"optimizer.lr","value":0.5}'
    assert rows(EDITS) == [("main", 40, entry)]


def test_every_table_is_documented() -> None:
    described = set(re.findall(r"`(\w+)`", "\n".join(re.findall(r"^\| (`[^|]*) \|", TEXT, re.M))))
    assert set(TABLES) <= described
