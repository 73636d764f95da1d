"""A View is a value: what is worked out of it later is of the place where it was made."""

import numpy as np
import pytest

from engine.debugger import Debugger
from engine.session.badges import badge
from engine.session.session import Session
from tests.engine.small_experiments import session_of
from tui.view.snapshot import Selection, View, snapshot

PLACES = (0, 3, 9, 12, 20, 21, 25, 44, 63)


def made(debugger: Debugger, earlier: View | None = None) -> View:
    return snapshot(debugger, Selection(), earlier)


def badges(session: Session) -> dict[str, str]:
    return {name: str(badge(session, name)) for name in session.run.gradients}


def shown(view: View) -> dict[str, str]:
    return {name: str(view.badge(name)) for name in view.run.gradients}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("then", [0, 30, 200])
def test_badges_and_watches_are_of_its_place_wherever_the_session_goes(place: int, then: int):
    session = session_of("regression")
    debugger = Debugger(session)
    for text in ("loss", "norm(linear1.weight)", "event"):
        debugger.watches.add(text)
    session.goto(place)
    view, there = made(debugger), badges(session)
    values = [each.value for each in debugger.watches.values(session)]
    session.goto(then)
    assert shown(view) == there
    for text, value in zip(debugger.watches, values, strict=True):
        seen = view.watched(text)[0].value
        assert seen is value is None or np.array_equal(seen, value)


def test_badges_that_are_taken_over_are_those_that_hold():
    session = session_of("regression")
    debugger, view = Debugger(session), None
    way = [*range(48), *range(48, 20, -1), 40, 62, 63, 64, 30, 31]
    for place in way:
        session.goto(place)
        view = made(debugger, view)
        assert shown(view) == badges(session), place
    session.set("linear1.weight.grad", 0.0)
    view = made(debugger, view)
    assert shown(view) == badges(session)
    session.step()
    assert shown(made(debugger, view)) == badges(session)


def test_signs_are_taken_over_until_they_change():
    session = session_of("regression")
    debugger = Debugger(session)
    first = made(debugger)
    session.step()
    second = made(debugger, first)
    assert second.signs is first.signs
    debugger.bookmarks.mark("here", 1)
    third = made(debugger, second)
    assert [symbol for _, symbol, _ in third.signs.marks] == ["'"]


def test_it_holds_no_session():
    view = made(Debugger(session_of("regression")))
    held = [*vars(view).values(), *vars(view.past).values()]
    assert not any(isinstance(value, Session | Debugger) or callable(value) for value in held)
