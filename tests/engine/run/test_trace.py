"""The wall bears: everything that steps, stops and looks works on a run that no program made."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.debugger import Debugger
from engine.errors import GradstepError
from engine.run.phases import Phase
from engine.run.position import Granularity
from engine.run.position_text import format_position, parse_position
from engine.session.badges import badge
from engine.session.session import Session
from engine.stops.run_control import conclude, continue_, reverse_continue, until
from engine.stops.stop import Stop, StopKind
from engine.words.language import CommandLine
from tests.engine.plain_run import same_tensors
from tests.engine.run.captured import EPOCH, KINDS, CapturedRun, captured

RUN = captured()
END = RUN.timeline.end
OPS = [RUN.timeline.op(event) for event in range(END)]
BUDGETS = (0, 1500, 2**20)


def debugger(run: CapturedRun = RUN, event: int = 0, budget: int = 2**20) -> Debugger:
    session = Session(run, budget)
    session.goto(event)
    return Debugger(session)


def test_the_run_is_what_it_should_be() -> None:
    assert len({len(kind) for kind in KINDS}) > 2
    assert len(RUN.timeline.listings) == 7  # like iterations share one
    assert END == sum(len(kind) + kind.count("b") for kind in KINDS) == len(RUN.states) - 1


@pytest.mark.parametrize("budget", BUDGETS)
def test_forwards_and_back_at_every_event(budget: int) -> None:
    session = Session(RUN, budget)
    for event in (*range(END + 1), *range(END, -1, -1)):
        session.goto(event)
        assert same_tensors(session.tensors, RUN.states[event]), event
        assert session.op is (OPS[event] if event < END else None)


MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("goto"), st.integers(0, END)),
        st.tuples(st.sampled_from(list(Granularity)), st.integers(-4, 4)),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(MOVES, st.sampled_from(BUDGETS), st.integers(1, 9))
def test_any_walk_has_the_bits_of_the_run(moves, budget, chunk) -> None:
    session = Session(RUN, budget)
    session._chunk = chunk
    for what, value in moves:
        if what == "goto":
            session.goto(value)
        else:
            session.step(value, what)
        assert same_tensors(session.tensors, RUN.states[session.event])
        last = session.last_event()
        assert last is None or last.op is OPS[session.event - 1]


def test_steps_of_every_size_lead_where_a_scan_says() -> None:
    begins = [RUN.timeline.begin(i) for i in range(len(KINDS))]
    starts = {
        Granularity.OP: range(END + 1),
        Granularity.PHASE: [
            e for e in range(END) if e in begins or OPS[e].phase != OPS[e - 1].phase
        ],
        Granularity.ITERATION: begins,
        Granularity.EPOCH: begins[::EPOCH],
    }
    for size, places in starts.items():
        for event in range(END + 1):
            later = [place for place in places if place > event] or [END]
            earlier = [place for place in places if place < event] or [0]
            assert RUN.timeline.boundary(event, size, 1) == later[0]
            assert RUN.timeline.boundary(event, size, -1) == earlier[-1]


def test_every_form_of_position() -> None:
    at = debugger(event=RUN.timeline.begin(4) + 2)
    at.bookmarks.mark("here", 7)
    for event in range(END + 1):
        assert parse_position(format_position(RUN, event), at) == event
    third = RUN.timeline.begin(2)
    found = {
        "#5": 5,
        "5": 5,
        "i3": third,
        "i3:backward": third + 2,
        "i3:backward:dtheta": third + 3,
        "i3:backward:weight.grad": third + 3,
        "i3:update:net": third + 4,
        "loss": at.event,
        "e2": RUN.timeline.begin(EPOCH),
        "50%": END // 2,
        "+3": at.event + 3,
        "-3": at.event - 3,
        "start": 0,
        "end": END,
        "'here": 7,
    }
    assert {text: parse_position(text, at) for text in found} == found
    for text, words in {
        "i4:backward": "'backward' is no phase of this program: forward",
        "i10": "the run has iterations 1 to 9",
        "e4": "the run has epochs 1 to 3",
        f"#{END + 1}": f"the run has events #0 to {END}",
    }.items():
        with pytest.raises(GradstepError, match=words):
            parse_position(text, at)


def met(debugger: Debugger, run) -> list[int]:
    """Every place at which a way through the run stops."""
    found = []
    while (outcome := conclude(run(debugger.session, debugger.stops))[0]).stopped:
        found.append(outcome.event)
    return found


def first_of(phase: Phase) -> list[int]:
    starts = [RUN.timeline.begin(i) for i in range(len(KINDS))]
    inside = [[e for e in range(a, b) if OPS[e].phase == phase] for a, b in spans(starts)]
    return [events[0] for events in inside if events]


def spans(starts: list[int]) -> list[tuple[int, int]]:
    return list(zip(starts, [*starts[1:], END], strict=True))


def changes(name: str) -> list[int]:
    """Where the cursor stands when a tensor has got other bits."""
    before, found = None, []
    for event, state in enumerate(RUN.states):
        now = state[name].tobytes() if name in state else None
        if event and now is not None and now != before:
            found.append(event)
        before = now
    return found


STOPS = {
    "a phase": ({"kind": StopKind.OP, "target": "update"}, first_of(Phase.UPDATE)),
    "an op": (
        {"kind": StopKind.OP, "target": "backward:dtheta"},
        [e for e, op in enumerate(OPS) if op.key == "backward:dtheta"],
    ),
    "every op of a name": (
        {"kind": StopKind.OP, "target": "dtheta"},
        [e for e, op in enumerate(OPS) if op.name == "dtheta"],
    ),
    "a layer in a phase": ({"kind": StopKind.OP, "target": "net.loss"}, first_of(Phase.LOSS)),
    "a position": ({"kind": StopKind.POSITION, "target": "#11"}, [11]),
    "a condition": (
        {"kind": StopKind.OP, "target": "forward", "condition": "objective > 3"},
        [
            e
            for e in first_of(Phase.FORWARD)
            if "objective" in RUN.states[e] and RUN.states[e]["objective"] > 3
        ],
    ),
    "a change": ({"kind": StopKind.CHANGE, "target": "theta[0]"}, changes("theta")),
    "a change by a batch": ({"kind": StopKind.CHANGE, "target": "images"}, changes("images")),
}


@pytest.mark.parametrize("budget", BUDGETS)
@pytest.mark.parametrize("name", STOPS)
def test_stops_are_met_where_a_scan_says_in_both_directions(name: str, budget: int) -> None:
    options, expected = STOPS[name]
    at = debugger(budget=budget)
    at.stops.add(**options)
    assert met(at, continue_) == [place for place in expected if place > 0]
    assert at.event == END
    assert met(at, reverse_continue) == [place for place in expected if place < END][::-1]


def test_the_gutter_of_an_iteration_has_its_own_stops() -> None:
    at = debugger()
    at.stops.add(StopKind.OP, "update")
    marked = [
        [op.index for op in listing.ops if at.stops.at_op(listing, op.index)]
        for listing in RUN.timeline.order
    ]
    assert marked == [[kind.replace("b", "bb").index("u")] if "u" in kind else [] for kind in KINDS]


def test_until_a_condition() -> None:
    at = debugger()
    outcome, _ = conclude(until(at.session, Stop(0, StopKind.WHEN, "iteration == 5")))
    assert outcome.event == RUN.timeline.begin(4)


def test_unknown_targets_are_named() -> None:
    with pytest.raises(GradstepError, match=r"nothing to stop at called .bakward.*did you mean"):
        debugger().stops.add(StopKind.OP, "bakward")


def test_watches_go_with_the_cursor_and_know_their_past() -> None:
    at = debugger()
    at.watches.add("objective")
    at.watches.add("iteration")
    for event in range(END + 1):
        at.session.goto(event)
        loss, number = at.watches.values(at.session)
        state = RUN.states[event]
        assert loss.value is None or float(loss.value) == float(state["objective"])
        assert (loss.value is None) == ("objective" not in state)
        assert number.value == RUN.timeline.iteration(event) + 1
    known = [float(state["objective"]) for state in RUN.states if "objective" in state]
    distinct = [known[0], *(b for a, b in itertools.pairwise(known) if a != b)]
    assert at.watches.spark(at.session, "objective") == distinct


def truth(event: int) -> str:
    """The badge of theta at a cursor position, by going through the ops before it."""
    kind, count = "none", 0
    for op in OPS[:event]:
        if op.phase == Phase.ZERO_GRAD:
            kind, count = "zeroed", 0
        elif op.key == "backward:dtheta":
            count += 1
            kind = "fresh" if count == 1 else f"accumulated ×{count}"
        elif op.name == "theta" and count:
            kind = "stale"
    return kind


def test_badges_are_what_a_scan_says() -> None:
    at = debugger()
    for event in (*range(END + 1), *range(END, -1, -1)):
        at.session.goto(event)
        assert str(badge(at.session, "theta")) == truth(event), event


def test_losses_are_those_of_the_iterations_that_have_one() -> None:
    session = Session(RUN)
    session.goto(END)
    expected = [
        float(RUN.states[e + 1]["objective"]) for e, op in enumerate(OPS) if op.phase == Phase.LOSS
    ]
    assert session.losses.tolist() == expected
    session.goto(RUN.timeline.begin(4))
    assert session.losses.tolist() == expected[:3]  # the fourth iteration only looks


@pytest.mark.parametrize(
    "change",
    [
        lambda session: session.set("theta", 1.0),
        lambda session: session.skip("update"),
    ],
)
def test_what_the_source_does_not_allow_is_refused_with_its_reason(change) -> None:
    session = Session(RUN)
    session.goto(9)
    with pytest.raises(GradstepError, match="the script has run: what it did can be looked at"):
        change(session)
    assert same_tensors(session.tensors, RUN.states[9])
    with pytest.raises(GradstepError, match="captured"):
        _ = session.program


def test_the_words_of_the_command_line() -> None:
    commands = CommandLine(debugger())
    assert commands.execute("b update if objective > 1").ok
    assert "stop 1" in commands.execute("c").lines[0]
    assert commands.execute("rs").data["at"]["event"] == commands.debugger.event
    listed = commands.execute("list").lines
    assert [line for line in listed if "▶" in line] == [" ▶  dtheta …"]
    assert commands.execute("to forward").data["at"]["phase"] == "forward"
    assert commands.execute("info tensors").data["tensors"][4]["name"] == "theta"
    with pytest.raises(GradstepError, match="no edit here"):
        commands.execute("set theta = 1")
    assert "i2:update" not in commands.complete("b i2:")


def test_it_grows_while_it_is_looked_at() -> None:
    run = captured(KINDS[:2], over=False)
    session = Session(run)
    assert run.timeline.length is None
    session.goto(10**6)
    assert session.event == run.timeline.end == len(run.states) - 1
    for seed, kind in enumerate(KINDS[2:], 2):
        run.iterate(kind, seed)
        session.refresh()
        assert same_tensors(session.tensors, run.states[session.event])
        session.step(1, Granularity.ITERATION)
        assert session.event == run.timeline.end
        assert same_tensors(session.tensors, run.states[session.event])
        session.step(-1)
        session.step(-2, Granularity.ITERATION)
        assert same_tensors(session.tensors, run.states[session.event])
        session.goto(run.timeline.end)
    run.timeline.over = True
    assert run.timeline.length == END
    for event in range(END, -1, -1):
        session.goto(event)
        assert same_tensors(session.tensors, run.states[event])


def test_it_grows_in_the_middle_of_an_iteration() -> None:
    run = captured(KINDS[:1], over=False)
    session = Session(run)
    session.goto(run.timeline.end)
    rng = np.random.default_rng(1)
    batch = {"images": rng.normal(size=(3, 2)), "labels": rng.normal(size=3)}
    run.source.batches.append(batch)
    run.states[-1] = run.states[-1] | batch
    for kind in "flbu":
        from tests.engine.run.captured import STEPS

        for phase, writes, adds, result in STEPS[kind]:
            run.happen(phase, writes, adds, result(run.states[-1]))
            session.refresh()
            session.step()
            assert session.event == run.timeline.end
            assert same_tensors(session.tensors, run.states[-1])
            session.step(-1)
            assert same_tensors(session.tensors, run.states[-2])
            session.step()
    run.timeline.end_iteration()
    session.goto(0)
    session.goto(run.timeline.end)
    assert same_tensors(session.tensors, run.states[-1])
