"""Positions: every form, and errors that name what is allowed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.debugger import Debugger
from engine.errors import GradstepError
from engine.run.position_text import format_position, parse_position
from engine.session.bookmarks import Bookmarks, JumpList
from engine.session.session import Session
from tests.engine.small_experiments import built_in

PROGRAM = built_in("regression")
OPS = len(PROGRAM.ops)


def at(event: int = 0) -> Debugger:
    session = Session(PROGRAM)
    session.goto(event)
    return Debugger(session)


def op(phase: str, name: str) -> int:
    return next(o.index for o in PROGRAM.ops if (o.phase, o.name) == (phase, name))


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ("#41", 41),
        ("41", 41),
        (" 0 ", 0),
        ("start", 0),
        ("end", 30 * OPS),
        ("i1", 0),
        ("i3", 2 * OPS),
        ("i30", 29 * OPS),
        ("i3:backward", 2 * OPS + op("backward", "identity1.out.grad")),
        ("i3:backward:linear2", 2 * OPS + op("backward", "linear2.weight.grad")),
        ("i3:backward:linear2.bias.grad", 2 * OPS + op("backward", "linear2.bias.grad")),
        ("i3:forward:yhat", 2 * OPS + op("forward", "identity1.out")),
        ("i2:update:linear1.bias", OPS + op("update", "linear1.bias")),
        ("i2:zero_grad:linear1.weight.grad", OPS),
        ("e1", 0),
        ("e2", 3 * OPS),
        ("e10", 27 * OPS),
        ("0%", 0),
        ("50%", 15 * OPS),
        ("12.5%", 30 * OPS // 8),
        ("100%", 30 * OPS),
        ("+5", 15),
        ("-5", 5),
        ("loss", op("loss", "loss")),
        ("backward:linear2", op("backward", "linear2.weight.grad")),
    ],
)
def test_forms(text: str, event: int) -> None:
    assert parse_position(text, at(10)) == event


def test_a_phase_alone_is_in_the_iteration_of_the_cursor() -> None:
    assert parse_position("loss", at(2 * OPS + 19)) == 2 * OPS + op("loss", "loss")
    assert parse_position("loss", at(PROGRAM.timeline.end)) == 29 * OPS + op("loss", "loss")


def test_bookmarks() -> None:
    debugger = at(7)
    debugger.bookmarks.mark("here", 7, "a text")
    assert parse_position("'here", debugger) == 7
    with pytest.raises(GradstepError, match=r"'her' is no bookmark|did you mean here\?"):
        parse_position("'her", debugger)
    assert debugger.bookmarks.mark("", 9).name == "m1"
    assert debugger.bookmarks.mark("", 9).name == "m2"
    with pytest.raises(GradstepError, match="letters, digits"):
        Bookmarks().mark("a b", 1)
    assert debugger.bookmarks.unmark("here").text == "a text"
    with pytest.raises(GradstepError, match="no bookmark 'here'; there are: m1, m2"):
        debugger.bookmarks.unmark("here")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("i99", r"'i99' is outside: the run has iterations 1 to 30"),
        ("i0", "iterations 1 to 30"),
        ("e11", "epochs 1 to 10"),
        ("#9999", "events #0 to 630"),
        ("-11", "events #0 to 630"),
        ("101%", "between 0% and 100%"),
        ("i3:bakward", r"did you mean backward\?.*zero_grad, forward, loss, backward, update"),
        ("i3:backward:linaer2", r"did you mean linear2\?"),
        ("i3:", "'' is no phase"),
        ("banana", "positions are #41 or 41"),
        ("", "positions are"),
        ("#" + "9" * 30, "at most 18"),
        ("i٣", "positions are"),
        ("\x1b[31m", r"\\x1b"),
        ("'nothing", "none yet; mark one"),
    ],
)
def test_errors_name_what_is_allowed(text: str, said: str) -> None:
    with pytest.raises(GradstepError, match=said):
        parse_position(text, at(10))


def test_formatting_parses_back() -> None:
    debugger = at()
    places = [format_position(PROGRAM, event) for event in range(PROGRAM.timeline.end + 1)]
    assert [parse_position(text, debugger) for text in places] == list(
        range(PROGRAM.timeline.end + 1)
    )
    assert places[-1] == "end"


@given(st.text(max_size=12))
def test_any_text_is_a_position_or_a_clear_error(text: str) -> None:
    try:
        event = parse_position(text, SESSION)
    except GradstepError as error:
        said, event = str(error), 0
    else:
        said = "position "
    assert said.startswith("position ")
    assert 0 <= event <= PROGRAM.timeline.end


SESSION = at(100)


@given(st.integers(0, OPS - 1), st.integers(0, PROGRAM.timeline.end))
def test_the_next_and_the_last_of_an_op_are_the_nearest(index: int, event: int) -> None:
    timeline, key = PROGRAM.timeline, PROGRAM.ops[index].key
    places = [e for e in range(PROGRAM.timeline.end) if e % OPS == index]
    assert timeline.next(event, op=key) == next((e for e in places if e > event), None)
    before = [e for e in places if e < event]
    assert timeline.last(event, op=key) == (before[-1] if before else None)
    assert timeline.count(key, event) == len(before)


def test_visited_places_go_back_and_forward() -> None:
    visited = JumpList()
    visited.leave(0)
    visited.leave(10)
    assert visited.back(30) == 10
    assert visited.back(10) == 0
    assert visited.back(0) is None
    assert visited.forward() == 10
    assert visited.forward() == 30
    assert visited.forward() is None
    assert visited.back(30) == 10
    visited.leave(10)
    assert visited.forward() is None
    assert visited.back(50) == 10


def test_visited_places_are_bounded() -> None:
    visited = JumpList()
    for event in range(5000):
        visited.leave(event)
    assert len(visited.events) == 1000
    assert visited.back(9999) == 4999
