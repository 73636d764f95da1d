"""Taking back edits, skips and branches: the session is as if they had never been made."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import GradstepError
from engine.session.session import Session
from engine.session.undo import MAX_CHANGES
from tests.engine.plain_run import plain_run, same_tensors
from tests.engine.small_experiments import program

PROGRAM = program(data={"batch_size": 3}, optimizer={"type": "sgd", "lr": 0.1, "momentum": 0.9})
OPS = len(PROGRAM.ops)
END = PROGRAM.timeline.end
PLAIN = plain_run(PROGRAM)


def branches(session: Session) -> list[tuple[object, ...]]:
    return [
        (b.name, b.parent, b.fork, b.journal.entries, b.known, list(b.losses))
        for b in session.branches
    ]


def test_an_edit_where_the_branch_ends_is_as_if_never_made() -> None:
    session = Session(PROGRAM)
    session.goto(30)
    before = branches(session)
    session.set("linear1.weight", 5)
    session.goto(60)
    change = session.undo.take_back()
    assert change.what == "set linear1.weight = 5"
    assert (session.event, branches(session)) == (30, before)
    for event in (30, 61, 29, 0, END):
        session.goto(event)
        assert same_tensors(session.tensors, PLAIN[event])


def test_an_edit_in_the_past_takes_its_branch_with_it() -> None:
    session = Session(PROGRAM)
    session.goto(60)
    before = branches(session)
    session.goto(20)
    session.set("optimizer.lr", 0.5)
    assert session.branch.name == "main-1"
    session.goto(50)
    session.undo.take_back()
    assert (session.event, session.branch.name, branches(session)) == (20, "main", before)
    session.goto(60)
    assert same_tensors(session.tensors, PLAIN[60])


def test_one_of_two_edits_at_a_place() -> None:
    session = Session(PROGRAM)
    session.goto(OPS)
    session.set("linear1.weight", 2)
    session.set("linear2.weight", "linear1.weight[0, 0] * 3")
    session.goto(OPS + 5)
    session.undo.take_back()
    assert session.tensors["linear1.weight"].max() == 2
    assert same_tensors(session.tensors, plain_run(PROGRAM, session.journal)[OPS])
    session.undo.take_back()
    assert same_tensors(session.tensors, PLAIN[OPS])


def test_skips_forks_switches_and_deletions() -> None:
    session = Session(PROGRAM)
    session.goto(40)
    seen = [(branches(session), session.branch.name, session.event)]

    def now() -> None:
        seen.append((branches(session), session.branch.name, session.event))

    session.skip("zero_grad", "update:linear1.weight", always=True)
    now()
    session.branches.fork("aside")
    session.goto(45)
    now()
    session.unskip("zero_grad")
    now()
    session.branches.switch("main")
    now()
    session.branches.delete("aside")
    for was, name, event in reversed(seen):
        session.undo.take_back()
        assert branches(session) == was or session.event == 40
        assert session.branch.name == name
        assert session.event <= event
        states = plain_run(PROGRAM, session.journal)
        assert same_tensors(session.tensors, states[session.event])
    assert branches(session) == seen[0][0]


def test_nothing_to_take_back_is_said() -> None:
    session = Session(PROGRAM)
    with pytest.raises(GradstepError, match="there is nothing to undo"):
        session.undo.take_back()
    with pytest.raises(GradstepError):
        session.set("linear1.weight", "nonsense(")
    with pytest.raises(GradstepError):
        session.branches.fork("no name")
    session.branches.switch("main")
    assert session.undo.changes == [], "what is refused or changes nothing is no change"


def test_the_changes_are_bounded() -> None:
    session = Session(PROGRAM)
    for n in range(MAX_CHANGES + 5):
        session.set("optimizer.lr", n)
    assert len(session.undo.changes) == MAX_CHANGES
    for _ in range(MAX_CHANGES):
        session.undo.take_back()
    assert session.tensors["optimizer.lr"] == 4


PLACES = st.integers(0, END)
TARGETS = st.sampled_from(["linear1.weight", "optimizer.lr", "linear2.bias"])


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(PLACES, TARGETS, st.floats(0, 1), PLACES), min_size=1, max_size=5),
    st.sampled_from([2**24, 30_000, 1]),
)
def test_whatever_was_edited_all_of_it_can_be_taken_back(walk, budget: int) -> None:
    session = Session(PROGRAM, budget)
    session.goto(25)
    before = branches(session)
    for start, target, value, then in walk:
        session.goto(start)
        session.set(target, value)
        session.goto(then)
    while session.undo.changes:
        session.undo.take_back()
        states = plain_run(PROGRAM, session.journal)
        assert same_tensors(session.tensors, states[session.event])
    assert [b[:4] for b in branches(session)] == [b[:4] for b in before]
    session.goto(END)
    assert same_tensors(session.tensors, PLAIN[END])
