"""Stops: continue and reverse-continue end exactly where a plain scan of all states says."""

import functools
import re
from collections.abc import Callable
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.debugger import Debugger
from engine.errors import GradstepError
from engine.session.session import Session
from engine.stops.run_control import (
    Outcome,
    conclude,
    continue_,
    next_change,
    reverse_continue,
    until,
)
from engine.stops.stop import Stop, StopKind
from engine.stops.stop_list import StopList
from tests.engine.plain_run import States, plain_run
from tests.engine.small_experiments import program, session_of

PROGRAM = program(
    data={"batch_size": 3},
    layers=[{"type": "linear", "out": 3}, {"type": "relu"}, {"type": "linear", "out": 1}],
    optimizer={"type": "sgd", "lr": 0.4, "momentum": 0.5},
)
OPS, EVENTS = len(PROGRAM.ops), PROGRAM.timeline.end
FOREVER = 10**9


def forwards(debugger: Debugger) -> Outcome:
    return conclude(continue_(debugger.session, debugger.stops))[0]


def backwards(debugger: Debugger) -> Outcome:
    return conclude(reverse_continue(debugger.session, debugger.stops))[0]


def places(debugger: Debugger, move: Callable[[Debugger], Outcome]) -> list[int]:
    """Every place at which repeated continuing stops."""
    found = []
    while (outcome := move(debugger)).stopped:
        found.append(outcome.event)
        assert debugger.event == outcome.event
    return found


# Each stop beside what it means: a function of the states before and at a cursor position.
Meaning = Callable[[States, int], bool]


def at_op(matches: Callable) -> Meaning:
    return lambda states, p: p < EVENTS and matches(p)


def name_at(p: int) -> str:
    return PROGRAM.ops[p % OPS].name


def phase_at(p: int) -> str:
    return PROGRAM.ops[p % OPS].phase


def first_of_phase(phase: str) -> Meaning:
    first = next(op.index for op in PROGRAM.ops if op.phase == phase)
    return at_op(lambda p: p % OPS == first)


def first_of_layer(layer: str, phases: tuple[str, ...]) -> Meaning:
    firsts = {
        next(op.index for op in PROGRAM.ops if (op.phase, op.layer) == (phase, layer))
        for phase in phases
    }
    return at_op(lambda p: p % OPS in firsts)


def values(get: Callable, hold: Callable) -> Meaning:
    """A comparison of a value before and at a position; nothing is met while it is missing."""

    def meaning(states: States, p: int) -> bool:
        if p == 0:
            return False
        try:
            new = get(states[p])
        except KeyError:
            return False
        try:
            old = get(states[p - 1])
        except KeyError:
            old = None
        return bool(hold(old, new))

    return meaning


def changed(old, new) -> bool:
    return old is None or np.asarray(old).tobytes() != np.asarray(new).tobytes()


def crossing(bound: float) -> Callable:
    return lambda old, new: (
        old is not None and bool(((np.asarray(old) >= bound) != (np.asarray(new) >= bound)).any())
    )


def rising(old, new) -> bool:
    return bool(new) and not (old is not None and bool(old))


def above(bound: float) -> Meaning:
    def meaning(states: States, p: int) -> bool:
        if p == 0 or phase_at(p - 1) != "backward":
            return False
        written = {n: states[p][n] for n in PROGRAM.ops[(p - 1) % OPS].writes}
        return any(np.sqrt((v**2).sum()) > bound for v in written.values())

    return meaning


def dead(states: States, p: int) -> bool:
    if p == 0 or phase_at(p - 1) != "forward":
        return False
    name = name_at(p - 1)
    new, old = states[p][name], states[p - 1].get(name)
    return any(
        not new[:, unit].any() and (old is None or old[:, unit].any())
        for unit in range(new.shape[1])
    )


def unmoved(states: States, p: int) -> bool:
    if p == 0 or phase_at(p - 1) != "update":
        return False
    return not changed(states[p - 1][name_at(p - 1)], states[p][name_at(p - 1)])


STOPS: dict[str, tuple[dict, Meaning]] = {
    "backward": ({"kind": StopKind.OP, "target": "backward"}, first_of_phase("backward")),
    "linear2": (
        {"kind": StopKind.OP, "target": "linear2"},
        first_of_layer("linear2", ("zero_grad", "forward", "backward", "update")),
    ),
    "linear1.backward": (
        {"kind": StopKind.OP, "target": "linear1.backward"},
        first_of_layer("linear1", ("backward",)),
    ),
    "op": (
        {"kind": StopKind.OP, "target": "linear2.weight.grad"},
        at_op(lambda p: name_at(p) == "linear2.weight.grad"),
    ),
    "one op": (
        {"kind": StopKind.OP, "target": "backward:linear2.weight.grad"},
        at_op(lambda p: (phase_at(p), name_at(p)) == ("backward", "linear2.weight.grad")),
    ),
    "yhat": (
        {"kind": StopKind.OP, "target": "yhat"},
        at_op(lambda p: name_at(p) == "linear2.out"),
    ),
    "#41": ({"kind": StopKind.POSITION, "target": "#41"}, at_op(lambda p: p == 41)),
    "condition": (
        {"kind": StopKind.OP, "target": "update", "condition": "norm(linear2.weight.grad) > 1"},
        lambda states, p: (
            first_of_phase("update")(states, p)
            and np.linalg.norm(states[p]["linear2.weight.grad"]) > 1
        ),
    ),
    "counter": (
        {"kind": StopKind.OP, "target": "loss", "condition": "iteration % 3 == 0"},
        lambda states, p: first_of_phase("loss")(states, p) and (p // OPS + 1) % 3 == 0,
    ),
    "first op": (
        {"kind": StopKind.OP, "target": "zero_grad", "condition": "event < 40"},
        lambda states, p: first_of_phase("zero_grad")(states, p) and p < 40,
    ),
    "watch loss": (
        {"kind": StopKind.CHANGE, "target": "loss"},
        values(lambda s: s["loss"], changed),
    ),
    "watch element": (
        {"kind": StopKind.CHANGE, "target": "linear1.weight[0, 1]"},
        values(lambda s: s["linear1.weight"][0, 1], changed),
    ),
    "watch what the last op writes": (
        {"kind": StopKind.CHANGE, "target": "linear2.bias[0]"},
        values(lambda s: s["linear2.bias"][0], changed),
    ),
    "watch tensor": (
        {"kind": StopKind.CHANGE, "target": "linear1.bias.grad"},
        values(lambda s: s["linear1.bias.grad"], changed),
    ),
    "watch data": ({"kind": StopKind.CHANGE, "target": "x"}, values(lambda s: s["x"], changed)),
    "watch iteration": (
        {"kind": StopKind.CHANGE, "target": "iteration"},
        lambda states, p: p > 0 and p % OPS == 0 and p < EVENTS,
    ),
    "cross": (
        {"kind": StopKind.CROSS, "target": "loss", "bound": 1.0},
        values(lambda s: s["loss"], crossing(1.0)),
    ),
    "cross tensor": (
        {"kind": StopKind.CROSS, "target": "linear1.weight", "bound": 0.0},
        values(lambda s: s["linear1.weight"], crossing(0.0)),
    ),
    "when": (
        {"kind": StopKind.WHEN, "target": "loss < 0.8"},
        values(lambda s: s["loss"] < 0.8, rising),
    ),
    "gradient above": ({"kind": StopKind.GRADIENT_ABOVE, "bound": 1.0}, above(1.0)),
    "dead": ({"kind": StopKind.DEAD}, dead),
    "unmoved": ({"kind": StopKind.UNMOVED}, unmoved),
}

EDITS = {
    "nothing": lambda session: None,
    "weight": lambda session: session.set("linear1.weight", 2.0, (0, 1)),
    "batch": lambda session: session.set("x", "x * 0"),
    "rate": lambda session: session.set("optimizer.lr", 0.0),
    "skip": lambda session: session.skip("zero_grad", always=True),
    "still": lambda session: session.skip("update", always=True),
}


@functools.cache
def edited(edit: str, event: int) -> tuple:
    session = Session(PROGRAM)
    session.goto(event)
    EDITS[edit](session)
    return session.journal, plain_run(PROGRAM, session.journal)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.sampled_from(sorted(STOPS)), min_size=1, max_size=3, unique=True),
    st.integers(0, EVENTS),
    st.sampled_from(sorted(EDITS)),
    st.sampled_from([0, 7, OPS, 50]),
    st.sampled_from([2**24, 60_000, 1]),
    st.sampled_from([1, 5, 256]),
)
def test_both_directions_stop_where_a_scan_says(
    names: list[str], start: int, edit: str, event: int, budget: int, chunk: int
) -> None:
    """A bug in a filter, a test, the reverse search or a keyframe moves some stop."""
    journal, states = edited(edit, event)
    session = Session(PROGRAM, budget)
    debugger = Debugger(session)
    session._chunk = chunk  # as it is for large tensors
    session.branch.journal = journal
    if 0 in journal.edits:
        session.reenter(0)
    for name in names:
        debugger.stops.add(**STOPS[name][0])
    meanings = [STOPS[name][1] for name in names]
    if edit == "still":  # an update that is left out has not failed to move anything
        meanings = [m for m in meanings if m is not unmoved]
    expected = [p for p in range(EVENTS + 1) if any(m(states, p) for m in meanings)]
    session.goto(start)
    assert places(debugger, forwards) == [p for p in expected if p > start]
    assert session.event == EVENTS
    session.goto(start)
    assert places(debugger, backwards) == [p for p in expected if p < start][::-1]
    assert session.event == 0


@pytest.mark.parametrize("budget", [30_000, 60_000, 120_000])
def test_a_leap_over_known_ground_still_sees_what_the_last_op_wrote(budget: int) -> None:
    """A keyframe right at the place would bring the tensors, but not what changed."""
    session = Session(PROGRAM, budget)
    debugger = Debugger(session)
    session._chunk = 1
    session.set("optimizer.lr", 0.3)
    session.goto(EVENTS)
    debugger.stops.add(StopKind.CHANGE, "linear2.bias[0]")
    session.goto(0)
    assert places(debugger, forwards) == list(range(OPS, EVENTS + 1, OPS))


@pytest.mark.parametrize("name", sorted(STOPS))
def test_every_kind_is_met_somewhere(name: str) -> None:
    """The comparison above would be empty for a stop that no state meets."""
    states = plain_run(PROGRAM)
    if name == "unmoved":
        states = edited("rate", OPS)[1]
    assert any(STOPS[name][1](states, p) for p in range(EVENTS + 1))


def exploding(budget: int = 2**24) -> Session:
    return session_of("bug-exploding", budget=budget)


@pytest.mark.parametrize("kind", [StopKind.NAN, StopKind.INF, StopKind.NONFINITE])
def test_the_first_op_that_makes_something_non_finite(kind: StopKind) -> None:
    bad = {
        StopKind.NAN: np.isnan,
        StopKind.INF: np.isinf,
        StopKind.NONFINITE: lambda a: ~np.isfinite(a),
    }[kind]
    session = exploding()
    debugger = Debugger(session)
    states = plain_run(session.program)

    def tensors(p: int) -> set[str]:
        return {n for n, a in states[p].items() if a.dtype.kind == "f" and bad(a).any()}

    expected = [p for p in range(1, len(states)) if tensors(p) - tensors(p - 1)]
    debugger.stops.add(kind)
    hit = forwards(debugger).hits[0]
    assert hit.event == expected[0]
    assert hit.evidence is not None
    assert {hit.evidence.tensor} == tensors(expected[0])
    where = np.argwhere(bad(states[expected[0]][hit.evidence.tensor]))[0]
    assert hit.evidence.index == tuple(where)
    assert [expected[0], *places(debugger, forwards)] == expected
    assert places(debugger, backwards) == expected[::-1]


def test_the_report_has_stop_tensor_index_and_value() -> None:
    session = Session(PROGRAM)
    debugger = Debugger(session)
    session.goto(OPS)
    stop = debugger.stops.add(StopKind.CHANGE, "linear1.weight")
    old = session.tensors["linear1.weight"]
    (hit,) = forwards(debugger).hits
    new = session.tensors["linear1.weight"]
    assert hit.stop.number == stop.number
    assert hit.evidence is not None
    assert (hit.evidence.tensor, hit.evidence.index) == ("linear1.weight", (0, 0))
    assert (hit.evidence.before, hit.evidence.after) == (old[0, 0], new[0, 0])
    event = session.event - 1
    assert str(hit).startswith("stop 1 (watch linear1.weight): linear1.weight[0, 0]: ")
    assert str(hit).endswith(f"after #{event} i2:update:linear1.weight")


def test_a_gradient_that_vanishes_is_below() -> None:
    session = Session(PROGRAM)
    debugger = Debugger(session)
    debugger.stops.add(StopKind.GRADIENT_BELOW, bound=1e9)
    (hit,) = forwards(debugger).hits
    first = next(op.index for op in PROGRAM.ops if op.phase == "backward")
    assert (session.event, hit.evidence and hit.evidence.note) == (first + 1, "norm")
    debugger.stops.clear()
    debugger.stops.add(StopKind.GRADIENT_BELOW, "linear1.bias.grad", bound=1e9)
    (hit,) = forwards(debugger).hits
    assert hit.evidence is not None
    assert hit.evidence.tensor == "linear1.bias.grad"
    assert hit.evidence.after == np.linalg.norm(session.tensors["linear1.bias.grad"])


def test_ignore_once_log_and_disabled() -> None:
    session = Session(PROGRAM)
    debugger = Debugger(session)
    stop = debugger.stops.add(StopKind.OP, "loss", ignore=2)
    log = debugger.stops.add(StopKind.OP, "update", log="it {iteration}: {loss > 0} {loss*0}")
    off = debugger.stops.add(StopKind.OP, "forward", enabled=False)
    loss = next(op.index for op in PROGRAM.ops if op.phase == "loss")
    outcome, logs = conclude(continue_(session, debugger.stops))
    assert outcome.event == 2 * OPS + loss
    assert logs == ("it 1: True 0", "it 2: True 0")
    assert (debugger.stops.find(stop.number).hits, debugger.stops.find(stop.number).ignore) == (
        3,
        0,
    )
    assert debugger.stops.find(log.number).hits == 2
    assert debugger.stops.find(off.number).hits == 0
    once = debugger.stops.add(StopKind.OP, "backward", once=True)
    assert forwards(debugger).event == 2 * OPS + loss + 1
    assert once.number not in debugger.stops
    debugger.stops.edit(stop.number, ignore=1)
    assert backwards(debugger).event == OPS + loss


def test_a_log_on_the_way_back() -> None:
    session = Session(PROGRAM)
    debugger = Debugger(session)
    session.goto(3 * OPS)
    debugger.stops.add(StopKind.OP, "loss", log="{iteration}")
    outcome, logs = conclude(reverse_continue(session, debugger.stops))
    assert (outcome, logs) == (Outcome(0), ("3", "2", "1"))


def test_a_condition_that_cannot_be_evaluated_stops_and_says_so() -> None:
    session = Session(PROGRAM)
    debugger = Debugger(session)
    debugger.stops.add(StopKind.OP, "update", condition="linear1.weight[event, 0] > 0")
    (hit,) = forwards(debugger).hits
    assert hit.problem is not None
    assert "out of bounds" in hit.problem
    assert session.event % OPS == next(o.index for o in PROGRAM.ops if o.phase == "update")


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("linear1.weight > 0", "(3, 2) is neither true nor false: use any(…)"),
        ("linear1.weight[9, 0] > 0", "index 9 is out of bounds"),
        ("linear1.weight @ linear1.weight > 0", "do not conform"),
        ("x - linear2.weight > 0", "do not broadcast"),
        ("x.grad[0] > 0", "unknown name 'x.grad'"),
    ],
)
def test_what_cannot_be_right_is_said_when_it_is_typed(condition: str, said: str) -> None:
    debugger = Debugger(Session(PROGRAM))
    with pytest.raises(GradstepError, match=re.escape(said)):
        debugger.stops.add(StopKind.OP, "update", condition=condition)
    with pytest.raises(GradstepError, match=re.escape(said)):
        debugger.stops.add(StopKind.WHEN, condition)
    assert list(debugger.stops) == []


def test_what_may_be_right_later_is_not_refused() -> None:
    debugger = Debugger(Session(PROGRAM))
    for condition in (
        "x[10 - iteration, 0] > 0",
        "1/sum(x - x) > 0",
        "any(linear1.weight > 0)",
        "linear1.weight[count_nonzero(x > 0) - 1, 0] > 0",  # with ones it would be 13
    ):
        debugger.stops.add(StopKind.WHEN, condition)
    with mock.patch("engine.stops.lookup.TRIAL_ELEMENTS", 3):  # too large to be tried
        debugger.stops.add(StopKind.WHEN, "linear1.weight > 0")


def test_a_condition_on_what_is_not_computed_yet_is_not_met() -> None:
    session = Session(PROGRAM)
    debugger = Debugger(session)
    debugger.stops.add(StopKind.OP, "zero_grad", condition="loss > 0")
    assert forwards(debugger).event == OPS


def test_an_expression_that_changes_its_type_has_changed() -> None:
    session = Session(PROGRAM)
    found = [conclude(next_change(session, "1 if event > 3 else event > 0"))[0] for _ in range(2)]
    # False, then True at event 1, then the number 1, whose bits are others, at event 4.
    assert [(each.event, each.stopped) for each in found] == [(1, True), (4, True)]


def test_until_and_next_change() -> None:
    session = Session(PROGRAM)
    debugger = Debugger(session)
    states = plain_run(PROGRAM)
    debugger.stops.add(StopKind.OP, "loss")
    expected = next(p for p in range(EVENTS) if "loss" in states[p] and states[p]["loss"] < 0.8)
    assert conclude(until(session, Stop(0, StopKind.WHEN, "loss < 0.8")))[0].event == expected
    again, _ = conclude(until(session, Stop(0, StopKind.WHEN, "loss < 0.8")))
    assert (again.event, again.stopped) == (expected, True)
    moves = [p for p in range(1, EVENTS) if changed_at(states, p)]
    assert conclude(next_change(session, "linear2.bias"))[0].event == min(
        p for p in moves if p > expected
    )
    here = session.event
    assert conclude(next_change(session, "linear2.bias", backwards=True))[0].event == max(
        p for p in moves if p < here
    )
    assert debugger.stops.find(1).hits == 0


def changed_at(states: States, p: int) -> bool:
    return changed(states[p - 1]["linear2.bias"], states[p]["linear2.bias"])


def test_a_run_can_be_left_at_any_yield() -> None:
    session = Session(program(training={"epochs": 300}))
    debugger = Debugger(session)
    debugger.stops.add(StopKind.WHEN, "loss > 1e9")
    run = continue_(session, debugger.stops)
    for expected in (1, 2, 3):
        event = next(run).event
        assert event == session.event
        assert event >= expected * 200
    run.close()
    states = plain_run(program(training={"epochs": 300}))
    here = session.event
    assert session.tensors["linear1.weight"].tolist() == states[here]["linear1.weight"].tolist()


@pytest.mark.parametrize(
    ("kind", "target", "options", "said"),
    [
        (StopKind.OP, "bakward", {}, r"did you mean backward\?.*phases are.*layers are"),
        (StopKind.OP, "linear9.backward", {}, "nothing to stop at called"),
        (StopKind.OP, "relu1.update", {}, "nothing to stop at called"),
        (StopKind.POSITION, "#99999", {}, "outside: ops are at #0 to"),
        (StopKind.POSITION, "i3", {}, "a stop is at an event"),
        (StopKind.CHANGE, "nope", {}, "unknown name 'nope'"),
        (StopKind.OP, "loss", {"condition": "1 +"}, "\\^"),
        (StopKind.OP, "loss", {"log": "{nope}"}, "unknown name"),
        (StopKind.OP, "loss", {"ignore": -1}, "counts from 0"),
        (StopKind.CROSS, "loss", {}, "needs a bound"),
        (StopKind.NAN, "linaer1.out", {}, r"did you mean linear1.out\?"),
    ],
)
def test_stops_that_cannot_be_met_are_refused(kind, target, options, said: str) -> None:
    stops = StopList(PROGRAM)
    with pytest.raises(GradstepError, match=said):
        stops.add(kind, target, **options)
    assert len(stops) == 0


def test_the_list_is_edited_saved_and_loaded() -> None:
    stops = StopList(PROGRAM)
    for options, _ in STOPS.values():
        stops.add(**options)
    stops.edit(3, ignore=2, condition="loss > 1", once=True, log="x")
    stops.enable(2, False)
    stops.delete(1)
    with pytest.raises(GradstepError, match="no stop 1; there are: 2, 3"):
        stops.find(1)
    with pytest.raises(GradstepError, match="nothing to stop"):
        stops.edit(2, target="nowhere")
    assert stops.find(2).target == "linear2"
    loaded = StopList(PROGRAM)
    assert loaded.load(stops.to_list()) == []
    assert list(loaded) == list(stops)
    bad = [{"kind": "x"}, {"kind": "op", "number": 90, "target": "nowhere"}, {"kind": "op"}]
    bad += [{"kind": "op", "number": 91, "target": "loss", "ignore": "many"}]
    bad += [{"kind": "op", "number": 92, "target": "loss", "colour": 1}]
    assert len(loaded.load(bad)) == len(bad)
    assert list(loaded) == list(stops)
    assert loaded.add(StopKind.DEAD).number == len(STOPS) + 1


def test_the_gutter() -> None:
    stops = StopList(PROGRAM)
    op = next(op for op in PROGRAM.ops if op.name == "relu1.out")
    listing = PROGRAM.timeline.listing(0)
    stop = stops.add(StopKind.OP, op.key)
    assert stop.target == "forward:relu1.out"
    assert stops.at_op(listing, op.index) == [stop]
    assert stops.at_op(listing, op.index + 1) == []
    stops.delete(stop.number)
    assert stops.at_op(listing, op.index) == []
