"""Branches: the original stays whole, and two can be compared."""

from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import GradstepError
from engine.session.session import Session
from tests.engine.plain_run import plain_run, same_tensors
from tests.engine.small_experiments import program

PROGRAM = program(data={"batch_size": 3}, optimizer={"type": "adam", "lr": 0.1})
OPS = len(PROGRAM.ops)
PLAIN = plain_run(PROGRAM)
BUDGETS = [2**24, 60_000, 1]


def result(generator: Generator[Any, None, Any]) -> Any:
    """What a generator returns."""
    while True:
        try:
            next(generator)
        except StopIteration as stop:
            return stop.value


def test_editing_at_the_end_of_what_is_known_starts_no_branch() -> None:
    session = Session(PROGRAM)
    session.goto(10)
    session.set("linear1.weight", 0)
    assert [branch.name for branch in session.branches] == ["main"]


def test_editing_in_the_past_starts_a_branch() -> None:
    session = Session(PROGRAM)
    session.goto(5 * OPS)
    session.goto(2 * OPS)
    session.set("linear1.weight", 0)
    assert session.branch.name == "main-1"
    assert (session.branch.parent, session.branch.fork, session.known) == ("main", 2 * OPS, 2 * OPS)
    assert len(session.losses) == 2
    session.goto(4 * OPS)
    assert len(session.losses) == 4
    session.branches.switch("main")
    assert session.event == 4 * OPS
    assert session.known == 5 * OPS
    assert same_tensors(session.tensors, PLAIN[4 * OPS])


def test_switching_goes_no_further_than_what_is_known() -> None:
    session = Session(PROGRAM)
    session.goto(30)
    session.goto(10)
    session.skip("update", branch="still")
    assert session.branch.name == "still"
    session.branches.switch("main")
    session.goto(100)
    session.branches.switch("still")
    assert session.event == 10


def test_names_are_checked() -> None:
    session = Session(PROGRAM)
    session.goto(10)
    session.branches.fork("other")
    with pytest.raises(GradstepError, match="a branch 'main' already"):
        session.branches.fork("main")
    with pytest.raises(GradstepError, match="letters, digits"):
        session.branches.fork("a b")
    with pytest.raises(GradstepError, match=r"no branch 'othr' \(did you mean other\?\)"):
        session.branches.switch("othr")
    with pytest.raises(GradstepError, match="other is the current branch"):
        session.branches.delete("other")
    session.branches.switch("main")
    session.branches.delete("other")
    assert [branch.name for branch in session.branches] == ["main"]


def test_children_of_a_deleted_branch_go_to_its_parent() -> None:
    session = Session(PROGRAM)
    session.goto(20)
    session.branches.fork("a")
    session.goto(30)
    session.branches.fork("b")
    session.branches.delete("a")
    assert (session.branch.parent, session.branch.fork) == ("main", 20)


def test_compare_names_the_first_event_tensor_and_index() -> None:
    session = Session(PROGRAM)
    session.goto(6 * OPS)
    session.goto(2 * OPS + 3)
    session.set("linear1.weight", "linear1.weight[1, 1] + 1", (1, 1))
    session.goto(6 * OPS)
    found = result(session.branches.compare("main", session.branch.name))
    assert (found.event, found.tensor, found.index) == (2 * OPS + 3, "linear1.weight", (1, 1))
    assert found.values[1] - found.values[0] == pytest.approx(1)
    assert found.losses[0][:2].tolist() == found.losses[1][:2].tolist()
    assert found.losses[0][2] != found.losses[1][2]
    assert session.event == 6 * OPS


def test_compare_finds_the_first_effect_of_a_skip() -> None:
    session = Session(PROGRAM)
    session.goto(6 * OPS)
    session.goto(2 * OPS)
    session.skip("update", branch="still")
    session.goto(4 * OPS)
    found = result(session.branches.compare("main", "still"))
    update = next(op.index for op in PROGRAM.ops if op.phase == "update")
    assert found.event == 2 * OPS + update + 1
    assert found.tensor == "linear1.weight"


def test_compare_of_equal_branches_finds_nothing() -> None:
    session = Session(PROGRAM)
    session.goto(40)
    session.branches.fork("twin")
    session.set("linear1.weight", "linear1.weight")
    session.goto(60)
    found = result(session.branches.compare("main", "twin"))
    assert (found.event, found.tensor, found.compared) == (None, None, 40)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, PROGRAM.timeline.end),
            st.sampled_from(["set", "skip", "switch", "lr"]),
            st.integers(0, 5),
        ),
        max_size=8,
    ),
    st.sampled_from(BUDGETS),
)
def test_every_branch_stays_what_it_was(walk, budget: int) -> None:
    """A bug in sharing or thinning keyframes, or in cutting journals, makes a branch differ."""
    session = Session(PROGRAM, budget)
    session.goto(PROGRAM.timeline.end)
    journals = {"main": session.journal}
    losses = {"main": session.losses.tolist()}
    for event, action, number in walk:
        session.goto(event)
        if action == "set":
            session.set("linear1.weight", float(number), (number % 3, 0))
        elif action == "lr":
            session.set("optimizer.lr", number / 10)
        elif action == "skip":
            session.skip("update", always=number > 2) if event % OPS < OPS - 4 else None
        else:
            names = [branch.name for branch in session.branches]
            session.branches.switch(names[number % len(names)])
        journals[session.branch.name] = session.journal
    for branch in list(session.branches):
        session.branches.switch(branch.name)
        assert session.journal == journals[branch.name]
        states = plain_run(PROGRAM, journals[branch.name])
        for event in (branch.known, branch.known // 2, 0, branch.fork):
            session.goto(event)
            assert same_tensors(session.tensors, states[event])
    session.branches.switch("main")
    session.goto(PROGRAM.timeline.end)
    assert session.losses.tolist() == losses["main"]


def test_parked_branches_keep_within_their_share_of_the_memory() -> None:
    budget = 200_000
    session = Session(PROGRAM, budget)
    for _ in range(12):
        session.goto(PROGRAM.timeline.end)
        session.goto(3)
        session.set("linear1.weight", 1.0, (0, 0))
    parked = [branch for branch in session.branches if branch is not session.branch]
    kept = [branch.history.kept_bytes for branch in parked if len(branch.history.keyframes) > 1]
    assert sum(kept) <= budget // 4
    assert not any(branch.history.events for branch in parked)
    current = session.branch
    session.branches.switch("main")
    assert not current.history.events
