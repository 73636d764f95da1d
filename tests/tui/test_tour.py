"""The tours, key by key: what stands in backticks must stand on the screen."""

import re
from pathlib import Path

import pytest

from tests.tui.screen import debugger

ROOT = Path(__file__).parents[2]
PAGES = "\n".join((ROOT / page).read_text("utf-8") for page in ("README.md", "docs/tours.md"))
KEYS = {"?": "question_mark", ".": "full_stop", ":": "colon", "Enter": "enter", "Down": "down"}


def tours() -> list[tuple[str, list[tuple[list[str], list[str]]]]]:
    """Each tour: its experiment, and its rows of keys and expected texts."""
    found = []
    for name, table in re.findall(r"<!-- tour: (\S+) -->\n((?:\|.*\n)+)", PAGES):
        rows = [line.split(" | ") for line in table.splitlines()[2:]]
        found.append((name, [(keys(row[0]), re.findall(r"`([^`]+)`", row[1])) for row in rows]))
    return found


def keys(cell: str) -> list[str]:
    """The keys of a row; a text in backticks is typed letter by letter."""
    typed: list[str] = []
    for key, text in re.findall(r"<kbd>(.+?)</kbd>|`([^`]+)`", cell):
        typed += [KEYS.get(key, key)] if key else list(text)
    return typed


def test_the_readme_has_a_tour() -> None:
    assert [name for name, _ in tours()] == ["regression", "bug-exploding", "regression"]
    assert all(len(rows) > 1 for _, rows in tours())


SIZES = [(80, 24), (120, 40), (200, 60)]
# Word for word at every size.
SHOWN = [(*tour, size) for tour in tours() for size in SIZES]


@pytest.mark.parametrize(("name", "rows", "size"), SHOWN, ids=lambda value: str(value)[:20])
async def test_every_row_of_the_tour_shows_what_it_says(
    name: str, rows: list[tuple[list[str], list[str]]], size: tuple[int, int]
) -> None:
    async with debugger(name, size) as opened:
        for pressed, expected in rows:
            await opened.press(*pressed)
            screen = opened.text()
            missing = [text for text in expected if text not in screen]
            assert not missing, f"after {pressed}:\n{screen}"
