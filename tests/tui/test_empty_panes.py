"""A pane that has nothing to show says which key gives it something."""

import pytest

from tests.tui.screen import debugger

EMPTY = [
    ("6", "nothing is watched: w watches an expression"),
    ("6", "B lists what runs stop at"),
    ("7", ": opens the command line"),
    ("8", "no loss yet: f runs an iteration, which computes it"),
    ("0", "nothing found so far: the doctor watches while you step"),
    ("0", "f runs an iteration, e an epoch"),
    ("B", "no stops yet: b on an op of the program sets one, a adds one"),
    ("M", "nothing yet: what keys and commands say is kept here"),
    ("p", "no loss yet: f runs an iteration, which computes it"),
    ("apostrophe", "no bookmarks yet: m makes one"),
]


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
async def test_an_empty_pane_says_what_to_press(size: tuple[int, int]) -> None:
    async with debugger("xor", size) as shown:
        for key, said in EMPTY:
            await shown.press(key)
            text = " ".join(" ".join(row.strip(" │║") for row in shown.rows()).split())
            assert said in text, key
            if shown.app.screen is not shown.main:
                await shown.press("escape")
