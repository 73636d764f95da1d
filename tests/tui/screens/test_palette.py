"""The palette: what it offers, how it finds it, what it does."""

from pathlib import Path

import pytest
from textual.widgets import Input, OptionList

from engine.words.table import COMMANDS as WORDS
from tests.tui.contrast import READABLE, contrast
from tests.tui.screen import Opened, debugger
from tests.tui.typist import run_line
from tui.keys.command import PANES, to_pane
from tui.keys.table import COMMANDS
from tui.screens.palette import Entry, Palette, entry_line, found
from tui.theme import THEMES

TITLES = ["Stepping: finish the iteration", "Stops: watch an expression", "Pane: Watches, the past",
          "Looking: what was said", "Session: quit", "Words: swatch"]  # fmt: skip


def best(query: str) -> list[str]:
    return [entry.title for entry in found([Entry(t, "", str) for t in TITLES], query)]


def test_what_starts_a_word_comes_first():
    assert best("wat") == [TITLES[2], TITLES[1], TITLES[5], TITLES[3]]
    assert best("quit") == ["Session: quit"]
    assert best("fti")[0] == TITLES[0]
    assert best("finishthe")[0] == TITLES[0]
    assert best("THE fin")[0] == TITLES[0]
    assert best("") == TITLES
    assert best("zzz") == []


def test_an_entry_is_one_line_with_its_key_at_the_right():
    line = entry_line(Entry("Stepping: step one op", "s, F11", str), 40).plain
    assert line == "Stepping: step one op".ljust(34) + "s, F11"
    assert len(entry_line(Entry("x" * 90, "F5", str), 30).plain) == 30
    assert entry_line(Entry("x" * 90, "F5", str), 30).plain.endswith("…  F5")
    assert "\x1b" not in entry_line(Entry("a\x1b[2Jb", "", str), 40).plain


async def typed(shown: Opened, text: str) -> None:
    await shown.press("ctrl+p", *text)


async def test_every_kind_of_thing_is_offered(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("mine.toml", "run.gradstep"):
        Path(name).write_text("")
    async with debugger("regression") as shown:
        await run_line(shown, "mark here a text")
        titles = [entry.title for entry in shown.app.offered()]
        panes = {to_pane(key) for key in PANES}
        for command in COMMANDS:
            assert command.id in panes or command.title in titles
        for pane in PANES.values():
            assert any(title.startswith(f"Pane: {pane.title}, ") for title in titles)
        assert "Bookmark: here  a text" in titles
        for word in WORDS.values():
            assert f"Word: {word.usage}, {word.summary}" in titles
        for title in ("Experiment: xor", "Experiment: mine.toml", "Recording: run.gradstep"):
            assert (title in titles) == ("open" in WORDS)
        assert len(titles) == len(set(titles))


async def test_it_runs_what_is_chosen():
    async with debugger("regression") as shown:
        await typed(shown, "finishthe")
        await shown.press("enter")
        assert shown.session.event == 21
        await typed(shown, "pane chain")
        await shown.press("enter")
        assert shown.main.parts.panes.pane == "chain"
        await run_line(shown, "mark here", "g 0")
        await typed(shown, "bookmark here")
        await shown.press("enter")
        assert shown.session.event == 21
        await typed(shown, "word until")
        await shown.press("enter")
        assert shown.main.prompt.field.value == "until "


async def test_keys_typed_in_one_go_choose_the_same():
    async with debugger("regression") as shown:
        for key in ("ctrl+p", *"finishthe", "enter"):
            shown.app.simulate_key(key)
        await shown.settled()
        assert shown.app.screen is shown.main
        assert shown.session.event == 21


async def test_the_arrows_move_and_esc_leaves():
    async with debugger("regression", (80, 24)) as shown:
        await shown.press("ctrl+p")
        listed = shown.app.screen.query_one(OptionList)
        await shown.press("down", "down", "up", "pagedown")
        assert listed.highlighted == 11
        await shown.press("pageup", "pageup", "up")
        assert listed.highlighted == 0
        await shown.press(*"zzzz")
        assert "nothing is called so" in shown.text()
        await shown.press("enter")
        assert isinstance(shown.app.screen, Palette)
        await shown.press("escape")
        assert shown.app.screen is shown.main
        assert shown.session.event == 0


@pytest.mark.parametrize("times", [2, 3])
async def test_enter_more_than_once_at_once_chooses_once(times, monkeypatch):
    chosen = []
    async with debugger("regression", (100, 30)) as shown:
        monkeypatch.setattr(shown.app, "dark_theme", lambda: chosen.append("dark"))
        await typed(shown, "themedark")
        for _ in range(times):
            shown.app.simulate_key("enter")
        await shown.until(lambda: shown.app.screen is shown.main)
        assert shown.app.is_running
        assert chosen == ["dark"]


@pytest.mark.parametrize("size", [(60, 2), (1, 1), (20, 5), (300, 70)])
async def test_a_window_of_any_size(size):
    async with debugger("regression", (100, 30)) as shown:
        await shown.press("ctrl+p")
        await shown.resize(*size)
        await shown.press("pagedown", "a", "pageup", "down", "escape")
        assert shown.app.screen is shown.main


async def test_the_row_under_the_cursor_can_be_read_in_every_theme():
    async with debugger("regression") as shown:
        for theme in THEMES:
            shown.app.theme = theme.name
            await run_line(shown, "b loss") if not len(shown.debugger.stops) else None
            for key in ("ctrl+p", "B"):
                await shown.press(key)
                listed = shown.app.screen.query_one(OptionList)
                for focus in (True, False):
                    (listed if focus else shown.app.screen).focus() if listed.can_focus else None
                    await shown.settled()
                    style = listed.get_component_rich_style("option-list--option-highlighted")
                    assert style.color is not None
                    assert style.bgcolor is not None
                    seen = contrast(
                        style.color.get_truecolor().hex, style.bgcolor.get_truecolor().hex
                    )
                    assert seen >= READABLE, (theme.name, key, focus, seen)
                    plain = listed.rich_style
                    assert (
                        contrast(plain.color.get_truecolor().hex, plain.bgcolor.get_truecolor().hex)
                        >= READABLE
                    )
                await shown.press("escape")


async def test_it_is_opened_once():
    async with debugger("regression") as shown:
        await shown.press("ctrl+p")
        first = shown.app.screen
        await shown.app.run_action("command_palette")
        await shown.settled()
        assert shown.app.screen is first
        assert first.query_one(Input).has_focus


async def test_a_run_with_edits_is_left_only_where_that_is_confirmed():
    async with debugger() as shown:
        await run_line(shown, "set optimizer.lr = 0.5")
        await shown.press("ctrl+p", *"experiment xor", "enter")
        assert "1 edit would be lost: Enter opens it, Esc stays" in shown.text()
        await shown.press("escape")
        assert shown.session.run.name == "regression"
        await shown.press("ctrl+p", *"experiment xor", "enter", "enter")
        assert shown.session.run.name == "xor"


async def test_what_panes_are_for_names_keys_as_they_are():
    async with debugger() as shown:
        titles = [entry.title for entry in shown.app.offered()]
    assert "Pane: Doctor, what is wrong with this training loop; Enter goes there" in titles
    assert not [title for title in titles if "{to-" in title]
