"""The screen on a recording: every key, where values come from, and a run that grows."""

from collections.abc import Callable
from pathlib import Path

import pytest

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
        app = FollowingApp(opened_on, playback.refresh)
        async with steered(app, (100, 30)) as shown:
            for done in steps:
                made_by.commit()
                app.poll()
                await shown.idle()
                assert session.event == done * len(made.ops)
            assert app.main.view is not None
            assert app.main.view.mode == "FOLLOW  REPLAY recomputed"
            session.goto(5)
            app.poll()
            assert session.event == 5
        made_by.close()
    assert made_by.failed == ""


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def damaged(path: Path) -> None:
    content = path.read_bytes()
    with path.open("r+b") as file:  # the very file, as a failing disk would
        file.write(b"\xa5" * len(content))


def replaced(path: Path) -> None:
    new = path.with_name("new")
    record(new, program(training={"epochs": 2}), "full")
    new.replace(path)


LOSSES = {
    emptied: "cut off: 0 bytes are left",
    truncated: "cut off: ",
    damaged: "damaged",
    replaced: "another file has taken its place",
    Path.unlink: "the file is gone",
}


@pytest.mark.parametrize("lose", LOSSES, ids=lambda lose: lose.__name__)
@pytest.mark.parametrize("store", ["full", "keyframes"])
async def test_a_followed_file_that_is_lost_is_told_and_survived(
    lose: Callable[[Path], None], store: str, tmp_path: Path
) -> None:
    path, made = tmp_path / "r.gradstep", program(training={"epochs": 40})
    made_by = writer(path, made, store)
    steps = record_run(made_by, made, made.timeline.iterations)
    for _ in range(10):
        next(steps)
        made_by.commit()
    made_by.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with opened(path) as recording:
        opened_on, playback = open_debugger(recording)
        session = opened_on.session
        session.goto(session.known)
        app = FollowingApp(opened_on, playback.refresh)
        async with steered(app, (100, 30)) as shown:
            app.poll()
            lose(path)
            recording.reader.connection.execute("PRAGMA cache_size = 0")
            app.poll()
            app.poll()
            await shown.idle()
            assert app.main.view is not None
            assert app.main.view.note.startswith("no longer followed: ")
            assert LOSSES[lose] in app.main.view.note
            known = session.known
            for keys in ("g", "s", "f", "G", "S", "n"):  # every step is there, or executed
                await shown.press(keys)
            app.poll()
            assert session.known >= known


async def test_a_file_that_comes_back_is_followed_again(tmp_path: Path) -> None:
    path, made = tmp_path / "r.gradstep", program(training={"epochs": 8})
    made_by = writer(path, made, "keyframes")
    steps = record_run(made_by, made, made.timeline.iterations)
    next(steps)
    made_by.commit()
    with opened(path) as recording:
        opened_on, playback = open_debugger(recording)
        session = opened_on.session
        session.goto(session.known)
        app = FollowingApp(opened_on, playback.refresh)
        async with steered(app, (100, 30)) as shown:
            path.rename(tmp_path / "elsewhere")
            app.poll()
            await shown.idle()
            assert app.main.view is not None
            assert "the file is gone" in app.main.view.note
            (tmp_path / "elsewhere").rename(path)
            next(steps)
            made_by.commit()
            app.poll()
            await shown.idle()
            assert session.event == 2 * len(made.ops)
        made_by.close()


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
