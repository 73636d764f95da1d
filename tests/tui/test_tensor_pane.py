"""The tensor pane by its keys: parts, sides, formats, searches, pictures, copying, saving."""

from contextlib import asynccontextmanager
from dataclasses import replace

import numpy as np
import pytest
from textual import events
from textual.widgets import Input

from engine.position import Granularity
from tests.tui.screen import Debugger, debugger
from tui.commands import COMMANDS, help_rows
from tui.journeys import LongRun
from tui.look import Face
from tui.render import grid as formatting
from tui.render.sides import Side
from tui.screens.help import HelpScreen
from tui.view import Selection, look
from tui.widgets.tensor import TensorPane
from tui.widgets.tensor_grid import TensorGrid

SMALL, COMMON, LARGE = (80, 24), (120, 40), (200, 60)


@pytest.fixture(autouse=True)
def _all_colours(monkeypatch):
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)


@asynccontextmanager
async def tensor_pane(array=None, before=None, size=SMALL, program="regression"):
    """The debugger with the tensor pane in focus; an array takes the place of x."""
    async with debugger(program, size) as shown:
        shown.main.go_to_pane("tensor")
        await shown.settled()
        if array is not None:
            put(shown, array, before)
            await shown.settled()
        yield shown


def put(shown: Debugger, array, before=None):
    """Show an array as x, with a value before."""
    before = array if before is None else before
    real = shown.session

    def looked():
        view = look(real, Selection(tensor="x"), lambda name: "")
        tensors = {**view.tensors, "x": array}
        return replace(view, tensor="x", tensors=tensors, before=before, event=1)

    shown.main.looked = looked
    shown.main.show_now()


def pane(shown: Debugger) -> TensorPane:
    return shown.main.query_one(TensorPane)


def grid(shown: Debugger) -> TensorGrid:
    return shown.main.query_one(TensorGrid)


def note(shown: Debugger) -> str:
    return shown.main.view.note


def table(shown: Debugger) -> list[list[str]]:
    """The words of the lines of the grid: labels above, then a label and its numbers."""
    rows = [row.strip("│ ▏▎▍▌▋▊▉█▁▂▃▄▅▆▇") for row in shown.rows()[8:-3]]
    return [row.replace("▸", "").replace("•", "").split() for row in rows if row]


async def typed(shown: Debugger, text: str) -> None:
    """Answer the prompt that is open."""
    field = shown.app.focused
    assert isinstance(field, Input)
    field.value = text
    await shown.press("enter")


def numbered(*shape):
    return np.arange(float(np.prod(shape))).reshape(shape)


# -- any rank, any size


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_only_the_visible_cells_are_formatted(size, monkeypatch):
    counted = []
    cells = formatting.cells

    def counting(window, fmt, digits):
        counted.append(window.size)
        return cells(window, fmt, digits)

    async with tensor_pane(size=size) as shown:
        shown.main.action_zoom()
        await shown.settled()
        monkeypatch.setattr(formatting, "cells", counting)
        room = grid(shown).room.height * (grid(shown).room.width // 9)
        # 10⁸ elements in the memory of 10⁴
        put(shown, np.broadcast_to(np.arange(10_000.0), (10_000, 10_000)))
        await shown.settled()
        assert 0 < sum(counted) <= 2 * room
        for key in (
            "down",
            "right",
            "pagedown",
            "end",
            "ctrl+right",
            "home",
            "plus",
            "equals_sign",
        ):
            counted.clear()
            await shown.press(key)
            assert max(counted, default=0) <= room
            assert sum(counted) <= 8 * room
        counted.clear()
        pane(shown).go_to((9_999, 9_999))
        await shown.settled()
        assert max(counted) <= room
        assert table(shown)[-1][-1] == "9999.00000"
        assert table(shown)[0][-1] == "9999"


@pytest.mark.parametrize("rank", range(7))
async def test_every_rank_up_to_six_and_every_axis(rank):
    tensor = numbered(*(range(2, 2 + rank)))
    async with tensor_pane(tensor, size=COMMON) as shown:
        for _ in range(3):
            index = tuple(int(length) - 1 for length in tensor.shape)
            pane(shown).go_to(index)
            await shown.settled()
            assert grid(shown).index() == index
            assert grid(shown).value() == tensor[index]
            await shown.press("backslash", "T")
            assert grid(shown).index() == index
            assert grid(shown).value() == tensor[index]


async def test_a_slice_and_the_index_of_the_other_axes():
    async with tensor_pane(numbered(3, 4, 5)) as shown:
        assert table(shown)[:2] == [list("01234"), ["0", *(f"{n}.0000" for n in range(5))]]
        await shown.press("comma")
        assert shown.app.focused.value == "0, :, :"
        await typed(shown, "2, 1:, ::2")
        assert table(shown)[0] == ["0", "2", "4"]
        assert table(shown)[1] == ["1", "45.0000", "47.0000", "49.0000"]
        assert "[2, 1:↓, ::2→]" in shown.text()
        await shown.press("right_curly_bracket")
        assert table(shown)[1] == ["1", "5.0000", "7.0000", "9.0000"]
        await shown.press("left_curly_bracket", "left_curly_bracket")
        assert table(shown)[1] == ["1", "25.0000", "27.0000", "29.0000"]
        await shown.press("comma")
        await typed(shown, "7")
        assert note(shown) == "index 7 is outside axis 0, which has 3 entries"
        assert table(shown)[1][1] == "25.0000"


async def test_choosing_axes_keeps_the_element_under_the_cursor():
    tensor = numbered(3, 4, 5)
    async with tensor_pane(tensor) as shown:
        pane(shown).go_to((2, 1, 3))
        for _ in range(6):
            await shown.press("backslash")
            assert grid(shown).index() == (2, 1, 3)
        assert "[2, :↓, :→]" in shown.text()
        await shown.press("vertical_line")
        assert "[:→, :↓, 3]" not in shown.text()  # one back is the last choice: axes 2 and 1
        assert "[2, :→, :↓]" in shown.text()
        assert table(shown)[1] == ["0", "40.0000", "45.0000", "50.0000", "55.0000"]


async def test_at_goes_to_an_index_of_any_axis():
    async with tensor_pane(numbered(3, 4, 5)) as shown:
        for text, index in (("2,1,3", (2, 1, 3)), ("0,4", (2, 0, 4)), ("2", (2, 0, 2))):
            await shown.press("at")
            await typed(shown, text)
            assert grid(shown).index() == index
        for text in ("3,0,0", "9", "1,2,3,4"):
            await shown.press("at")
            await typed(shown, text)
            assert note(shown) == f"no cell [{text}] here"
    async with tensor_pane(np.array([[0.0, 7.0], [9.0, 11.0]])) as shown:
        await shown.press("at")
        await typed(shown, "0,1,1")
        assert grid(shown).index() == (1, 1)
        pane(shown).go_to((0, 1))
        put(shown, np.zeros((1, 1)))  # the batch has become smaller
        await shown.settled()
        assert grid(shown).index() == (0, 0)


async def test_tensors_without_elements_and_scalars():
    async with tensor_pane() as shown:
        for shape in ((0,), (2, 0, 3)):
            put(shown, np.zeros(shape))
            for command in COMMANDS:
                if command.pane == "tensor":
                    await shown.press(command.keys[0])
                    if isinstance(shown.app.focused, Input):
                        await shown.press("escape")
            assert shown.app.is_running
    async with tensor_pane(np.array(4.25)) as shown:
        assert "[] = 4.25" in shown.text()


# -- how the numbers are shown


async def test_formats_and_digits():
    async with tensor_pane(np.array([[0.1, -2.5]])) as shown:
        for key, cell in [
            ("plus", "0.10000"),
            ("minus", "0.1000"),
            ("number_sign", "1.0000e-01"),
            ("minus", "1.000e-01"),
            ("number_sign", "0.100"),
            ("plus", "0.1000"),
            ("number_sign", "0x1.999999999999ap-4"),
            ("plus", "0x1.999999999999ap-4"),
            ("number_sign", "0.1000"),
            ("dollar_sign", "0x1.999999999999ap-4"),
        ]:
            await shown.press(key)
            assert table(shown)[1][1] == cell
        await shown.press("plus")
        assert note(shown) == "hexadecimal numbers have all their digits"
        await shown.press("number_sign", *["minus"] * 5)
        assert note(shown) == "0 is the smallest number of digits"


async def test_columns_never_shrink_while_the_tensor_stays():
    async with tensor_pane(np.array([[1.0, 2.0]])) as shown:
        widths = []
        for value in (1.0, 1_000_000.0, 2.0, -1e9, 0.5):
            put(shown, np.array([[value, 2.0]]))
            await shown.settled()
            widths.append(grid(shown).cell)
        assert widths == sorted(widths)
        assert widths[0] < widths[-1]


async def test_numbers_that_come_into_view_are_whole():
    matrix = np.ones((100, 100))
    matrix[:, 50:] = 123456.0
    async with tensor_pane(matrix) as shown:
        await shown.press(*["ctrl+right"] * 9)
        labels, *rows = table(shown)
        assert labels[0] != "0"
        assert all(word in ("1.0000", "123456.0000") for row in rows for word in row[1:])
        assert str(grid(shown).column) in labels
        assert len(rows[0]) - 1 == len(labels)


async def test_a_range_of_values_is_marked_without_colour_too():
    async with tensor_pane(np.array([[0.25, 0.5, 2.0, np.nan]])) as shown:
        await shown.press("r")
        await typed(shown, "0.3..2")
        line = shown.rows()[9]
        assert [part.strip() for part in line.strip("│ ").split("•")] == [
            "0    0.2500",
            "0.5000",
            "2.0000      nan",
        ]
        assert "• 0.3..2.0" in shown.text()
        await shown.press("r")
        assert shown.app.focused.value == "0.3..2.0"
        await typed(shown, "none")
        assert "is no range of values" in note(shown)
        assert "• 0.3..2.0" in shown.text()
        await shown.press("r")
        await typed(shown, "")
        assert "•" not in shown.text()
        await shown.press("exclamation_mark")
        assert note(shown) == "no range of values is set"


async def test_after_before_and_the_difference():
    after, before = np.array([[1.0, 5.0, np.nan]]), np.array([[1.0, 4.0, 0.0]])
    async with tensor_pane(after, before) as shown:
        assert shown.rows()[9].split()[2:-1] == ["1.0000", "▸5.0000", "▸nan"]
        await shown.press("equals_sign")
        assert shown.rows()[9].split()[2:-1] == ["1.0000", "▸4.0000", "▸0.0000"]
        assert " before " in shown.rows()[5]
        await shown.press("equals_sign")
        assert shown.rows()[9].split()[2:-1] == ["0.0000", "▸1.0000", "▸nan"]
        await shown.press("equals_sign")
        assert pane(shown).look.side == Side.AFTER


async def test_the_side_follows_the_level():
    async with tensor_pane(size=COMMON) as shown:
        shown.main.select_tensor("linear1.weight")
        await shown.press("f", "f", "u", "u", "equals_sign")
        assert shown.main.view.level == Granularity.ITERATION
        assert grid(shown).value() == shown.main.view.before[0, 0]
        assert grid(shown).value() != shown.main.view.array[0, 0]
        shown.main.select_tensor("loss")
        shown.session.goto(0)
        shown.main.show_now()
        await shown.settled()
        assert shown.app.is_running


async def test_what_was_not_there_before_says_so():
    async with tensor_pane() as shown:
        await shown.press("n", "s", "equals_sign")
        assert "no before: this op has written it for the first time" in shown.text()
        await shown.press("equals_sign", "j", "Y", "W")
        assert "no difference" in shown.text()
        assert note(shown) == "there is nothing to copy"


# -- looking for cells


async def test_every_kind_of_cell_is_found_both_ways():
    after = np.array([[3.0, np.nan, 0.0], [np.inf, -7.0, 0.5]])
    before = np.array([[3.0, 1.0, 0.0], [np.inf, -7.0, 0.25]])
    places = {
        "changed cell": [(0, 1), (1, 2)],
        "NaN": [(0, 1)],
        "infinity": [(1, 0)],
        "maximum": [(1, 0)],
        "minimum": [(1, 1)],
        "zero": [(0, 2)],
        "value in the range": [(0, 0), (1, 2)],
    }
    async with tensor_pane(after, before) as shown:
        await shown.press("r")
        await typed(shown, "0.3..4")
        for kind, expected in places.items():
            assert pane(shown).look.sought == kind
            pane(shown).go_to((0, 0))
            for key, order in (("j", expected), ("J", expected[::-1])):
                found = []
                for _ in expected:
                    await shown.press(key)
                    found.append(grid(shown).index())
                    assert note(shown).startswith(f"{kind} at {list(found[-1])}")
                assert sorted(found) == expected
                if len(expected) > 1:
                    assert found in (order, order[1:] + order[:1])
            await shown.press("k")
            assert "j and J look for" in note(shown)
        assert pane(shown).look.sought == "changed cell"
        await shown.press("K")
        assert pane(shown).look.sought == "value in the range"


async def test_a_search_says_that_it_went_around_or_found_nothing():
    async with tensor_pane(np.array([[1.0, np.nan, np.nan]])) as shown:
        await shown.press("k", "j")
        assert note(shown) == "NaN at [0, 1]"
        await shown.press("j", "j")
        assert note(shown) == "NaN at [0, 1] · around the end"
        await shown.press("k", "j")
        assert note(shown) == "no infinity here"
        await shown.press("k", "j", "j")
        assert note(shown) == "maximum at [0, 0] · the only one"
        await shown.press("k", "k", "k", "j")
        assert note(shown) == "no range of values is set: r sets one"


async def test_a_search_goes_through_the_axes_that_are_not_shown():
    tensor = np.zeros((3, 4, 5))
    tensor[2, 3, 1] = np.nan
    async with tensor_pane(tensor) as shown:
        await shown.press("k", "j")
        assert grid(shown).index() == (2, 3, 1)
        assert "[2, :↓, :→]" in shown.text()


async def test_a_long_search_can_be_stopped_and_keeps_the_place(monkeypatch):
    async with tensor_pane(np.broadcast_to(np.float64(1.0), (10**5, 10**5))) as shown:
        await shown.press("right", "k")
        shown.app.simulate_key("j")
        while shown.main.long_run is None:
            await shown.pilot.pause(0.01)
        run: LongRun = shown.main.long_run
        assert run.text.startswith("looking for NaN 0% · Esc stops")
        shown.app.simulate_key("s")
        await shown.settled()
        assert shown.session.event == 0
        await shown.press("escape")
        assert shown.main.long_run is None
        assert note(shown) == "stopped"
        assert shown.main.view.busy == ""
        assert grid(shown).index() == (0, 1)


# -- vectors


async def test_a_long_vector_is_folded_with_the_index_of_each_line_at_the_left():
    async with tensor_pane(np.arange(20.0)) as shown:
        rows = table(shown)
        assert rows[0] == [f"+{at}" for at in range(8)]
        assert [row[0] for row in rows[1:]] == ["0", "8", "16"]
        assert [float(text) for row in rows[1:] for text in row[1:]] == list(range(20))
        await shown.resize(*COMMON)
        shown.main.action_zoom()
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
        assert pane(shown).look.face == Face.HEAT
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
        assert pane(shown).look.face == Face.PICTURE
        assert "x[0] as a picture" in shown.text()
        first = shown.text()
        await shown.press("down")
        assert "x[1] as a picture" in shown.text()
        assert shown.text() != first
        await shown.press("h")
        assert pane(shown).look.face == Face.NUMBERS


async def test_without_colours_shades_are_characters(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    async with tensor_pane(np.array([[-1.0, 0.0, 1.0]])) as shown:
        await shown.press("h")
        text = shown.text()
        assert " -1.0 ≡=~-,..:+*%# 1.0 " in text
        assert "≡≡≡" in text
        assert "###" in text
        assert "▀" not in text


# -- taking along


async def test_copying_a_cell_and_the_window():
    async with tensor_pane(np.array([[0.1, np.nan], [np.inf, 4.0]], dtype=np.float32)) as shown:
        await shown.press("Y")
        assert shown.app.clipboard == "0.1"
        await shown.press("W")
        assert shown.app.clipboard == "0.1\tnan\ninf\t4.0"
        assert note(shown).startswith("copied 2 × 2 cells")


async def test_only_the_window_is_copied():
    async with tensor_pane(np.broadcast_to(np.float64(1.0), (10**6, 10**6))) as shown:
        await shown.press("W")
        rows = shown.app.clipboard.split("\n")
        assert len(rows) == grid(shown).room.height - 1
        assert len(rows[0].split("\t")) == len(table(shown)[0])


async def test_saving_and_refusing_to_overwrite(tmp_path):
    tensor = numbered(3, 4, 5)
    async with tensor_pane(tensor) as shown:
        for name in ("t.npy", "t.csv"):
            await shown.press("ctrl+s")
            assert shown.app.focused.value == "x.npy"
            await typed(shown, str(tmp_path / name))
            assert str(tmp_path / name) in note(shown)
        np.testing.assert_array_equal(np.load(tmp_path / "t.npy"), tensor)
        np.testing.assert_array_equal(np.loadtxt(tmp_path / "t.csv", delimiter=","), tensor[0])
        before = (tmp_path / "t.npy").read_bytes()
        await shown.press("ctrl+s")
        await typed(shown, str(tmp_path / "t.npy"))
        assert "nothing is overwritten" in note(shown)
        assert (tmp_path / "t.npy").read_bytes() == before
        await shown.press("ctrl+s")
        await typed(shown, str(tmp_path / "t.bin"))
        assert "must end in .npy or .csv" in note(shown)


async def test_what_is_shown_is_what_is_saved(tmp_path):
    async with tensor_pane(np.array([[1.0, 5.0]]), np.array([[0.0, 7.0]])) as shown:
        await shown.press("equals_sign", "equals_sign", "ctrl+s")
        await typed(shown, str(tmp_path / "d.npy"))
        assert np.load(tmp_path / "d.npy").tolist() == [[1.0, -2.0]]


# -- keys, mouse, sizes


async def test_the_keys_are_in_the_footer_the_help_and_the_palette():
    mine = [command for command in COMMANDS if command.pane == "tensor"]
    others = {key for c in COMMANDS if not c.pane for key in (*c.keys, *c.aliases)}
    assert not others & {key for command in mine for key in command.keys}
    assert help_rows(pane="tensor")[0][0] == "Tensor pane"
    async with tensor_pane(size=COMMON) as shown:
        assert " h heat map" in shown.text().splitlines()[-1]
        titles = {entry.title for entry in shown.app.get_system_commands(shown.main)}
        assert {command.title for command in mine} <= titles
        shown.main.go_to_pane("program")
        await shown.settled()
        assert "heat map" not in shown.text().splitlines()[-1]
        await shown.press("question_mark")
        assert isinstance(shown.app.screen, HelpScreen)


async def test_the_palette_runs_a_command_of_the_pane_from_anywhere():
    async with tensor_pane() as shown:
        shown.main.go_to_pane("program")
        await shown.settled()
        command = next(command for command in COMMANDS if command.id == "heat")
        await shown.app.runner(command)()
        await shown.settled()
        assert shown.main.pane == "tensor"
        assert pane(shown).look.face == Face.HEAT


async def test_the_mouse_selects_and_scrolls():
    async with tensor_pane(numbered(100, 100)) as shown:
        labels = grid(shown).label
        await shown.pilot.click(TensorGrid, offset=(labels + 2 * grid(shown).cell + 3, 4))
        await shown.settled()
        assert grid(shown).index() == (3, 2)
        for _ in range(3):
            await shown.pilot.hover(TensorGrid, offset=(20, 3))
            grid(shown).scroll_down(animate=False)
        await shown.settled()
        assert table(shown)[1][0] == "3"
        await shown.press("h")
        await shown.pilot.click(TensorGrid, offset=(0, 1))
        await shown.settled()
        assert grid(shown).index() == (0, 0)


async def test_any_size_at_any_moment_keeps_the_cursor_in_view():
    async with tensor_pane(numbered(300, 300)) as shown:
        pane(shown).go_to((250, 250))
        for face in ("numbers", "heat"):
            for size in [(200, 60), (20, 5), (80, 24)]:
                await shown.resize(*size)
                assert shown.app.is_running
                assert grid(shown).index() == (250, 250)
            if face == "numbers":
                assert "250" in table(shown)[0]
                assert "250" in [row[0] for row in table(shown)]
            await shown.press("h")


async def test_keys_typed_ahead_reach_the_prompt():
    async with tensor_pane(numbered(3, 4)) as shown:
        for key, letter in (("r", "r"), ("greater_than_sign", ">"), ("5", "5"), ("enter", "\r")):
            shown.app.post_message(events.Key(key, letter))
        for _ in range(500):
            if pane(shown).look.bounds is not None:
                break
            await shown.pilot.pause(0.01)
        assert str(pane(shown).look.bounds) == ">5.0"


async def test_few_colours_are_no_shades(monkeypatch):
    monkeypatch.delenv("COLORTERM")
    monkeypatch.setenv("TERM", "xterm")
    async with tensor_pane(np.array([[-1.0, 0.0, 1.0]])) as shown:
        await shown.press("h")
        assert "≡≡≡" in shown.text()
