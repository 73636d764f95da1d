"""NO_COLOR: characters carry all the information; colours only repeat it."""

import re

from tests.tui.screen import debugger

KEYS = ["f", "n", "s"]
EXPORT_DEFAULT = "#c5c8c6"  # what Rich writes into every drawing for text without a style
MARKS = ["▶", "✓", "●", "▸"]


def greys(drawing: str) -> bool:
    """Whether a drawing has no colour but greys."""
    cells = re.findall(r"\.terminal-\S+-r\d+ \{ fill: (#[0-9a-f]{6})", drawing)
    assert cells
    return all(c[1:3] == c[3:5] == c[5:7] for c in cells if c != EXPORT_DEFAULT)


async def test_the_same_text_without_colours(monkeypatch):
    async with debugger("regression") as shown:
        await shown.press(*KEYS)
        coloured = shown.text()
        assert not greys(shown.app.export_screenshot())
    monkeypatch.setenv("NO_COLOR", "1")
    async with debugger("regression") as shown:
        await shown.press(*KEYS)
        assert shown.text() == coloured
        assert greys(shown.app.export_screenshot())
    for mark in MARKS:
        assert mark in coloured


async def test_marks_tell_done_current_changed_and_stops(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    async with debugger("regression") as shown:
        await shown.press("f", "n", "s", "b")
        rows = shown.rows()
        assert "│ ✓ z₁ = linear1(x)" in rows[7 + 3]
        assert "│●▶ z₂ = relu1(z₁)" in rows[8 + 3]
        assert sum("▶" in row[1:5] for row in rows[4:30]) == 1
        assert any(re.search(r"▸-?\d\.\d{4}", row) for row in rows), "changed cells"
        assert any("▸linear1.out" in row for row in rows), "the changed variable"
        assert "zero_grad ✓" in rows[1]
        assert "forward ● 2/4" in rows[1]
