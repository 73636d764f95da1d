import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.render import palette
from tui.render.heat_view import BAR, CURSOR, Canvas, heat_lines, picture_size, with_cursor
from tui.render.heatmap import HeatCell

LENGTHS = st.integers(1, 60)


def text(cells):
    return "".join(cell.char for cell in cells)


def legend_of(matrix, width=100, coloured=True, scale=None):
    rows, cols = matrix.shape
    canvas = Canvas(rows, cols, width, 4, coloured)
    return heat_lines(matrix, canvas, width, scale)[0]


def test_the_legend_has_the_limits_at_the_ends_of_their_colours():
    cells = legend_of(np.array([[-1.0, 2.0]]))
    assert text(cells).startswith(f" -2.0 {'▌' * BAR} 2.0 ")
    bar = [cell for cell in cells if cell.char == "▌"]
    assert bar[0].foreground == palette.DIVERGING[0]
    assert bar[-1].background == palette.DIVERGING[-1]
    assert "white is 0" in text(cells)
    assert text(legend_of(np.array([[1.0, 3.0]]))) == f" 1.0 {'▌' * BAR} 3.0 "


def test_the_legend_without_colours_shows_the_ramp():
    assert text(legend_of(np.array([[-1.0, 2.0]]), coloured=False)) == " -2.0 ≡=~-,..:+*%# 2.0 "
    assert text(legend_of(np.array([[1.0, 2.0]]), coloured=False)) == " 1.0 .:+*%# 2.0 "


def test_the_legend_says_what_the_picture_leaves_out():
    matrix = np.arange(40_000.0).reshape(200, 200)
    matrix[0, 0], matrix[5, 5], matrix[9, 9] = np.nan, np.inf, -np.inf
    said = text(legend_of(matrix, scale=(0.0, 100.0)))
    assert "beyond the limits" in said
    assert "averages of 25×2" in said
    assert all(words in said for words in ("N NaN", "^ +inf", "v -inf"))


@given(LENGTHS, LENGTHS, LENGTHS, st.integers(1, 20), st.booleans(), st.data())
def test_a_cell_leads_to_its_element_and_back(rows, cols, width, height, coloured, data):
    canvas = Canvas(rows, cols, width, height, coloured)
    row, col = data.draw(st.integers(0, rows - 1)), data.draw(st.integers(0, cols - 1))
    line, place = canvas.cell_of(row, col)
    assert 0 <= line < height
    assert 0 <= place < width
    first = canvas.element_at(line, place)
    down, across = canvas.per_pixel()
    assert first[0] <= row <= first[0] + 2 * down
    assert first[1] <= col < first[1] + across
    assert canvas.cell_of(*first)[1] == place


@given(LENGTHS, LENGTHS, st.integers(1, 20))
def test_the_cursor_stands_on_the_element_that_was_drawn(cols, width, height):
    matrix = np.zeros((1, cols))
    matrix[0, cols - 1] = np.nan
    canvas = Canvas(1, cols, width, height)
    picture = heat_lines(matrix, canvas, width, None)[1:]
    line, place = canvas.cell_of(0, cols - 1)
    assert picture[line][place].char == "N"
    assert with_cursor(picture[line], place)[place].char == CURSOR


def test_the_cursor_keeps_the_colour_under_it():
    cell = with_cursor([HeatCell("▀", (1, 2, 3), (9, 9, 9))], 0)[0]
    assert (cell.foreground, cell.background) == ((255, 255, 255), (9, 9, 9))
    assert with_cursor([HeatCell(" ", None, None)], 5)[0].char == " "


@pytest.mark.parametrize(
    ("room", "size"), [((80, 20), (40, 20)), ((9, 20), (8, 4)), ((100, 5), (8, 4))]
)
def test_the_pixels_of_an_image_are_square(room, size):
    assert picture_size(8, 8, *room, True) == size
