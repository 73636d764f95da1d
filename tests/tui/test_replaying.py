"""The screen on a recording: every key, where values come from, and a run that grows."""

from pathlib import Path

from engine.recording.live import record_run
from engine.recording.replay import open_debugger
from engine.session.session import Session
from tests.engine.recording.recordings import (
    assert_same_tensors,
    opened,
    record,
    writer,
)
from tests.engine.small_experiments import program
from tests.tui.screen import steered
from tui.app import GradstepApp
from tui.replaying import FollowingApp


async def test_keys_go_both_ways_and_an_edit_is_live(tmp_path: Path) -> None:
    path, made = tmp_path / "r.gradstep", program(training={"epochs": 5})
    record(path, made, "full")
    before = path.read_bytes()
    live = Session(made)
    with opened(path) as recording:
        opened_on, _ = open_debugger(recording)
        session = opened_on.session
        app = GradstepApp(opened_on)
        async with steered(app) as shown:
            for keys, event in (
                ("s", 1),
                ("f", 19),
                ("G", made.timeline.end),
                ("S", made.timeline.end - 1),
            ):
                await shown.press(keys)
                assert session.event == event
                live.goto(event)
                assert_same_tensors(live, session)
            assert app.main.view is not None
            assert app.main.view.mode == "REPLAY recorded"
            session.goto(30)
            session.set("linear1.bias", 0.5, (0,))
            await shown.press("s")
            assert app.main.view.mode == "LIVE ⎇ main-1"
            assert "over" not in app.main.view.note
    assert path.read_bytes() == before


async def test_a_recording_is_followed_while_it_grows(tmp_path: Path) -> None:
    path, made = tmp_path / "r.gradstep", program(training={"epochs": 8})
    made_by = writer(path, made, "keyframes")
    steps = record_run(made_by, made, made.timeline.iterations)
    next(steps)
    made_by.commit()
    with opened(path) as recording:
        opened_on, playback = open_debugger(recording)
        session = opened_on.session
        session.goto(session.known)
        app = FollowingApp(opened_on, playback)
        async with steered(app, (100, 30)) as shown:
            for done in steps:
                made_by.commit()
                app.poll()
                await shown.idle()
                assert session.event == done * len(made.ops)
            assert app.main.view is not None
            assert app.main.view.mode == "REPLAY recomputed"
            session.goto(5)
            app.poll()
            assert session.event == 5
        made_by.close()
    assert made_by.failed == ""


async def test_the_end_of_a_recording_is_told(tmp_path: Path) -> None:
    path, made = tmp_path / "r.gradstep", program(training={"epochs": 5})
    steps = record_run(part := writer(path, made, "full"), made, 2)
    for _ in steps:
        pass
    part.close()
    with opened(path) as recording:
        opened_on, _ = open_debugger(recording)
        session = opened_on.session
        app = GradstepApp(opened_on)
        async with steered(app) as shown:
            for keys, told in (("f", False), ("f", False), ("f", True), ("f", False)):
                await shown.press(keys)
                assert app.main.view is not None
                assert ("the recording is over" in app.main.view.note) == told, session.event
