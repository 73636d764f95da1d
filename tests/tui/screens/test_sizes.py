"""What stands together on a small screen and on a large one."""

import pytest

from tests.tui.screen import debugger


async def test_at_80_by_24_the_program_stands_over_the_op_and_its_numbers():
    async with debugger("regression", (80, 24)) as shown:
        for keys in ("nns", "1", "2"):
            await shown.press(*keys)
            rows = shown.rows()
            at = next(y for y, row in enumerate(rows) if row.startswith("─1 Program"))
            assert [row[:3].strip() for row in rows[at + 1 : at + 4]] == ["✓", "▶", ""]
            assert rows[at + 1].startswith(" ✓ ℓ = mse(ŷ, y)")
            assert rows[at + 4].startswith("─2 Tensor")
            assert rows[at + 5].startswith(" ✓ ℓ = Σ (")
            assert "[-0.405  0.655]   [0 1]" in shown.text()
            assert "2.2375" in shown.text()


async def test_the_whole_program_is_a_zoom_away_and_the_cursor_keeps_its_op():
    async with debugger("regression", (80, 24)) as shown:
        await shown.press("down", "down")
        await shown.press("z")
        assert "zero_grad" in shown.text()
        assert "─2 Tensor" not in shown.text()
        chosen = shown.main.parts.follow.selection.row
        assert chosen == 2
        program = shown.main.query_one("#program")
        assert program.rows(program.view)[program.row].op.index == chosen


async def test_a_low_wide_screen_has_program_and_op_side_by_side():
    async with debugger("regression", (120, 24)) as shown:
        assert any("1 Program" in row and "2 Tensor ─" in row for row in shown.rows()[4:])


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)], ids=str)
async def test_a_step_never_moves_the_result(size):
    async with debugger("regression", size) as shown:
        places = set()
        for _ in range(21):
            await shown.press("s")
            head = next(y for y, row in enumerate(shown.rows()) if "following" in row)
            places.add(head)
        assert len(places) == 1
