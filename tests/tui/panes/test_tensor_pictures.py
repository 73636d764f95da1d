"""The tensor pane: long vectors folded into lines, heat maps, pictures."""

import numpy as np
import pytest

from tests.tui.tensors import COMMON, LARGE, grid, numbered, pane, put, table, tensor_pane, typed
from tui.panes.tensor_grid import TensorGrid
from tui.render import grid as formatting
from tui.view.display import Face

# -- vectors


async def test_a_long_vector_is_folded_with_the_index_of_each_line_at_the_left():
    async with tensor_pane(np.arange(20.0)) as shown:
        rows = table(shown)
        assert rows[0] == [f"+{at}" for at in range(8)]
        assert [row[0] for row in rows[1:]] == ["0", "8", "16"]
        assert [float(text) for row in rows[1:] for text in row[1:]] == list(range(20))
        await shown.resize(*COMMON)
        await shown.settled()
        assert [row[0] for row in table(shown)[1:3]] == ["0", "10"]
    async with tensor_pane(np.arange(5.0)) as shown:
        assert table(shown)[0] == list("01234")  # nothing to fold: the indices stand above


async def test_the_cursor_of_a_folded_vector_goes_by_elements_and_by_lines():
    async with tensor_pane(np.arange(20.0)) as shown:
        for key, at in {
            "right": 1, "down": 9, "pagedown": 17, "end": 19, "up": 11, "left": 10, "home": 0,
            "ctrl+right": 19,
        }.items():  # fmt: skip
            await shown.press(key)
            assert grid(shown).index() == (at,), key
            assert f"[{at}] = {at}.0" in shown.text()
        await shown.press("at")
        await typed(shown, "13")
        assert grid(shown).index() == (13,)
        await shown.pilot.click(TensorGrid, offset=(grid(shown).label + grid(shown).cell, 3))
        await shown.settled()
        assert grid(shown).index() == (17,)
        await shown.pilot.click(TensorGrid, offset=(grid(shown).label + 6 * grid(shown).cell, 3))
        await shown.settled()
        assert grid(shown).index() == (17,)  # there is no element 22


async def test_searches_marks_copies_and_slices_of_a_folded_vector():
    before = np.arange(300.0)
    after = before.copy()
    after[[3, 250]] = np.nan
    async with tensor_pane(after, before) as shown:
        await shown.press("j")
        assert grid(shown).index() == (3,)
        await shown.press("j")
        assert grid(shown).index() == (250,)
        changed = [row for row in shown.rows() if "▸nan" in row.replace(" ", "")]
        assert len(changed) == 1
        assert " 245 " in changed[0]
        await shown.press("W")
        copied = [float(text) for text in shown.app.clipboard.split("\t")]
        first = int(table(shown)[1][0])
        assert np.array_equal(copied, after[first : first + len(copied)], equal_nan=True)
        assert len(copied) == 7 * (grid(shown).room.height - 1)
        await shown.press("comma")
        await typed(shown, "100:200:3")
        assert table(shown)[0][:3] == ["+0", "+3", "+6"]
        assert table(shown)[2][:2] == ["121", "121.0000"]
        await shown.press("T")
        assert grid(shown).per_line == 0
        assert [row[0] for row in table(shown)[1:4]] == ["100", "103", "106"]
        await shown.press("T", "h", "h", "end")
        assert grid(shown).index() == (199,)
        assert table(shown)[-1][-1] == "199.0000"


async def test_wider_numbers_keep_the_first_element_in_sight():
    async with tensor_pane(np.arange(5000.0)) as shown:
        pane(shown).go_to((4321,))
        await shown.settled()
        for key in ("plus",) * 9 + ("number_sign", "dollar_sign") + ("minus",) * 12:
            await shown.press(key)
            assert grid(shown).index() == (4321,)
            row = next(row for row in table(shown)[1:] if int(row[0]) + len(row) - 1 > 4321)
            assert int(row[0]) <= 4321
            assert float(row[1 + 4321 - int(row[0])]) == 4321.0


async def test_a_folded_vector_keeps_its_cursor_in_view_at_any_size():
    async with tensor_pane(np.arange(200.0)) as shown:
        pane(shown).go_to((150,))
        for size in [(20, 5), (200, 60), (10, 3), (30, 20), (80, 24)]:
            await shown.resize(*size)
            assert grid(shown).index() == (150,)
            if grid(shown).room.height > 1:
                assert 150 in grid(shown).seen()[1]
                assert any("150." in row for row in shown.rows()[4:])
        put(shown, np.arange(7.0))  # another length: the last batch is smaller
        await shown.settled()
        assert table(shown)[0] == list("0123456")
        assert grid(shown).index() == (6,)


async def test_of_a_huge_vector_only_what_is_seen_is_formatted(monkeypatch):
    counted = []
    cells = formatting.cells

    def counting(window, fmt, digits):
        counted.append(window.size)
        return cells(window, fmt, digits)

    async with tensor_pane(size=LARGE) as shown:
        monkeypatch.setattr(formatting, "cells", counting)
        put(shown, np.broadcast_to(np.float64(1.0), (10**8,)))
        await shown.settled()
        room = grid(shown).room.height * (grid(shown).room.width // 9)
        for key in ("end", "pageup", "up", "home", "down"):
            await shown.press(key)
        assert 0 < max(counted) <= room
        pane(shown).go_to((10**8 - 1,))
        await shown.settled()
        assert "[99999999] = 1.0" in shown.text()


# -- pictures


async def test_the_heat_map_has_a_legend_and_the_value_under_the_cursor():
    matrix = np.array([[-1.0, 2.0], [np.nan, np.inf]])
    async with tensor_pane(matrix) as shown:
        await shown.press("h")
        assert pane(shown).form.face == Face.HEAT
        text = shown.text()
        assert " -2.0 ▌" in text
        assert "N NaN  ^ +inf  white is 0" in text
        assert "▀▀▀" in text
        assert "NNN" in text
        await shown.press("right")
        assert "[0, 1] = 2.0" in shown.text()
        await shown.press("h")
        assert table(shown)[1] == ["0", "-1.0000", "2.0000"]
        assert grid(shown).index() == (0, 1)


async def test_the_cursor_of_a_heat_map_goes_from_pixel_to_pixel():
    async with tensor_pane(numbered(1000, 1000)) as shown:
        await shown.press("h", "down", "right")
        row, column = grid(shown).index()
        assert (row, column) == grid(shown).pace()
        assert row > 1
        assert column > 1
        await shown.press("end")
        assert grid(shown).row == 999
        assert "averages of" in shown.text()


async def test_limits_of_the_heat_map_are_the_range_and_what_is_beyond_shows():
    async with tensor_pane(np.array([[0.0, 5.0, 9.0]])) as shown:
        await shown.press("h", "r")
        await typed(shown, "1..6")
        text = shown.text()
        assert " 1.0 ▌" in text
        assert "«» 2 beyond the limits" in text
        assert "«««" in text
        assert "»»»" in text


async def test_the_heat_map_is_labelled_and_a_click_meets_the_element_beside_its_labels():
    async with tensor_pane(numbered(3, 2)) as shown:
        await shown.press("h")
        assert table(shown)[1][:2] == ["0", "1"]
        assert table(shown)[2][0] == "0"
        for (x, y), index in {
            (10, 4): (0, 0),
            (11, 2): (0, 1),
            (18, 6): (1, 1),
            (70, 30): (2, 1),
        }.items():
            shown.main.query_one(TensorGrid).go_to(0, 0)
            await shown.pilot.click(TensorGrid, offset=(x, min(y, grid(shown).room.height - 1)))
            await shown.settled()
            assert grid(shown).index() == index
            assert f"[{index[0]}, {index[1]}] = " in shown.text()


async def test_the_value_before_keeps_its_own_indices_where_the_batch_was_larger():
    async with tensor_pane(numbered(3, 4), numbered(20, 4)) as shown:
        await shown.press("equals_sign", "end")
        assert table(shown)[-1] == ["19", "76.0000", "77.0000", "78.0000", "79.0000"]
        assert "[19, 0] = 76.0" in shown.text()
        await shown.press("at")
        await typed(shown, "12,1")
        assert grid(shown).index() == (12, 1)
        await shown.press("k", "k", "k", "j")  # the maximum
        assert grid(shown).index() == (19, 3)
        await shown.press("h", "end")
        assert "[19, 3] = 79.0" in shown.text()


async def test_a_heat_map_shows_the_difference_too():
    async with tensor_pane(np.array([[1.0, 5.0]]), np.array([[0.0, 7.0]])) as shown:
        await shown.press("h", "equals_sign", "equals_sign")
        assert " -2.0 ▌" in shown.text()


async def test_an_image_is_drawn_from_the_row_of_the_cursor():
    async with tensor_pane(program="digits", size=COMMON) as shown:
        experiment = shown.session.program.experiment
        if getattr(experiment.data, "image", None) is None:
            pytest.skip("the digits' rows are not declared as images")
        await shown.press("h", "h")
        assert pane(shown).form.face == Face.PICTURE
        assert "x[0] as a picture" in shown.text()
        first = shown.text()
        await shown.press("down")
        assert "x[1] as a picture" in shown.text()
        assert shown.text() != first
        await shown.press("h")
        assert pane(shown).form.face == Face.NUMBERS


async def test_without_colours_shades_are_characters(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    async with tensor_pane(np.array([[-1.0, 0.0, 1.0]])) as shown:
        await shown.press("h")
        text = shown.text()
        assert " -1.0 ≡=~-,..:+*%# 1.0 " in text
        assert "≡≡≡" in text
        assert "###" in text
        assert "▀" not in text
