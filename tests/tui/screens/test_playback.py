"""The lesson: recording from the screen, playing both ways, chapters; and the doctor's pane."""

from pathlib import Path

import numpy as np
import pytest

from engine.debugger import Debugger
from engine.recording.reader import Reader
from engine.recording.recorded import Recording
from engine.recording.replay import open_debugger
from engine.session.session import Session
from tests.engine.small_experiments import session_of
from tests.tui.clock import HandClock
from tests.tui.screen import debugger
from tui.control.playback import SPEEDS, Player
from tui.control.recording import RecordingControl


def replayed(path: Path) -> Session:
    """A recording as a session."""
    return open_debugger(Recording(Reader(path)))[0].session


def test_a_tape_records_what_the_session_does(tmp_path: Path) -> None:
    session, path = session_of("xor"), tmp_path / "run.gradstep"
    session.goto(5)
    recording_control = RecordingControl(Debugger(session))
    assert "recording into" in recording_control.start(path)
    assert recording_control.running
    session.goto(90)
    recording_control.tick()
    session.goto(20)
    session.goto(130)
    assert "recorded 130 events" in recording_control.stop()
    assert not recording_control.running
    again = replayed(path)
    assert again.known == 130
    for event in (1, 44, 130):
        session.goto(event)
        again.goto(event)
        assert session.tensors.keys() == again.tensors.keys()
        assert all(np.array_equal(session.tensors[k], again.tensors[k]) for k in again.tensors)


def test_an_existing_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "run.gradstep"
    path.write_text("mine")
    recording_control = RecordingControl(Debugger(session_of("xor")))
    with pytest.raises(Exception, match="exists already"):
        recording_control.start(path)
    assert path.read_text() == "mine"
    assert not recording_control.running


async def test_a_key_starts_and_closes_a_recording(tmp_path: Path) -> None:
    path = tmp_path / "lesson.gradstep"
    async with debugger("regression") as opened:
        await opened.press("R")
        opened.main.prompt.field.value = str(path)
        await opened.press("enter")
        assert opened.main.parts.recording.running
        assert "● REC" in opened.text()
        await opened.press("f", "f", "S", "R")
        assert not opened.main.parts.recording.running
        assert "recorded 42 events" in opened.text()
    assert replayed(path).known == 42


async def test_a_recording_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    async with debugger("regression") as opened:
        await opened.press("R")
        opened.main.prompt.field.value = str(tmp_path / "no" / "such" / "folder.gradstep")
        await opened.press("enter")
        assert not opened.main.parts.recording.running
        assert "folder.gradstep" in opened.text()


def test_a_player_toggles_and_keeps_to_its_speeds() -> None:
    player = Player()
    player.toggle(1)
    assert player.playing
    player.toggle(-1)
    assert player.direction == -1
    player.toggle(-1)
    assert not player.playing
    for _ in range(20):
        player.faster(1)
    assert player.speed == SPEEDS[-1]
    for _ in range(20):
        player.faster(-1)
    assert player.speed == SPEEDS[0]


async def test_playing_forwards_backwards_and_pausing() -> None:
    async with debugger("regression") as opened:
        opened.main.parts.playback.player.place = len(SPEEDS) - 1
        await opened.press("a")
        await opened.until(lambda: opened.session.event >= 4)
        await opened.press("a")
        assert opened.main.parts.playback.next_op is None, "nothing goes on later"
        await opened.press("A")
        await opened.until(lambda: not opened.main.parts.playback.player.playing)
        assert opened.session.event == 0
        assert "the first event" in opened.text()


async def test_playing_stops_at_a_bookmark_and_shows_its_text() -> None:
    async with debugger("regression") as opened:
        clock = HandClock(opened.main)
        opened.debugger.bookmarks.mark("here", 2, "look at this")
        await opened.press("a")
        for _ in range(4):
            clock.tick()
            await opened.settled()
        assert (opened.session.event, clock.seconds) == (2, [])
        assert "'here  look at this" in opened.text()
        await opened.press("a")
        clock.tick()
        await opened.settled()
        assert opened.session.event == 3


@pytest.mark.parametrize("seconds", [float("inf"), -1.0], ids=["at once", "in a thread"])
async def test_chapters_go_through_the_bookmarks_with_their_texts(
    seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.control.worker.INLINE_SECONDS", seconds)
    async with debugger("regression") as opened:
        opened.session.goto(60)
        opened.debugger.bookmarks.mark("late", 50, "the second part")
        opened.debugger.bookmarks.mark("early", 10, "backward begins")
        opened.session.goto(0)
        await opened.press("right_square_bracket")
        assert opened.session.event == 10
        assert "backward begins" in opened.text()
        await opened.press("right_square_bracket")
        assert opened.session.event == 50
        await opened.press("right_square_bracket")
        assert "no bookmark after this place" in opened.text()
        await opened.press("left_square_bracket")
        assert opened.session.event == 10


async def test_the_doctor_finds_and_leads_to_the_event() -> None:
    async with debugger("bug-dead-relu") as opened:
        await opened.press("f", "f", "0")
        text = opened.text()
        assert "serious" in text
        assert "relu1" in text
        finding = opened.main.parts.examination.findings()[0]
        assert finding.event is not None
        await opened.press("enter")
        assert opened.session.event == finding.event + 1


async def test_the_doctor_is_not_asked_while_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    async with debugger("regression") as opened:
        asked: list[int] = []
        monkeypatch.setattr(
            opened.main.parts.examination, "findings", lambda: asked.append(1) or ()
        )
        await opened.press("s", "n", "f")
        assert asked == []
