"""A person's own keys: whatever on the screen names a key names the one that is really bound."""

import re
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from engine.debugger import Debugger
from engine.session.session import Session
from tests.engine.small_experiments import built_in
from tests.tui.screen import Opened, steered
from tui.app import GradstepApp
from tui.control.tour import first_line
from tui.keys.command import PANES
from tui.keys.help import help_rows
from tui.keys.keymap import remapped
from tui.settings.settings import Settings

# Each command with a key of a person's own, as it is written and as it is read.
OWN = {
    "pane-program": ("f1", "F1"),
    "pane-variables": ("f2", "F2"),
    "pane-watches": ("f3", "F3"),
    "pane-chain": ("f4", "F4"),
    "pane-console": ("f6", "F6"),
    "pane-diagnostics": ("f7", "F7"),
    "tour": ("f8", "F8"),
    "command": (";", ";"),
    "watch": ("ctrl+w", "Ctrl+W"),
    "stops": ("f17", "F17"),
    "stop-add": ("n", "n"),
    "break": ("ctrl+t", "Ctrl+T"),
    "mark": ("ctrl+k", "Ctrl+K"),
    "follow": ("ctrl+u", "Ctrl+U"),
    "view": ("ctrl+v", "Ctrl+V"),
    "range": ("ctrl+d", "Ctrl+D"),
    "sheet-view": ("ctrl+v", "Ctrl+V"),
    "sought": ("f18", "F18"),
    "record": ("ctrl+y", "Ctrl+Y"),
    "cancel": ("f12", "F12"),
    "zoom": ("f16", "F16"),
    "help": ("f13", "F13"),
    "step-op": ("ctrl+a", "Ctrl+A"),
    "explain": ("f14", "F14"),
    "plot-curve-1": ("f15", "F15"),
}
COMMANDS = remapped({name: written for name, (written, _) in OWN.items()}, Path("settings"), "")


def opened(size: tuple[int, int] = (120, 40)) -> AbstractAsyncContextManager[Opened]:
    app = GradstepApp(Debugger(Session(built_in("regression"))), Settings(commands=COMMANDS))
    return steered(app, size)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_titles_and_tabs_name_the_keys_that_go_there(size: tuple[int, int]) -> None:
    async with opened(size) as shown:
        for key in PANES:
            await shown.press(OWN.get(f"pane-{key}", (str(PANES[key].number),))[0])
            text = shown.text()
            assert shown.main.parts.panes.pane == key
            for other, pane in PANES.items():
                if f"pane-{other}" in OWN:
                    assert not re.search(rf"(?<!F){pane.number} {pane.title[:3]}", text)
        await shown.press("f1")
        wide = size[0] >= 100
        assert ("F2 Variables" in shown.text()) is wide
        assert ("F3 Watches" in shown.text()) is wide


NOTES = [
    (["f3"], "Ctrl+W watches an expression"),
    (["f4"], "chosen in F2 Variables"),
    (["f6"], " ; opens the command line"),
    (["apostrophe"], "no bookmarks yet: Ctrl+K makes one"),
    (["right_square_bracket"], "no bookmarks yet: Ctrl+K makes one"),
    (["f2", "down"], "Ctrl+U follows the last op again"),
    (["2", "f18"], "j and J look for: NaN"),
    (["2", *["f18"] * 6, "j"], "no range of values is set: Ctrl+D sets one"),
    (["f17"], "no stops yet: Ctrl+T on an op of the program sets one, n adds one"),
    (["f3", "delete"], "nothing is watched: Ctrl+W watches an expression"),
    (["ctrl+w", *"loss", "enter"], "watched: loss; F3 shows its values"),
    (["n", "n", "n", "f4", "f16"], "F4 Chain"),
    (["f8"], "Ctrl+A runs the next one: a gradient becomes zero.  (F12 leaves)"),
    (["f8", "f12"], "the tour waits here: F8 or ;tour takes it up again"),
    (["n", "n", "n", "p"], "F15● loss"),
    (["f3", "h"], "h is a key of the Tensor pane: 2 goes there"),
    (["H"], "(Ctrl+V shows it)"),
]


@pytest.mark.parametrize(("keys", "said"), NOTES, ids=lambda value: str(value)[:30])
async def test_what_is_said_names_the_keys_that_do_it(
    keys: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADSTEP_HOME", str(tmp_path))
    async with opened() as shown:
        await shown.press(*keys)
        assert said in " ".join(row.strip(" │") for row in shown.rows())


def test_what_keys_do_is_told_with_the_keys_of_others() -> None:
    groups = dict(help_rows(COMMANDS))
    rows = dict(row for name in ("Tensor pane", "Session", "Stepping") for row in groups[name])
    assert rows["j"] == "next changed cell, NaN, … (F18 chooses)"
    assert rows["F8"] == "a tour of the most useful keys; also ;tour"
    assert rows[";20s, ;-5n"] == "a count, and back; ; and Enter do it again"
    assert "{" not in "".join(command.help for command in COMMANDS)


def test_the_first_line_speaks_of_shift_only_where_that_leads_back() -> None:
    assert first_line(COMMANDS, offer=False) == (
        "F13 every key · Ctrl+A one op · n next phase · q quits"
    )
    usual = remapped({}, Path("settings"), "")
    assert "n next phase · with Shift backwards" in first_line(usual, offer=False)
