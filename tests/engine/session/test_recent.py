"""The recent events of a session: what was before each, however they were cut and edited."""

import numpy as np
import pytest

from engine.run.drive import advance, initial_state
from engine.session.session import Session
from tests.engine.small_experiments import program


def shuffled():
    return program(
        data={"batch_size": 2, "shuffle": True},
        optimizer={"type": "sgd", "momentum": 0.9},
        clip={"norm": 0.1},
        training={"epochs": 6},
    )


def states_of(compiled, events):
    """The tensors before each event of a straight run."""
    state, found = initial_state(compiled), []
    for _ in range(events):
        found.append(state.tensors)
        state, _ = advance(compiled, state)
    return found


def assert_before(history, compiled, states):
    for event in history.events:
        names = compiled.timeline.op(event).writes
        before = history.events.before(event)
        assert len(before) == len(names)
        for name, value in zip(names, before, strict=True):
            there = states[event].get(name)
            assert (value is None) == (there is None), (event, name)
            if value is not None:
                assert value.tobytes() == there.tobytes(), (event, name)


@pytest.mark.parametrize("step", [1, 7, 10_000])
@pytest.mark.parametrize("budget", [3_000, 30_000, 2**28])
def test_what_was_before_is_that_of_the_straight_run(step, budget):
    compiled = shuffled()
    end = 3 * len(compiled.ops) + 5
    states = states_of(compiled, end)
    session = Session(compiled, budget)
    while session.event < end:
        session.goto(min(end, session.event + step))
    history = session.history
    assert history.events.end == end
    assert len(history.events) == end - history.first
    assert (history.first == 0) == (budget == 2**28)
    assert_before(history, compiled, states)
    session.goto(end - len(compiled.ops))
    session.goto(end)
    assert_before(history, compiled, states)


def test_an_edit_in_the_middle_of_an_iteration_is_what_was_before_the_next_op():
    session = Session(shuffled())
    op = next(op for op in session.program.ops if op.name == "linear1.weight")
    session.goto(op.index)
    session.set("linear1.weight", 5.0)
    session.step()
    (before, *_) = session.history.events.before(op.index)
    assert np.all(before == 5.0)
    session.goto(0)
    session.goto(op.index + 1)
    assert np.all(session.history.events.before(op.index)[0] == 5.0)


def test_a_copy_does_not_grow_and_what_is_dropped_is_gone():
    session = Session(shuffled())
    session.goto(30)
    events = session.history.events
    held = events.copy()
    session.goto(40)
    assert (held.end, events.end) == (30, 40)
    with pytest.raises(KeyError):
        held.results(35)
    held.drop_from(12)
    held.drop_before(5)
    assert list(held) == list(range(5, 12))
    assert list(events) == list(range(40))
    assert held.get(4) is None
    assert held.get(12) is None


def test_the_batch_is_not_kept_with_the_events():
    session = Session(shuffled())
    session.goto(3 * len(session.program.ops))
    kept = [stretch.tensors for stretch in session.history.events.stretches]
    assert not any(name in tensors for tensors in kept for name in session.run.entering)
