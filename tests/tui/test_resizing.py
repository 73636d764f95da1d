"""Panes that a person resizes."""

from tests.tui.screen import debugger


async def test_the_program_gets_wider_and_narrower_within_bounds() -> None:
    async with debugger("regression") as opened:
        program = opened.main.query_one("#program")
        before = program.outer_size.width
        await opened.press("shift+right", "shift+right")
        assert program.outer_size.width == before + 4
        await opened.press(*["shift+left"] * 20)
        assert program.outer_size.width == 24
        await opened.press(*["shift+right"] * 40)
        assert program.outer_size.width == 60


async def test_the_timeline_gets_higher_and_lower() -> None:
    async with debugger("regression") as opened:
        timeline = opened.main.query_one("#timeline")
        before = timeline.outer_size.height
        await opened.press("shift+up", "shift+up")
        assert timeline.outer_size.height == before + 2
        await opened.press(*["shift+down"] * 9)
        assert timeline.outer_size.height == 4


async def test_a_single_pane_says_why_not_and_a_size_comes_back() -> None:
    async with debugger("regression") as opened:
        program = opened.main.query_one("#program")
        before = program.outer_size.width
        await opened.press("shift+right", "z")
        assert program.outer_size.width == 120
        await opened.press("shift+right")
        assert "nothing to resize" in opened.text()
        await opened.press("z")
        assert program.outer_size.width == before + 2
