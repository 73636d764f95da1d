"""The timeline of a captured run answers as the tests' own does, question by question.

That one is made of lists and scans (tests/engine/run/captured.py); its run is told to a writer
here, and read again.
"""

import itertools
from collections.abc import Iterator

import numpy as np
import pytest

from engine.capture.captured import CapturedRun
from engine.debugger import Debugger
from engine.run.phases import Phase
from engine.run.position import Granularity
from engine.run.position_text import format_position, parse_position
from engine.run.timeline import Which, begun, completed, every_op, every_phase, shifted
from engine.session.badges import badge
from engine.session.session import Session
from engine.stops.run_control import conclude, continue_, reverse_continue
from engine.stops.stop import StopKind
from tests.engine.capture.captures import opened
from tests.engine.capture.told import Teller, writer_at
from tests.engine.plain_run import same_tensors
from tests.engine.run.captured import KINDS, captured

TOY = captured()
END = TOY.timeline.end


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CapturedRun]:
    path = tmp_path_factory.mktemp("toy") / "r.gradstep"
    teller = Teller(writer_at(path))
    ids = {
        name: teller.tensor(
            name, info.role, np.zeros(info.shape), module=info.layer, gradient_of=info.gradient_of
        )
        for name, info in TOY.tensors.items()
    }
    for iteration in range(len(KINDS)):
        begin = TOY.timeline.begin(iteration)
        for name in ("theta", *TOY.entering) if not iteration else TOY.entering:
            teller.given(name, TOY.tensors[name].role, TOY.states[begin][name])
        for event in range(begin, TOY.timeline.begin(iteration + 1)):
            op = TOY.timeline.op(event)
            writes = {op.name: (ids[op.name], TOY.states[event + 1][op.name])}
            phase = Phase.FORWARD if op.phase == Phase.LOSS else op.phase
            teller.happen(phase, op.name, "made", {}, writes, adds=op.adds, module="net")
        losses = tuple(
            op.index for op in TOY.timeline.listing(iteration).ops if op.phase == Phase.LOSS
        )
        teller.end_iteration(ids["objective"] if losses else None, losses)
    teller.end()
    with opened(path) as found:
        yield found


def test_the_runs_are_alike(run: CapturedRun) -> None:
    assert [run.timeline.op(e).key for e in range(END)] == [
        TOY.timeline.op(e).key for e in range(END)
    ]
    assert len(run.timeline.listings) == len(TOY.timeline.listings)
    assert (run.loss, run.loss_op) == ("objective", "objective")


def test_where_events_lie(run: CapturedRun) -> None:
    ours, theirs = run.timeline, TOY.timeline
    for event in range(END + 1):
        found, expected = ours.position(event), theirs.position(event)
        assert (found.event, found.iteration, found.op) == (
            expected.event, expected.iteration, expected.op,
        )  # fmt: skip
        assert ours.iteration(event) == theirs.iteration(event)
        assert ours.elapsed(event) == theirs.elapsed(event)
        for ask in (completed, begun):
            assert ask(ours, event) == ask(theirs, event)
        assert shifted(ours, event, 2) == shifted(theirs, event, 2)
    for iteration in range(len(KINDS) + 2):
        assert ours.begin(iteration) == theirs.begin(iteration)
    with pytest.raises(IndexError):
        ours.op(END)
    assert ours.length == END


@pytest.mark.parametrize("size", [Granularity.OP, Granularity.PHASE, Granularity.ITERATION])
def test_steps(size: Granularity, run: CapturedRun) -> None:
    for event, count in itertools.product(range(END + 1), range(-5, 6)):
        expected = TOY.timeline.boundary(event, size, count)
        assert run.timeline.boundary(event, size, count) == expected, (event, count)


def test_the_next_and_the_last_of_everything(run: CapturedRun) -> None:
    ours, theirs = run.timeline, TOY.timeline
    asked = [
        *(Which(op=op.key) for op in every_op(theirs)),
        *(Which(writes=name) for name in TOY.tensors),
        *(Which(phase=phase) for phase in Phase),
        Which(op="nothing"),
    ]
    for which, event in itertools.product(asked, range(-2, END + 3)):
        assert ours.last_place(event, which) == theirs.last_place(event, which), (which, event)
        assert ours.next_place(event, which) == theirs.next_place(event, which), (which, event)


def test_counts(run: CapturedRun) -> None:
    ours, theirs = run.timeline, TOY.timeline
    for op in every_op(theirs):
        for event in range(END + 1):
            assert ours.count(op.key, event) == theirs.count(op.key, event)
        for count in (0, 2, 100):
            assert ours.times(op.key, count).tolist() == theirs.times(op.key, count).tolist()
        for start, stop in ((0, 3), (1, 2), (2, 100)):
            found = ours.iterations_of(op.key, start, stop)
            assert found.tolist() == theirs.iterations_of(op.key, start, stop).tolist()
    assert every_phase(ours) == every_phase(theirs)


def test_a_session_goes_everywhere(run: CapturedRun) -> None:
    session = Session(run, 1500)
    for event in (*range(END + 1), *range(END, -1, -1), END // 2, END, 3):
        session.goto(event)
        assert same_tensors(session.tensors, TOY.states[event]), event
    session.goto(END)
    expected = Session(TOY)
    expected.goto(END)
    assert session.losses.tolist() == expected.losses.tolist()


def test_badges_and_positions(run: CapturedRun) -> None:
    ours, theirs = Debugger(Session(run)), Debugger(Session(TOY))
    for event in range(END + 1):
        for one in (ours, theirs):
            one.session.goto(event)
        assert badge(ours.session, "theta") == badge(theirs.session, "theta"), event
        assert parse_position(format_position(run, event), ours) == event


STOPS = [
    {"kind": StopKind.OP, "target": "update"},
    {"kind": StopKind.OP, "target": "backward:dtheta"},
    {"kind": StopKind.OP, "target": "forward", "condition": "objective > 3"},
    {"kind": StopKind.CHANGE, "target": "theta[0]"},
    {"kind": StopKind.CHANGE, "target": "images"},
]


@pytest.mark.parametrize("options", STOPS)
def test_stops(options, run: CapturedRun) -> None:
    met = []
    for one in (run, TOY):
        debugger, found = Debugger(Session(one, 1500)), []
        debugger.stops.add(**options)
        for way in (continue_, reverse_continue):
            while (outcome := conclude(way(debugger.session, debugger.stops))[0]).stopped:
                found.append(outcome.event)
        met.append(found)
    assert met[0] == met[1] != []
