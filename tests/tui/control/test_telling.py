"""In a replay the texts of bookmarks, and the captions of a lesson, stand in the strip."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from engine.debugger import Debugger
from engine.recording.estimate import estimate
from engine.recording.reader import Reader
from engine.recording.recorded import Recording
from engine.recording.recorder import Recorder
from engine.recording.replay import open_debugger
from engine.recording.writer import Writer
from engine.session.session import Session
from engine.session.views import Told
from tests.engine.small_experiments import built_in
from tests.tui.clock import HandClock
from tests.tui.screen import Opened, debugger, steered
from tests.tui.typist import note
from tui.app import GradstepApp
from tui.render.caption import room_for

LONG = " ".join(f"word{i}" for i in range(200))
SIZES = [(80, 24), (120, 40), (200, 60)]


@asynccontextmanager
async def replayed(
    folder: Path, marks: dict[int, str], told: dict[int, Told], size: tuple[int, int] = (120, 40)
) -> AsyncIterator[Opened]:
    """A replay of a recording with bookmarks of these texts, and captions."""
    file, made = folder / "a.gradstep", built_in("regression")
    recorded = Debugger(Session(made))
    recorded.session.goto(42)
    for event, text in marks.items():
        recorded.bookmarks.mark(f"at{event}", event, text)
    for event, one in told.items():
        recorded.views.tell(event, one)
    plan = estimate(made, "full", made.timeline.iterations)
    recorder = Recorder(Writer(file, made, plan, {}), recorded)
    recorder.update()
    recorder.writer.close()
    reader = Reader(file)
    try:
        async with steered(GradstepApp(open_debugger(Recording(reader))[0]), size) as shown:
            yield shown
    finally:
        reader.close()


def strip(shown: Opened) -> list[str]:
    """The lines of the strip, the rule first; none where it has no room."""
    region = shown.main.strip.region
    return [row.strip() for row in shown.rows()[region.y : region.bottom]] if region else []


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_the_text_of_a_bookmark_is_wrapped_and_read_in_pages(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with replayed(tmp_path, {8: LONG}, {}, size) as shown:
        assert strip(shown) == []
        await shown.press("right_square_bracket")
        words: list[str] = []
        while "word199" not in words:
            assert len(strip(shown)) <= room_for(size[1])
            assert "at8" in strip(shown)[0]
            words += " ".join(strip(shown)[1:]).split()
            await shown.press("ctrl+e")
        assert words == LONG.split()
        assert "word0" in strip(shown)[1].split()  # from the beginning again
        for _ in range(3):
            await shown.resize(60, 15)
            assert len(strip(shown)) <= 5
            await shown.resize(*size)


async def test_it_stays_until_one_goes_on_and_can_be_read_again(tmp_path: Path) -> None:
    async with replayed(tmp_path, {8: "look", 12: ""}, {}) as shown:
        clock = HandClock(shown.main)
        await shown.press("a")
        for _ in range(8):
            clock.tick()
            await shown.settled()
        assert (shown.session.event, strip(shown)[1:]) == (8, ["look"])
        await shown.press("p", "escape", "2", "1")
        assert strip(shown)[1:] == ["look"]
        await shown.press("s")
        assert strip(shown) == []
        await shown.press("ctrl+e")
        assert strip(shown)[1:] == ["look"]
        await shown.press("g", "ctrl+e")
        assert strip(shown) == []
        assert "no caption" in note(shown)


async def test_captions_of_a_lesson_stay_up_to_the_next(tmp_path: Path) -> None:
    told = {4: Told("1/2 A", "one **bold**"), 9: Told("2/2 B", "two")}
    async with replayed(tmp_path, {6: "a mark"}, told) as shown:
        seen = []
        for _ in range(11):
            seen.append(strip(shown)[1:])
            await shown.press("s")
        assert seen == [
            *([[]] * 4), *([["one bold"]] * 2), ["a mark"], *([["one bold"]] * 2), *([["two"]] * 2),
        ]  # fmt: skip
        assert "2/2 B" in strip(shown)[0]


async def test_a_text_of_a_file_is_no_markup_and_moves_no_cursor(tmp_path: Path) -> None:
    text = "[@click=app.quit]x[/] \x1b[2J \x07"
    async with replayed(tmp_path, {0: text}, {}) as shown:
        assert "[@click=app.quit]x[/]" in strip(shown)[1]
        assert "\x1b" not in shown.text()


async def test_a_session_that_is_live_has_bookmarks_without_captions() -> None:
    async with debugger("regression") as shown:
        shown.debugger.bookmarks.mark("here", 1, "look")
        await shown.press("s", "ctrl+e")
        assert strip(shown) == []
        assert "no caption" in note(shown)
