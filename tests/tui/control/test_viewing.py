"""What is looked at is recorded with the run, and shown again when it is replayed."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from engine.debugger import Debugger
from engine.recording.reader import Reader
from engine.recording.recorded import Recording
from engine.recording.replay import open_debugger
from engine.session.session import Session
from engine.session.views import MOST, Views
from tests.engine.small_experiments import built_in
from tests.tui.screen import Opened, debugger, steered
from tests.tui.typist import note, run_line
from tui.app import GradstepApp
from tui.control.recording import RecordingControl
from tui.replaying import FollowingApp

RECORDINGS = Path(__file__).parents[2] / "recordings"


@pytest.fixture
async def recorded(tmp_path: Path) -> Path:
    """A recording of somebody who looks at z1 large, then at the chain, then at the timeline."""
    file = tmp_path / "a.gradstep"
    async with debugger("regression") as shown:
        main = shown.main
        main.parts.recording.start(file)
        await shown.press("n", "s")
        main.parts.panes.go_to("tensor")
        main.parts.follow.tensor("linear1.out")
        await shown.press("z", "n", "n", "z")
        main.parts.panes.go_to("chain")
        await shown.press("s", "s")
        main.parts.panes.go_to("timeline")
        await shown.press("s")
        main.parts.recording.stop()
    return file


@asynccontextmanager
async def replayed(file: Path) -> AsyncIterator[Opened]:
    with_file = Reader(file)
    try:
        async with steered(GradstepApp(open_debugger(Recording(with_file))[0])) as shown:
            yield shown
    finally:
        with_file.close()


async def test_views_are_recorded_with_their_events(recorded: Path) -> None:
    rows = sqlite3.connect(recorded).execute("SELECT event, text FROM view ORDER BY event")
    assert list(rows) == [
        (5, "view tensor linear1.out zoom"),
        (9, "view chain linear1.out sample 0 numerator"),
        (11, "view timeline linear1.out"),
    ]


async def test_a_replay_shows_what_was_looked_at(recorded: Path) -> None:
    async with replayed(recorded) as shown:
        panes = shown.main.parts.panes
        await shown.press("n", "s")
        assert (panes.pane, panes.zoomed, shown.main.view.tensor) == ("tensor", True, "linear1.out")
        await shown.press("n", "n")
        assert (panes.pane, panes.zoomed) == ("chain", False)
        await shown.press("N", "N")
        assert (panes.pane, panes.zoomed) == ("tensor", True)
        await shown.press("G")
        assert panes.pane == "timeline"


async def test_sample_layout_factor_drawing_and_sizes_are_shown_again(tmp_path: Path) -> None:
    file = tmp_path / "a.gradstep"
    async with debugger("regression") as shown:
        shown.main.parts.recording.start(file)
        await shown.press("e", "4")
        shown.main.parts.follow.tensor("linear1.weight.grad")
        await shown.press("l", "greater_than_sign", "greater_than_sign", "right", "right", "s")
        await shown.press("1", "shift+right", "shift+right", "shift+up", "s", "2", "h", "s")
        sizes = dict(shown.main.parts.panes.sizes)
        shown.main.parts.recording.stop()
    async with replayed(file) as shown:
        panes, follow = shown.main.parts.panes, shown.main.parts.follow
        end = shown.session.known
        await run_line(shown, f"goto #{end - 3}")
        found = follow.selection.derivative
        assert (panes.pane, found.sample, str(found.layout)) == ("chain", 2, "gradient")
        assert (found.factor, panes.sizes) == (2, {})
        await shown.press("s")
        assert (panes.pane, panes.sizes) == ("program", sizes)
        assert panes.panes["program"].outer_size.width == sizes["program"]
        await shown.press("s")
        assert (panes.pane, panes.face) == ("tensor", "heat")
        await shown.press("g", "S")
        await shown.resize(60, 20)  # another terminal than the teacher's
        await shown.press("G")
        assert shown.app.is_running


async def test_a_key_gives_a_view_of_ones_own_and_back(recorded: Path) -> None:
    async with replayed(recorded) as shown:
        panes = shown.main.parts.panes
        await shown.press("V", "G")
        assert panes.pane == "program"
        await shown.press("V")
        assert panes.pane == "timeline"
        assert "as it was recorded" in note(shown)


async def test_where_nothing_is_recorded_the_key_says_so() -> None:
    async with debugger("regression") as shown:
        await shown.press("V")
        assert "no recorded views" in note(shown)
    async with replayed(RECORDINGS / "v1.gradstep") as shown:
        await shown.press("f", "V")
        assert "no recorded views" in note(shown)


@pytest.mark.parametrize(
    "text", ["", "view", "view \x1b[2J", "quit", "view tensor nothing", "x" * 99]
)
async def test_a_view_that_is_none_is_left_out(recorded: Path, text: str) -> None:
    with sqlite3.connect(recorded) as file:
        file.execute("UPDATE view SET text = ?", (text,))
    async with replayed(recorded) as shown:
        await shown.press("G")
        assert shown.main.parts.panes.pane == "program"
        assert shown.app.is_running


def test_views_are_found_by_event_and_bounded() -> None:
    views = Views()
    for event in (9, 3, 9):
        views.take(event, f"view {event}")
    assert [views.at(event) for event in (0, 3, 8, 9, 99)] == [
        "", "view 3", "view 3", "view 9", "view 9",
    ]  # fmt: skip
    for event in range(2 * MOST):
        views.take(event, "view")
    assert len(views.rows()) == MOST


async def test_who_follows_gets_later_bookmarks_views_and_how_far_it_is(tmp_path: Path) -> None:
    file = tmp_path / "a.gradstep"
    teacher = Debugger(Session(built_in("regression")))
    control = RecordingControl(teacher)
    control.start(file)
    teacher.session.goto(20)
    control.tick()
    assert control.recorder is not None
    control.recorder.writer.commit()
    reader = Reader(file)
    student, playback = open_debugger(Recording(reader))
    student.session.goto(20)
    async with steered(FollowingApp(student, playback.refresh)) as shown:
        shown.main.show_now()
        await shown.settled()
        assert "FOLLOW" in shown.place()
        await shown.press("g")
        assert "FOLLOW +20" in shown.place()
        teacher.bookmarks.mark("here", 15, "look")
        teacher.views.take(12, "view chain")
        teacher.session.goto(40)
        control.tick()
        await shown.until(lambda: student.session.known == 40 and "here" in student.bookmarks)
        assert "FOLLOW +40" in shown.place()
        await shown.press("G")
        assert "+" not in shown.place().split("FOLLOW")[1]
        assert shown.main.parts.panes.pane == "chain"
    reader.close()
    control.stop()
