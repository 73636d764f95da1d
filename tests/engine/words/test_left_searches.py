"""A search that is left on the way leaves one where one was, bit by bit; a run stays there."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from engine.debugger import Debugger
from engine.session.session import Session
from engine.stops.stop import StopKind
from engine.words.language import CommandLine
from tests.engine.small_experiments import program

BUDGET = 60_000  # bytes: the window holds a few iterations of some hundred
OPS = len(program().ops)
HERE = 40 * OPS + 5


@pytest.fixture
def debugger() -> Debugger:
    run = program(training={"epochs": 400}, optimizer={"type": "adam", "lr": 0.01})
    found = Debugger(Session(run, BUDGET))
    found.session.goto(HERE)
    found.stops.add(StopKind.OP, "backward:linear1.weight.grad", ignore=10**6)
    found.jumps.leave(3)
    found.jumps.leave(70)
    found.jumps.back(HERE)
    return found


def standing(debugger: Debugger) -> dict[str, Any]:
    """All that one can see of a place: tensors, the past that is known, stops, jump list."""
    session = debugger.session
    history = session.history
    last = session.last_event()
    return {
        "event": session.event,
        "tensors": {name: array.tobytes() for name, array in session.tensors.items()},
        "window": (history.first, min(history.end, session.event)),
        "last": None if last is None else [array.tobytes() for array in last.after],
        "loss": session.loss,
        "stops": list(debugger.stops),
        "jumps": (list(debugger.jumps.events), debugger.jumps.place),
    }


def left(debugger: Debugger, line: str, pulls: int) -> Iterator[int]:
    """Begin a line, and leave it after so many pieces; yields where the cursor stood meanwhile."""
    steps = CommandLine(debugger).run(line)
    for _ in range(pulls):
        next(steps)
        yield debugger.event
    steps.close()  # type: ignore[attr-defined]  # a generator


SEARCHES = (
    "until loss < -1",
    "runtil loss < -1",
    "nc loss < -1",
    "pc loss < -1",
    "rc",
    "goto #2",
    "40rf",
)


@pytest.mark.parametrize("line", SEARCHES)
def test_a_search_leaves_one_where_one_was(debugger: Debugger, line: str) -> None:
    before = standing(debugger)
    moved = list(left(debugger, line, 1))
    assert moved[-1] != HERE, "it was over before it could be left"
    assert standing(debugger) == before


@pytest.mark.parametrize("line", SEARCHES)
def test_what_follows_is_as_if_there_had_been_no_search(debugger: Debugger, line: str) -> None:
    list(left(debugger, line, 1))
    session, fresh = debugger.session, Session(debugger.session.run, BUDGET)
    fresh.goto(HERE)
    for step in (-1, -1, 3, -OPS, 2 * OPS + 1):
        session.goto(session.event + step)
        fresh.goto(fresh.event + step)
        assert session.event == fresh.event
        for name, array in fresh.tensors.items():
            np.testing.assert_array_equal(session.tensors[name], array)


def test_the_window_may_be_gone_meanwhile(debugger: Debugger) -> None:
    before = standing(debugger)
    *_, far = left(debugger, "until loss < -1", 8)
    assert far - HERE > 3 * before["window"][1] - 3 * before["window"][0]
    assert standing(debugger) == before


def test_a_run_forwards_stays_where_it_has_come_to(debugger: Debugger) -> None:
    *_, far = left(debugger, "e 300", 2)
    assert debugger.event == far > HERE
    *_, further = left(debugger, "c", 1)
    assert debugger.event == further > far


def test_a_search_that_ends_is_where_it_has_led(debugger: Debugger) -> None:
    CommandLine(debugger).execute("pc linear1.weight")
    assert 0 < debugger.event < HERE
