"""The snapshot that panes read, against a look at every event of a run."""

import numpy as np
import pytest

from engine.debugger import Debugger
from engine.program.program import Program
from engine.run.position import Granularity
from engine.session.history import DEFAULT_BUDGET
from engine.session.session import Session
from tests.engine.small_experiments import program
from tui.view.snapshot import Selection, View, before_level, followed, snapshot

UNITS = list(Granularity)


@pytest.fixture(scope="module", params=["plain", "skipping", "momentum"])
def small(request: pytest.FixtureRequest) -> Program:
    tables = {
        "plain": {},
        "skipping": {"training": {"skip": ["zero_grad"]}},
        "momentum": {
            "optimizer": {"type": "sgd", "lr": 0.1, "momentum": 0.5},
            "data": {"batch_size": 3},
        },
    }[request.param]
    return program(**tables)


def events_that_write(small: Program, name: str) -> list[int]:
    """By going through every event of the run."""
    ops = small.ops
    return [e for e in range(small.timeline.end) if name in ops[e % len(ops)].writes]


def test_the_last_and_the_first_write_as_a_look_at_every_event(small):
    for name in small.tensors:
        writes = events_that_write(small, name)
        for event in range(small.timeline.end + 1):
            assert small.timeline.last(event, writes=name) == max(
                (e for e in writes if e < event), default=None
            )
            later = min((e for e in writes if e >= event), default=None)
            assert small.timeline.next(event - 1, writes=name) == later


def test_what_is_not_written_has_no_writes(small):
    assert small.timeline.last(small.timeline.end, writes="x") is None
    assert small.timeline.next(-1, writes="x") is None


@pytest.mark.parametrize("unit", UNITS)
def test_before_a_level_stands_what_stood_at_its_beginning(small, unit):
    states = []
    session = Session(small)
    for event in range(small.timeline.end + 1):
        session.goto(event)
        states.append(dict(session.tensors))
    for event in range(small.timeline.end + 1):
        session.goto(event)
        start = small.timeline.boundary(event, unit, -1)
        for name in small.tensors:
            if name in ("x", "y"):
                continue  # an iteration's rows come without an event
            before, lost = before_level(session, name, unit)
            assert not lost
            old = states[start].get(name)
            assert (before is None) == (old is None), (event, name)
            if old is not None and before is not None:
                np.testing.assert_array_equal(before, old)


def test_a_value_beyond_the_history_is_lost_not_wrong():
    long = program(training={"epochs": 200})
    session = Session(long, budget=20_000)
    session.goto(150 * len(long.ops) + 3)
    assert session.history.first > 0
    assert before_level(session, "linear1.weight", Granularity.EPOCH)[1] is False
    whole = Session(program(data={"batch_size": 1}, training={"epochs": 60}), budget=20_000)
    ops = len(whole.program.ops)
    whole.goto(7 * 50 * ops - 1)
    before, lost = before_level(whole, "linear1.weight", Granularity.EPOCH)
    assert lost == (whole.history.first > 7 * 49 * ops)
    assert (before is None) == lost


def test_the_tensor_to_follow_is_what_the_last_op_wrote(small):
    session = Session(small)
    assert followed(session) == "x"
    for event in range(1, 2 * len(small.ops)):
        session.goto(event)
        assert followed(session) == small.ops[(event - 1) % len(small.ops)].name


def view(session: Session, selection: Selection | None = None) -> View:
    return snapshot(Debugger(session), selection or Selection())


def test_a_view_stays_as_it_is_when_the_session_moves_on(small):
    session = Session(small, DEFAULT_BUDGET)
    session.goto(len(small.ops))
    seen = view(session)
    weight = seen.tensors["linear1.weight"]
    session.goto(0)
    assert seen.event == len(small.ops)
    assert seen.tensors["linear1.weight"] is weight
    assert seen.tensors["linear1.weight"] is not session.tensors["linear1.weight"]


def test_the_selected_tensor_and_the_op_about_to_run(small):
    session = Session(small)
    seen = view(session, Selection("linear1.out"))
    assert seen.array is None
    assert seen.pinned
    assert seen.info.name == "linear1.out"
    assert seen.op is small.ops[0]
    session.goto(small.timeline.end)
    end = view(session)
    assert end.op is None
    assert not end.pinned
    assert end.with_status(note="well").note == "well"
    assert end.note == ""
