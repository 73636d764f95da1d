"""Stepping through the screen: back is exact, resizing is harmless, the mouse hits its mark."""

import random
import re

import numpy as np
import pytest

from engine.arrays import Array
from engine.chain.query import complete_at
from tests.tui.screen import Opened, debugger
from tests.tui.typist import run_line
from tui.panes.chain import ChainPane
from tui.panes.diagnostics import DiagnosticsPane
from tui.panes.program import ProgramPane
from tui.panes.variables import VariablesPane
from tui.widgets.lines import LineList

SIZES = [(80, 24), (120, 40), (30, 10), (200, 60), (1, 1), (120, 12), (40, 50), (100, 30)]
Bits = dict[str, tuple[tuple[int, ...], bytes]]


def bits(tensors: dict[str, Array]) -> Bits:
    return {name: (array.shape, array.tobytes()) for name, array in tensors.items()}


def now(shown: Opened) -> Bits:
    return bits(dict(shown.session.tensors))


def row_of(shown: Opened, words: str) -> tuple[int, int]:
    """Column and row where some words stand on the screen."""
    for y, row in enumerate(shown.rows()):
        if (x := row.find(words)) >= 0:
            return x, y
    raise AssertionError(f"{words!r} is not on the screen:\n{shown.text()}")


async def click(shown: Opened, words: str, right: int = 0) -> None:
    shown.text()
    x, y = row_of(shown, words)
    await shown.pilot.click(offset=(x + right, y))
    await shown.settled()


@pytest.mark.parametrize("name", ["regression", "iris"])
async def test_forwards_and_back_restores_every_bit_and_every_character(name):
    async with debugger(name) as shown:
        seen = [(now(shown), shown.text())]
        keys = ["s", "n", "n", "n", "s", "f", "n", "s"]
        places = [0]
        for key in keys:
            await shown.press(key)
            seen.append((now(shown), shown.text()))
            places.append(shown.session.event)
        for (tensors, text), event in zip(reversed(seen[:-1]), reversed(places[:-1]), strict=True):
            await run_line(shown, f"{shown.session.event - event}rs")
            assert shown.session.event == event
            assert now(shown) == tensors
            if event:
                assert marks(shown.text()) == marks(text)


def marks(text: str) -> list[str]:
    """The rows but for what a later visit adds: what is known of the run beyond the cursor."""
    rows = text.splitlines()
    top = next(i for i, row in enumerate(rows) if "Timeline ─" in row)
    return rows[:top]


async def test_the_screen_shows_the_values_of_the_session():
    async with debugger("regression") as shown:
        await shown.press("n", "s")
        values = shown.session.tensors["linear1.out"]
        np.testing.assert_allclose(values, values.round(2), rtol=1e-12)
        for row in values:
            assert any(all(f"{v:.4f}" in line for v in row) for line in shown.rows())


async def test_resizing_at_any_moment():
    random.seed(0)
    async with debugger("iris") as shown:
        for step in range(len(SIZES)):
            await shown.resize(*SIZES[step % len(SIZES)])
            await shown.press(random.choice("snfNSFud12345678z?"))
            await shown.press("escape")
            assert len(shown.rows()) == SIZES[step % len(SIZES)][1]
        if shown.main.parts.panes.zoomed:
            await shown.press("z")
        await shown.press("g", "1")
        await shown.resize(120, 40)
        there = shown.text()
        await shown.resize(30, 10)
        await shown.resize(120, 40)
        assert shown.text() == there


async def test_one_pane_where_there_is_little_room_all_where_there_is_more():
    async with debugger("regression", (80, 24)) as shown:
        assert "Variables ─" not in shown.text()
        await shown.resize(120, 40)
        assert "Variables ─" in shown.text()
        await shown.resize(99, 40)
        assert "Variables ─" not in shown.text()


async def test_a_click_goes_to_the_op():
    async with debugger("regression") as shown:
        await click(shown, "z₂ = relu1(z₁)")
        assert shown.main.parts.follow.selection.tensor == "relu1.out"
        await click(shown, "ℓ = mse(ŷ, y)")
        assert shown.main.parts.follow.selection.tensor == "loss"
        program = shown.main.query_one(ProgramPane)
        assert shown.rows()[program.content_region.y + program.row].startswith("│   ℓ = mse")
        await click(shown, "│ forward", right=4)
        assert shown.main.parts.follow.selection.tensor in ("linear1.out", "linear2.bias.grad")


async def test_a_click_chooses_a_variable():
    async with debugger("regression") as shown:
        await click(shown, "linear2.weight (2, 4)")
        assert shown.main.parts.follow.selection.tensor == "linear2.weight"
        assert shown.main.parts.panes.pane == "variables"
        assert any("linear2.weight  W⁽²⁾" in row for row in shown.rows())


async def test_a_click_chooses_the_factor_under_it():
    async with debugger("regression", (120, 60)) as shown:
        shown.main.parts.movement.go_to(complete_at(shown.session.program))
        await shown.idle()
        shown.main.parts.follow.tensor("linear1.weight")
        await shown.press("4")
        pane = shown.main.query_one(ChainPane)
        places = pane.text(pane.view).places
        assert len(places) > 3
        for factor in (2, 0, len(places) - 1, 1):
            top = pane.content_region
            await shown.pilot.click(
                offset=(top.x + 3, top.y + places[factor] - pane.scroll_offset.y)
            )
            await shown.settled()
            assert shown.main.parts.follow.selection.derivative.factor == factor


async def test_a_click_chooses_the_finding_under_it():
    async with debugger("bug-exploding", (120, 60)) as shown:
        await run_line(shown, "50f")
        await shown.press("0")
        pane = shown.main.query_one(DiagnosticsPane)
        places = pane.found(pane.view)[1].places
        assert len(places) > 2
        for finding in (1, 0, 2):
            top, y = pane.content_region, pane.found(pane.view)[1].places[finding]
            await shown.pilot.click(offset=(top.x + 3, top.y + y - pane.scroll_offset.y))
            await shown.settled()
            assert pane.chosen_finding == finding


async def test_a_click_on_a_scrolled_row():
    async with debugger("iris", (80, 24)) as shown:
        await shown.press("1", "end")
        await click(shown, "b⁽¹⁾ ← b⁽¹⁾")
        assert shown.main.parts.follow.selection.tensor == "linear1.bias"


async def test_a_click_on_a_tab_goes_to_the_pane():
    async with debugger("regression", (80, 24)) as shown:
        for pane, title in (("variables", "5 Variables"), ("program", "1 Program")):
            await click(shown, title[:5], right=1)  # the tabs are shortened where room is little
            assert shown.main.parts.panes.pane == pane
            assert any(re.match(f"╭?─ ?{title}", row) for row in shown.rows())


async def test_a_click_on_the_footer_steps():
    async with debugger("regression") as shown:
        await click(shown, "n phase")
        assert shown.session.event == 4
        await click(shown, "⇤ op")
        assert shown.session.event == 3


async def test_the_mouse_everywhere_raises_nothing():
    async with debugger("regression", (80, 24)) as shown:
        await shown.press("f")
        for y in range(0, 24, 4):
            for x in range(1, 80, 26):
                await shown.pilot.click(offset=(x, y))
        await shown.settled()
        assert shown.app.is_running


async def test_the_wheel_scrolls_without_choosing():
    async with debugger("iris", (80, 24)) as shown:
        program = shown.main.query_one(ProgramPane)
        before = program.scroll_offset.y, shown.main.parts.follow.selection
        program.scroll_to(y=5, animate=False)
        await shown.settled()
        assert program.scroll_offset.y == 5 != before[0]
        assert shown.main.parts.follow.selection == before[1]


@pytest.mark.parametrize("pane", [ProgramPane, VariablesPane])
async def test_the_cursor_stays_inside_and_in_sight(pane):
    async with debugger("iris", (80, 24)) as shown:
        widget: LineList = shown.main.query_one(pane)
        assert widget.id is not None
        shown.main.parts.panes.go_to(widget.id)
        await shown.settled()
        assert widget.view is not None
        count = widget.count(widget.view)
        for key in ("end", "pagedown", "down", "home", "pageup", "up", "pagedown", "down", "end"):
            await shown.press(key)
            assert 0 <= widget.row < count
            top = widget.scroll_offset.y
            assert top <= widget.row < top + widget.size.height
            assert widget.selectable(widget.view, widget.row)
