"""The help: by pane, in columns, and words are looked for in it."""

import pytest

from tests.tui.screen import debugger
from tui.keys.command import PANES
from tui.keys.help import help_rows
from tui.screens.help import having, help_columns

SIZES = [(80, 24), (120, 40), (200, 60)]


@pytest.mark.parametrize("pane", PANES)
async def test_the_pane_comes_first(pane):
    async with debugger("regression", (80, 24)) as shown:
        await shown.press(str(PANES[pane].number), "question_mark")
        assert f"Help · {PANES[pane].title}" in shown.text()
        assert f"│ {PANES[pane].title} pane" in shown.text()
        await shown.press("question_mark")
        assert shown.app.screen is shown.main


@pytest.mark.parametrize("size", SIZES)
async def test_as_many_columns_as_there_is_room_for(size):
    async with debugger("regression", size) as shown:
        await shown.press("question_mark")
        heading = next(row for row in shown.rows() if "Program pane" in row)
        assert heading.count("  ") > 0
        assert ("Stepping" in heading) == (size[0] >= 120)
        assert all(row.endswith(("│", "╮", "╯")) for row in shown.rows() if row.startswith("│"))


@pytest.mark.parametrize("width", [20, 56, 80, 114, 180])
def test_every_row_is_there_and_no_line_is_too_wide(width):
    rows = help_rows()
    table = help_columns(rows, width).plain
    assert max(map(len, table.split("\n"))) <= max(width, 34)
    for heading, _ in rows:
        assert heading in table


def test_words_are_looked_for_in_keys_words_and_headings():
    rows = help_rows()
    assert having(rows, "bookmark here") == [
        ("Going", [("m", "a bookmark here: a name, then a text")]),
        ("Timeline pane", [("m", "a bookmark here: a name, then a text")]),
    ]
    assert ("Stepping", [("s, F11", "step one op")]) in having(rows, "stepping f11 ONE")
    assert having(rows, "") == rows
    assert having(rows, "no such thing") == []


async def test_slash_looks_for_words_and_esc_shows_all_again():
    async with debugger("regression", (80, 24)) as shown:
        await shown.press("question_mark")
        whole = shown.text()
        await shown.press("slash", *"epoch")
        assert "Program pane" not in shown.text()
        assert "finish the epoch" in shown.text()
        await shown.press(*"xyz")
        assert "nothing has 'epochxyz' in it" in shown.text()
        await shown.press(*["backspace"] * 3, "enter", "question_mark")
        assert shown.text() == whole, "first every key again"
        await shown.press("question_mark")
        assert shown.app.screen is shown.main
