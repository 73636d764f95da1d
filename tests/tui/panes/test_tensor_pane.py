"""The tensor pane by its keys: parts, sides, formats, searches."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from textual.widgets import Input

from engine.run.position import Granularity
from tests.tui.screen import PATIENCE
from tests.tui.tensors import (
    COMMON,
    LARGE,
    SMALL,
    grid,
    grid_rows,
    numbered,
    pane,
    put,
    table,
    tensor_pane,
    typed,
)
from tests.tui.typist import note
from tui.control.worker import Job
from tui.keys.table import COMMANDS
from tui.render import grid as formatting
from tui.view.versions import Version

# -- any rank, any size


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_only_the_visible_cells_are_formatted(size, monkeypatch):
    counted = []
    cells = formatting.cells

    def counting(window, fmt, digits):
        counted.append(window.size)
        return cells(window, fmt, digits)

    async with tensor_pane(size=size) as shown:
        shown.main.parts.panes.zoom()
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
        line = grid_rows(shown)[1]
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
        assert grid_rows(shown)[1].split()[2:-1] == ["1.0000", "▸5.0000", "▸nan"]
        await shown.press("equals_sign")
        assert grid_rows(shown)[1].split()[2:-1] == ["1.0000", "▸4.0000", "▸0.0000"]
        assert " before " in shown.rows()[6]
        await shown.press("equals_sign")
        assert grid_rows(shown)[1].split()[2:-1] == ["0.0000", "▸1.0000", "▸nan"]
        await shown.press("equals_sign")
        assert pane(shown).form.version == Version.AFTER


async def test_the_side_follows_the_level():
    async with tensor_pane(size=COMMON) as shown:
        shown.main.parts.follow.tensor("linear1.weight")
        await shown.press("f", "f", "u", "u", "equals_sign")
        assert shown.main.view.level == Granularity.ITERATION
        assert grid(shown).value() == shown.main.view.before[0, 0]
        assert grid(shown).value() != shown.main.view.array[0, 0]
        shown.main.parts.follow.tensor("loss")
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
            assert pane(shown).form.sought == kind
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
        assert pane(shown).form.sought == "changed cell"
        await shown.press("K")
        assert pane(shown).form.sought == "value in the range"


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


@pytest.fixture
def go_on(monkeypatch) -> Iterator[threading.Event]:
    """What goes on in a thread makes one piece, and the next ones when the event is set."""
    event, pull = threading.Event(), Job.pull

    def pulled(run: Job) -> bool:
        if threading.current_thread() is not threading.main_thread() and run.at > 0:
            event.wait(PATIENCE)
        return pull(run)

    monkeypatch.setattr("tui.control.worker.INLINE_SECONDS", -1.0)
    monkeypatch.setattr(Job, "pull", pulled)
    yield event
    event.set()


async def test_a_long_search_can_be_stopped_and_keeps_the_place(go_on):
    async with tensor_pane(np.broadcast_to(np.float64(1.0), (10**5, 10**5))) as shown:
        await shown.press("right", "k")
        shown.app.simulate_key("j")
        await shown.until(lambda: shown.main.job)
        run: Job = shown.main.job
        assert run.text == "looking for NaN 0% · Esc stops"
        shown.app.simulate_key("s")
        await shown.settled()
        assert shown.session.event == 0
        shown.app.simulate_key("escape")
        await shown.until(lambda: run.cancelled)
        go_on.set()
        await shown.idle()
        assert note(shown) == "stopped"
        assert shown.main.view.busy == ""
        assert grid(shown).index() == (0, 1)
