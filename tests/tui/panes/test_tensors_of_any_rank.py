"""Tensors of three and four axes in the tensor pane: the first slice, its keys, its pictures."""

import numpy as np
from textual.pilot import Pilot

from tests.tui.line_experiments import lines_program
from tests.tui.screen import Opened, debugger
from tests.tui.tensors import COMMON, SMALL, grid, table, tensor_pane, typed
from tui.panes.tensor_grid import TensorGrid
from tui.view.display import Face

HEADS = lines_program("filters and heads")


async def show(shown: Opened, tensor: str) -> None:
    """The tensor in the tensor pane, which has the focus."""
    shown.main.parts.follow.tensor(tensor)
    shown.main.parts.panes.go_to("tensor")
    await shown.settled()


async def test_columns_of_samples_have_a_row_for_each_sample():
    async with debugger(lines_program("five relu"), SMALL) as shown:
        await shown.press("f", "n", "n")
        await show(shown, "z1")
        assert "z1  (2, 4, 1)" in shown.text()
        assert "at [:↓, :→, 0]" in shown.text()
        z = shown.session.tensors["z1"]
        rows = table(shown)
        found = [[float(text) for text in row[1:5]] for row in rows[1:3]]
        np.testing.assert_allclose(found, z[:, :, 0], atol=5e-5)


async def test_a_sequence_is_shown_as_time_by_feature_of_a_sample():
    async with debugger(lines_program("gated"), COMMON) as shown:
        await show(shown, "x")
        assert "at [0, :↓, :→]" in shown.text()
        await shown.press("right_curly_bracket")
        assert "at [1, :↓, :→]" in shown.text()
        await shown.press("comma")
        await typed(shown, ":, 2, :")
        assert "at [:↓, 2, :→]" in shown.text()
        await shown.press("at")
        await typed(shown, "1, 0, 1")
        assert grid(shown).index() == (1, 0, 1)


async def test_an_index_needs_as_many_numbers_as_axes():
    async with debugger(HEADS, COMMON) as shown:
        await show(shown, "K")
        await shown.press("at")
        await typed(shown, "3, 0, 2, 1")
        assert grid(shown).index() == (3, 0, 2, 1)
        await shown.press("at")
        await typed(shown, "4, 0, 0, 0")
        assert "no cell [4, 0, 0, 0] here" in shown.text()
        await shown.press("i")
        assert "set K[3, 0, 2, 1] = " in shown.text()


async def test_the_pictures_of_filters_follow_the_index_and_a_click():
    async with debugger(HEADS, COMMON) as shown:
        await show(shown, "K")
        await shown.press("h", "h")
        assert grid(shown).face == Face.PICTURE
        assert "K[0, 0] of 4 pictures" in shown.text()
        await shown.press("right_curly_bracket")
        assert "K[1, 0] of 4 pictures" in shown.text()
        assert grid(shown).index()[:2] == (1, 0)
        view = shown.main.view
        assert view is not None
        canvas = grid(shown).tiles(view).canvas(3)
        pilot: Pilot[None] = shown.pilot
        await pilot.click(TensorGrid, offset=(canvas.left, canvas.top + 1))
        await shown.settled()
        assert grid(shown).index() == (3, 0, 0, 0)
        assert "K[3, 0] of 4 pictures" in shown.text()
        await shown.press("backslash")  # other axes: no pictures side by side
        assert grid(shown).face == Face.HEAT


async def test_heads_of_attention_are_a_heat_map_with_indices_and_pictures():
    async with debugger(HEADS, COMMON) as shown:
        await shown.press("f", "n", "n")
        await show(shown, "A")
        await shown.press("h")
        assert any(row.split("││")[-1].strip("│ ").split() == list("0123") for row in shown.rows())
        await shown.press("h")
        assert "A[0, 0] of 4 pictures" in shown.text()


async def test_pictures_of_nothing_and_of_a_single_number():
    for shape in ((0, 3, 3), (2, 0, 3), (1, 1, 1), (3, 1, 1, 1)):
        async with tensor_pane(np.zeros(shape), size=COMMON) as shown:
            for key in ("h", "h", "h", "right", "down", "right_curly_bracket", "j", "W", "Y"):
                await shown.press(key)
            assert shown.app.is_running
