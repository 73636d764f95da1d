"""Recorded, then replayed: the same bits at every event, in both stores, closed or killed."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.debugger import Debugger
from engine.errors import GradstepError
from engine.recording.replay import DIFFERS, LIVE, RECOMPUTED, RECORDED, open_debugger
from engine.run.position import Granularity
from engine.session.session import Session
from tests.engine.recording.recordings import (
    assert_same_tensors,
    opened,
    record,
    record_session,
    replayed,
    verdict,
)
from tests.engine.small_experiments import experiment, program

TABLES: list[dict[str, Any]] = [
    {"training": {"epochs": 4}},
    {"data": {"batch_size": 3, "shuffle": True}, "training": {"epochs": 3}},
    {"optimizer": {"type": "adam", "lr": 0.05}, "training": {"epochs": 4}},
    {"optimizer": {"type": "sgd", "momentum": 0.9}, "dtype": "float32", "training": {"epochs": 4}},
    {"training": {"epochs": 4, "skip": ["zero_grad"]}},
    {
        "schedule": {"type": "step", "step_size": 1},
        "clip": {"norm": 0.5},
        "data": {"batch_size": 3},
    },
    {
        "optimizer": {
            "lr": 0.1,
            "lines": "v = 0.9*v + 0.1*g\ntheta = theta - lr*v/(1 - 0.9**t)",
            "slots": {"v": {"linear1.bias": [0.5, 0.0, -0.5]}},
        },
        "layers": [{"type": "linear", "out": 3, "lr": 0.02}, {"type": "linear", "out": 1}],
        "schedule": {"type": "step", "step_size": 1},
    },
    {"training": {"epochs": 4, "order": ["forward", "loss", "zero_grad", "backward", "update"]}},
]
STORES = ["full", "keyframes"]
ACTION = st.one_of(
    st.tuples(st.just("goto"), st.floats(0, 1)),
    st.tuples(st.just("step"), st.integers(-20, 20)),
    st.tuples(st.just("set"), st.sampled_from(["linear1.bias", "optimizer.lr", "x", "loss"])),
    st.tuples(st.just("skip"), st.sampled_from(["update", "zero_grad", "loss"])),
    st.tuples(st.just("switch"), st.integers(0, 5)),
    st.tuples(st.just("record"), st.none()),
    st.tuples(st.just("mark"), st.text(max_size=5)),
)


def act(debugger: Debugger, action: tuple[str, Any]) -> None:
    session, (name, value) = debugger.session, action
    match name:
        case "goto":
            session.goto(int(value * session.program.timeline.end))
        case "step":
            session.step(value)
        case "set":
            session.set(value, 0.37)
        case "skip":
            session.skip(value, always=True)
        case "switch":
            names = [branch.name for branch in session.branches]
            session.branches.switch(names[value % len(names)])
        case "mark":
            debugger.bookmarks.mark("", session.event, value)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(TABLES),
    st.sampled_from(STORES),
    st.booleans(),
    st.lists(ACTION, max_size=14),
    st.lists(st.floats(0, 1), min_size=3, max_size=6),
)
def test_a_replay_has_the_bits_of_the_session(
    tables: dict[str, Any],
    store: str,
    killed: bool,
    actions: list[tuple[str, Any]],
    looks: list[float],
) -> None:
    session = Session(program(**tables))
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "run.gradstep")
        debugger = Debugger(session)
        recorder = record_session(path, debugger, store)
        for action in actions:
            if action[0] == "record":
                recorder.update()
                continue
            try:
                act(debugger, action)
            except GradstepError:  # an edit that does not fit here
                continue
        recorder.update()
        if killed:  # what a kill leaves behind: the file and its log, not closed
            copy = Path(directory, "killed.gradstep")
            for suffix in ("", "-wal"):
                shutil.copy(f"{path}{suffix}", f"{copy}{suffix}")
            path = copy
        recorder.writer.close()
        assert recorder.writer.failed == ""
        with opened(path) as recording:
            again, playback = open_debugger(recording)
            assert_same_marks(debugger, again)
            assert_replays(session, again.session, looks)
            assert set(playback.statuses.values()) <= {RECORDED if store == "full" else RECOMPUTED}
            assert playback.trouble == ""


def assert_same_marks(a: Debugger, b: Debugger) -> None:
    marks = [[(m.name, m.event, m.text) for m in one.bookmarks.values()] for one in (a, b)]
    assert marks[0] == marks[1]


def assert_replays(session: Session, replay: Session, looks: list[float]) -> None:
    assert [b.name for b in replay.branches] == [b.name for b in session.branches]
    for branch in list(session.branches):
        for one in (session, replay):
            one.branches.switch(branch.name)
        assert replay.known == session.known
        assert list(replay.journal) == list(session.journal)
        for share in (1.0, *looks, 0.0):
            for one in (session, replay):
                one.goto(int(share * branch.known))
            assert_same_tensors(session, replay)
            assert np.array_equal(replay.losses, session.losses, equal_nan=True)
            session.step(-1)
            replay.step(-1)
            assert_same_tensors(session, replay)


@pytest.mark.parametrize("store", STORES)
def test_every_event_both_ways(store: str, tmp_path: Path) -> None:
    made = program(data={"batch_size": 3, "shuffle": True}, training={"epochs": 9})
    record(tmp_path / "r.gradstep", made, store)
    live = Session(made)
    with opened(tmp_path / "r.gradstep") as recording:
        replay, playback = replayed(recording)
        assert replay.known == made.timeline.end
        for _ in range(made.timeline.end):
            live.step()
            replay.step()
            assert_same_tensors(live, replay)
        for _ in range(made.timeline.end):
            live.step(-1)
            replay.step(-1)
            assert_same_tensors(live, replay)
        expected = RECORDED if store == "full" else RECOMPUTED
        assert set(playback.statuses.values()) == {expected}


@pytest.mark.parametrize("budget", [2_000, 10_000_000])
@pytest.mark.parametrize("store", STORES)
def test_a_seek_starts_at_the_keyframe_that_was_recorded_before_it(
    store: str, budget: int, tmp_path: Path
) -> None:
    """However far apart the session's own keyframes are, and wherever it has been before."""
    made = program(training={"epochs": 500})
    record(tmp_path / "r.gradstep", made, store)
    with opened(tmp_path / "r.gradstep") as recording:
        replay, playback = replayed(recording, budget)
        known, executed = playback.produce, list[int]()

        def produce(branch: Any, event: int, op: Any, tensors: Any) -> Any:
            executed.append(event)
            return known(branch, event, op, tensors)

        playback.produce = produce  # type: ignore[method-assign]
        end, ops = made.timeline.end, len(made.ops)
        for event in (end - 1, end // 3, end // 2 + 5, 7 * ops, end // 3, end // 5 - 1, end):
            executed.clear()
            replay.goto(event)
            assert len(executed) <= 2 * recording.run.spacing * ops
            live = Session(made)
            live.goto(event)
            assert_same_tensors(live, replay)


@pytest.mark.parametrize("store", STORES)
def test_a_what_if_is_live_and_leaves_the_file_as_it_is(store: str, tmp_path: Path) -> None:
    path, made = tmp_path / "r.gradstep", program(training={"epochs": 20})
    record(path, made, store)
    before = path.read_bytes()
    live = Session(made)
    with opened(path) as recording:
        replay, _ = replayed(recording)
        for session in (live, replay):
            session.goto(made.timeline.end)
            session.goto(100)
            session.set("linear1.weight", 0.5, (0, 0))
            session.step(3, Granularity.ITERATION)
        assert replay.branch.name == "main-1"
        assert_same_tensors(live, replay)
        source = replay.source
        assert source is not None
        assert source.status(replay.branch, 120) == LIVE
        assert source.status(replay.branch, 90) != LIVE
        for session in (live, replay):
            session.goto(50)
        assert_same_tensors(live, replay)
        for session in (live, replay):
            session.branches.switch("main")
            session.goto(made.timeline.end)
        assert_same_tensors(live, replay)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["r.gradstep"]


@pytest.mark.parametrize("store", STORES)
def test_an_op_that_writes_less_than_it_could_leaves_the_others_their_places(
    store: str, tmp_path: Path
) -> None:
    """Without a gradient Adam writes the parameter and no slots."""
    less = {"epochs": 3, "skip": ["zero_grad", "backward"]}
    made = program(optimizer={"type": "adam"}, training=less)
    record(tmp_path / "r.gradstep", made, store)
    found = verdict(tmp_path / "r.gradstep")
    assert (found.events, found.divergence, found.damage) == (made.timeline.end, None, [])
    with opened(tmp_path / "r.gradstep") as recording:
        replay, playback = replayed(recording)
        replay.goto(made.timeline.end)
        expected = RECORDED if store == "full" else RECOMPUTED
        assert set(playback.statuses.values()) == {expected}


def test_stored_tensors_are_read_and_not_computed(tmp_path: Path) -> None:
    """The recorded values are shown even where this machine computes others."""
    path, made = tmp_path / "r.gradstep", program(training={"epochs": 3})
    record(path, made, "full")
    with opened(path) as recording:
        replay, playback = replayed(recording)
        forward = next(op for op in replay.program.ops if op.name == "linear1.out")
        object.__setattr__(forward, "run", lambda tensors: (np.zeros((7, 3)),))
        replay.goto(forward.index + 1)
        expected = Session(made)
        expected.goto(forward.index + 1)
        assert_same_tensors(expected, replay)
        assert playback.status(replay.branch, forward.index) == RECORDED


def test_a_result_that_is_not_the_recorded_one_is_marked(tmp_path: Path) -> None:
    path, made = tmp_path / "r.gradstep", program(training={"epochs": 3})
    record(path, made, "keyframes")
    with opened(path) as recording:
        replay, playback = replayed(recording)
        forward = next(op for op in replay.program.ops if op.name == "linear1.out")
        run = forward.run
        object.__setattr__(forward, "run", lambda tensors: (np.nextafter(run(tensors)[0], 9.0),))
        replay.goto(forward.index + 1)
        assert playback.status(replay.branch, forward.index) == DIFFERS
        assert playback.status(replay.branch, forward.index - 1) == RECOMPUTED


def test_the_file_alone_is_enough(tmp_path: Path) -> None:
    """Data that came from a file beside the experiment is inside."""
    data = tmp_path / "d.csv"
    data.write_text("a,b,c\n1,2,x\n3,4,y\n5,7,x\n")
    tables = {
        "data": {"csv": str(data), "inputs": ["a", "b"], "targets": ["c"], "standardize": True},
        "loss": {"type": "cross_entropy"},
    }
    from engine.experiment.reader import read_experiment
    from engine.program.compiler import compile_program
    from tests.engine.small_experiments import document

    raw = document(loss=tables["loss"], layers=[{"type": "linear", "out": 2}])
    raw["data"] = tables["data"]
    made = compile_program(read_experiment(raw, "t.toml"))
    record(tmp_path / "r.gradstep", made, "keyframes")
    data.unlink()
    found = verdict(tmp_path / "r.gradstep")
    assert found.good
    with opened(tmp_path / "r.gradstep") as recording:
        assert recording.program.data.classes == ("x", "y")
        assert recording.program.data.inputs == ("a", "b")


def test_numbers_that_json_lacks_survive(tmp_path: Path) -> None:
    made_from = experiment(
        data={"x": [[float("nan"), 1.0], [float("inf"), -2.0]], "y": [[1.0]] * 2}
    )
    from engine.program.compiler import compile_program

    record(tmp_path / "r.gradstep", compile_program(made_from), "full")
    with opened(tmp_path / "r.gradstep") as recording:
        found = recording.experiment.data.x
        assert found is not None
        assert np.array_equal(found, made_from.data.x or [], equal_nan=True)
        losses = recording.losses(recording.branches["main"])
        assert np.isnan(losses).all()
