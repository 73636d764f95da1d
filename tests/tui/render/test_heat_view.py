import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.render.charts import palette
from tui.render.charts.heatmap import HeatCell
from tui.render.heat_view import (
    BAR,
    CURSOR,
    HIGHEST,
    WIDEST,
    Canvas,
    heat_lines,
    labelled,
    picture_size,
    with_cursor,
)

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


def labelled_picture(down, across, width=40, height=8, coloured=True):
    canvas = labelled(down, across, width, height, coloured)
    matrix = np.ones((len(down), len(across)))
    lines = heat_lines(matrix, canvas, width, None, (), (down, across))[1:]
    return [text(line).rstrip() for line in lines]


def test_every_index_stands_at_its_row_and_column_where_there_is_room():
    heading, *lines = labelled_picture(range(2), range(3), height=9)
    assert heading == "   0       1       2"
    assert [line[:3] for line in lines] == [" 0 ", *["   "] * 3, " 1 ", *["   "] * 3]
    assert {line[3:] for line in lines} == {"▀" * 24}


def test_the_first_and_the_last_index_stand_at_the_edges_of_a_large_matrix():
    lines = labelled_picture(range(10, 1000, 3), range(0, 200, 2))
    assert lines[0] == "     0" + " " * 31 + "198"
    assert lines[1].startswith("  10 ▀")
    assert lines[-1].startswith(" 997 ▀")
    assert [line[:5].strip() for line in lines[2:-1]] == [""] * (len(lines) - 3)


@given(LENGTHS, LENGTHS, st.integers(0, 120), st.integers(0, 30), st.booleans())
def test_labels_never_take_more_room_than_there_is(rows, cols, width, height, coloured):
    canvas = labelled(range(rows), range(cols), width, height, coloured)
    lines = labelled_picture(range(rows), range(cols), width, height, coloured)
    assert len(lines) <= height
    assert all(len(line) <= width for line in lines)
    assert canvas.width <= WIDEST * cols
    assert canvas.height <= HIGHEST * rows
    if canvas.top and canvas.left and canvas.height > 1:
        marks = [line[: canvas.left].strip() for line in lines[canvas.top :]]
        assert lines[0].split()[0] == marks[0] == "0"
        last = canvas.cell_of(rows - 1, 0)[0]
        assert marks[last] == (str(rows - 1) if last else "0")


def test_a_small_tensor_is_not_stretched():
    lines = labelled_picture(range(4), range(2), 100, 30)
    assert max(map(len, lines)) == 3 + 2 * WIDEST
    assert len(lines) == 1 + 4 * HIGHEST
