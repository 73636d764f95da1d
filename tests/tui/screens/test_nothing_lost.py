"""Undo, edits that are none, the question before quitting, and what survives the end."""

from pathlib import Path

import pytest

from engine.debugger import Debugger
from engine.jacobian.operator import Layout
from engine.recording.replay import open_debugger
from engine.session.session import Session
from tests.engine.recording.recordings import opened, record
from tests.engine.small_experiments import program, session_of
from tests.tui.screen import Opened, debugger, steered
from tests.tui.typist import note, run_line, said
from tui.app import GradstepApp
from tui.screens.jump import JumpScreen
from tui.screens.quitting import QuitScreen
from tui.settings.remembered import Remembered, load_screen, save_screen
from tui.settings.saved import restore, save, session_file
from tui.settings.settings import THEMES


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADSTEP_HOME", str(tmp_path))
    return tmp_path


async def test_a_key_takes_the_last_edit_back():
    async with debugger("regression") as shown:
        await run_line(shown, "9s", "set optimizer.lr = 0.5", "s")
        await shown.press("U")
        assert note(shown) == "taken back: set optimizer.lr = 0.5"
        assert shown.session.event == 9
        assert not shown.session.journal
        await shown.press("U")
        assert "there is nothing to undo" in note(shown)


async def test_a_value_that_is_left_as_it_is_is_no_edit():
    async with debugger("regression") as shown:
        await shown.press("n", "2", "i", "enter")
        assert note(shown) == "nothing was changed: no edit"
        assert not shown.session.undo.changes
        await shown.press("i", *"0.5", "enter")
        assert len(shown.session.undo.changes) == 1


async def test_q_asks_where_edits_would_go():
    async with debugger("regression") as shown:
        await run_line(shown, "set optimizer.lr = 0.5", "branch aside")
        await shown.press("q")
        assert isinstance(shown.app.screen, QuitScreen)
        assert "1 edit and 1 branch would be gone" in shown.text()
        await shown.press("escape")
        assert shown.app.screen is shown.main
        await shown.press("ctrl+q")
        assert isinstance(shown.app.screen, QuitScreen)
        await shown.press("n")
        await run_line(shown, "eval", "q")
        assert "1 edit and 1 branch would be gone" in shown.text()
        shown.app.simulate_key("q")
        await shown.until(lambda: not shown.app.is_running)
    assert shown.app.return_code == 0


async def quits_at_once(shown: Opened) -> None:
    shown.app.simulate_key("q")
    await shown.until(lambda: not shown.app.is_running)


async def test_q_leaves_where_all_is_taken_back():
    async with debugger("regression") as shown:
        await run_line(shown, "9s", "goto 2", "set optimizer.lr = 0.5", "undo")
        await quits_at_once(shown)


async def test_q_asks_while_a_recording_is_written(tmp_path):
    async with debugger("regression") as shown:
        shown.main.parts.recording.start(tmp_path / "r.gradstep")
        await run_line(shown, "set optimizer.lr = 0.5", "undo")
        assert "a recording is being written" in said(shown)
        await shown.press("q")
        assert "The recording ends" in shown.text()
        assert "edit" not in shown.app.screen.going[0]
        await shown.press("n")
        shown.main.parts.recording.stop()


async def test_a_replay_is_left_at_once_and_asks_after_an_edit(tmp_path: Path):
    path, made = tmp_path / "r.gradstep", program(training={"epochs": 2})
    record(path, made, "full")
    for edited in (False, True):
        with opened(path) as recording:
            async with steered(GradstepApp(open_debugger(recording)[0])) as shown:
                if not edited:
                    await quits_at_once(shown)
                    continue
                await run_line(shown, "set optimizer.lr = 0.5")
                await shown.press("q")
                assert isinstance(shown.app.screen, QuitScreen)


async def test_the_jump_key_goes_to_a_pane_by_its_letter():
    async with debugger("regression", (80, 24)) as shown:
        await shown.press("P")
        assert isinstance(shown.app.screen, JumpScreen)
        assert "c Chain" in shown.text()
        await shown.press("c")
        assert shown.main.parts.panes.pane == "chain"
        await shown.press("P", "escape")
        assert shown.main.parts.panes.pane == "chain"


async def test_theme_layout_and_sizes_survive():
    async with debugger("regression", (140, 45)) as shown:
        shown.app.light_theme()
        await shown.press("shift+right", "shift+up", "o", "l", "4")
        left = shown.app.remembered
        sizes = dict(shown.main.parts.panes.sizes)
    save_screen(left)
    assert load_screen() == left
    app = GradstepApp(Debugger(session_of("regression")))
    app.recall(load_screen())
    async with steered(app, (140, 45)) as shown:
        panes = shown.main.parts.panes
        assert app.theme == "gradstep-light"
        assert panes.sizes == sizes
        assert panes.inspector == "chain"
        assert panes.pane == "program"
        assert shown.main.has_class("code")
        assert shown.main.parts.follow.selection.derivative.layout == Layout.GRADIENT
        assert app.remembered == left


def test_the_settings_file_wins_where_it_has_changed_since():
    left = Remembered(theme=THEMES[1], over=THEMES[0])
    assert left.theme_over(THEMES[0]) == THEMES[1]
    assert left.theme_over(THEMES[1]) == THEMES[1]
    assert Remembered(theme=THEMES[0], over=THEMES[0]).theme_over(THEMES[1]) == THEMES[1]
    assert Remembered(theme="no such", over=THEMES[0]).theme_over(THEMES[0]) == THEMES[0]


async def test_another_run_is_opened_in_the_layout_and_the_sizes_of_this_one():
    async with debugger("regression", (160, 50)) as shown:
        await shown.press("shift+right", "l")
        sizes = dict(shown.main.parts.panes.sizes)
        assert "program" in sizes
        await run_line(shown, "open xor")
        assert shown.session.run.name == "xor"
        assert shown.main.parts.panes.sizes == sizes
        assert shown.main.parts.follow.selection.derivative.layout == Layout.GRADIENT


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"sizes": 3, "theme": 4}',
     '{"sizes": {"program": -1, "x": 5, "timeline": 1e9}}',
     '{"inspector": "program", "code": 1, "gradient": "yes"}', '{"inspector": {}, "over": []}'],
)  # fmt: skip
def test_what_makes_no_sense_is_as_nothing(home, text):
    path = home / "state" / "screen.json"
    path.parent.mkdir()
    path.write_text(text)
    assert load_screen() == Remembered()


def test_bookmarks_belong_to_the_file(tmp_path, monkeypatch):
    made = program(training={"epochs": 2})
    paths = [tmp_path / name for name in ("a.gradstep", "b.gradstep")]
    for path in paths:
        record(path, made, "full")
    with opened(paths[0]) as one, opened(paths[1]) as two:
        first, second = open_debugger(one)[0], open_debugger(two)[0]
        files = {session_file(each.session) for each in (first, second)}
        assert len({*files, session_file(Session(made))}) == 3
        first.bookmarks.mark("here", 5)
        save(first)
    monkeypatch.chdir(tmp_path)
    with opened(Path("a.gradstep")) as one, opened(paths[1]) as two:
        again, other = open_debugger(one)[0], open_debugger(two)[0]
        assert restore(again) == restore(other) == []
        assert list(again.bookmarks) == ["here"]
        assert list(other.bookmarks) == []
        again.bookmarks.clear()
        save(again)
    with opened(paths[0]) as one:
        last = open_debugger(one)[0]
        restore(last)
        assert list(last.bookmarks) == []
