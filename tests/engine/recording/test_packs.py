"""The losses of a long run, packed: the same numbers, and not believed where they are wrong."""

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from engine.debugger import Debugger
from engine.recording.reader import Damaged
from engine.recording.schema import PACK
from engine.session.session import Session
from tests.engine.recording.recordings import opened, record_session, verdict
from tests.engine.small_experiments import program

LAST = PACK + 9  # iterations of main
FORK = PACK // 2


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, np.ndarray]]:
    """A run longer than a pack; a branch that left it, and is longer than a pack of its own."""
    made = program(training={"epochs": 3 * PACK})
    session = Session(made)
    ops = len(made.ops)
    session.goto(LAST * ops)
    losses = {"main": session.losses_known}
    session.goto(FORK * ops)
    session.set("optimizer.lr", 0.05, branch="slow")
    session.goto((FORK + LAST) * ops + 3)
    losses["slow"] = session.losses_known
    path = tmp_path_factory.mktemp("packs") / "r.gradstep"
    record_session(path, Debugger(session), "keyframes").writer.close()
    return path, losses


def copied(recorded: tuple[Path, object], to: Path) -> Path:
    path = to / "r.gradstep"
    path.write_bytes(recorded[0].read_bytes())
    return path


def changed(path: Path, *statements: str) -> None:
    with sqlite3.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def losses_of(path: Path) -> dict[str, np.ndarray]:
    with opened(path) as found:
        return {name: np.array(found.losses(one)) for name, one in found.branches.items()}


def test_they_are_the_losses_of_the_session(recorded):
    path, losses = recorded
    for name, found in losses_of(path).items():
        assert np.array_equal(found, losses[name]), name
    assert verdict(path).good


def test_a_file_without_packs_is_as_good(recorded, tmp_path):
    path = copied(recorded, tmp_path)
    changed(path, "DROP TABLE pack")
    for name, found in losses_of(path).items():
        assert np.array_equal(found, recorded[1][name]), name


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE pack SET losses = zeroblob(8)", "pack 0"),
        ("UPDATE pack SET losses = 'text'", "pack 0"),
        ("UPDATE pack SET number = number + 1", "pack 0"),
        ("INSERT INTO pack SELECT branch, number + 1, losses FROM pack", "table pack: more than 1"),
        ("DELETE FROM loss WHERE branch = 1 AND iteration > 1024 AND iteration < 1030", "losses"),
    ],
)
def test_what_cannot_be_is_damage(recorded, tmp_path, statement, said):
    path = copied(recorded, tmp_path)
    changed(path, statement)
    with pytest.raises(Damaged, match=said):
        losses_of(path)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE pack SET losses = zeroblob(8192) WHERE branch = 1",
        "UPDATE loss SET value = 7 WHERE branch = 2 AND iteration = 700",
        "DELETE FROM loss WHERE branch = 1 AND iteration = 7",
    ],
)
def test_packs_and_rows_that_differ_are_found(recorded, tmp_path, statement):
    path = copied(recorded, tmp_path)
    changed(path, "DELETE FROM closing", statement)
    assert "its packed losses differ from its losses in iteration" in " ".join(verdict(path).damage)
