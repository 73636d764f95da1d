"""Small pictures side by side: how they are laid out, and that all are to one scale."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.render.charts.heatmap import heat_cells
from tui.render.tiles import Tiles, limits, tile_lines, tiles_of


def test_a_row_of_pictures_for_each_filter() -> None:
    found = tiles_of((4, 3, 5, 5), 80, 30, True)
    assert found.across == 3
    assert found.down == 4
    assert (found.width, found.height) == (10, 5)  # two pixels an element, two in a cell's height


def test_pictures_of_one_channel_stand_in_a_row() -> None:
    found = tiles_of((4, 1, 3, 3), 80, 10, True)
    assert (found.across, found.down) == (4, 1)


def test_groups_stay_whole_where_they_cannot_have_a_row_each() -> None:
    found = tiles_of((16, 3, 3, 3), 60, 14, True)
    assert found.across % 3 == 0
    assert found.across * found.down >= 48


sizes = st.integers(1, 9)


@given(st.lists(sizes, min_size=1, max_size=2), sizes, sizes, st.integers(1, 90),
       st.integers(1, 30), st.booleans())  # fmt: skip
def test_pictures_never_leave_the_room(outer, rows, cols, width, height, coloured) -> None:
    found = tiles_of((*outer, rows, cols), width, height, coloured)
    assert found.across * (found.width + 1) - 1 <= width
    lines = -(-len(found.page(0)) // found.across)
    assert lines * (found.height + 1) - 1 <= height
    for tile in range(found.count):
        page = found.page(tile)
        assert tile in page
        canvas = found.canvas(tile)
        assert found.at(canvas.top, canvas.left, tile) == tile
        assert canvas.left + found.width <= width


def test_between_two_pictures_there_is_none() -> None:
    tiles = Tiles(4, 3, 3, 6, 3, 2, 2)
    assert tiles.at(0, 6, 0) is None
    assert tiles.at(3, 0, 0) is None
    assert tiles.at(0, 14, 0) is None
    assert tiles.at(-1, 0, 0) is None
    assert tiles.at(4, 7, 0) == 3


def test_all_pictures_have_the_scale_of_the_whole_tensor() -> None:
    array = np.zeros((2, 1, 2, 2))
    array[0] = [[[0.1, 0.2], [0.3, 0.4]]]
    array[1] = [[[1.0, 2.0], [3.0, 4.0]]]
    tiles = tiles_of(array.shape, 60, 10, True)
    lines = tile_lines(array, tiles, 1, 60, None, "K")
    drawn = [line[: tiles.width] for line in lines[1 : 1 + tiles.height]]
    assert drawn == heat_cells(array[0, 0], tiles.width, tiles.height, scale=(0.1, 4.0)).cells
    assert drawn != heat_cells(array[0, 0], tiles.width, tiles.height).cells
    legend = "".join(cell.char for cell in lines[0])
    assert "K[1, 0] of 2 pictures" in legend
    assert legend.startswith(" 0.1 ")
    assert " 4.0 " in legend


def test_what_does_not_fit_is_told_and_follows_the_picture_in_use() -> None:
    array = np.arange(100 * 64.0).reshape(100, 8, 8)
    tiles = tiles_of(array.shape, 30, 9, True)
    assert tiles.page(0) != tiles.page(99)
    assert 99 in tiles.page(99)
    legend = "".join(cell.char for cell in tile_lines(array, tiles, 99, 90, None, "x")[0])
    assert f"x[99] of 100 pictures, {tiles.page(99).start}…99 seen" in legend


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_the_scale_is_of_finite_values(bad: float) -> None:
    assert limits([np.array([1.0, bad, -2.0])]) == (-2.0, 1.0)
    assert limits([np.array([bad])]) is None
