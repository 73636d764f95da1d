from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tui.render.charts import palette
from tui.render.charts.heatmap import BLANK, HeatCell, heat_cells, legend_text, ramp_text

WHITE = palette.colour(palette.DIVERGING, 0.5)
MATRICES = st.sampled_from([np.float64, np.float32, np.int64, np.bool_]).flatmap(
    lambda dtype: hnp.arrays(
        dtype, hnp.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=9)
    )
)


def test_signed_data_is_centred_on_zero():
    heat = heat_cells(np.array([[1.0, -2.0], [0.0, 2.0]]), 2, 1)
    assert (heat.low, heat.high, heat.diverging, heat.averaged) == (-2.0, 2.0, True, False)
    assert heat.cells == [
        [
            HeatCell("▀", palette.colour(palette.DIVERGING, 0.75), WHITE),
            HeatCell("▀", palette.DIVERGING[0], palette.DIVERGING[-1]),
        ]
    ]
    assert legend_text(heat) == "-2.0 … 2.0, white is 0"


def test_data_without_a_sign_runs_from_minimum_to_maximum():
    heat = heat_cells(np.array([[1, 3]]), 2, 1)
    assert (heat.low, heat.high, heat.diverging) == (1.0, 3.0, False)
    assert heat.cells == [
        [HeatCell("▀", stop, stop) for stop in (palette.SEQUENTIAL[0], palette.SEQUENTIAL[-1])]
    ]


def test_an_odd_last_row_has_nothing_behind_it():
    cells = heat_cells(np.array([[1], [2], [3]]), 1, 2).cells
    assert cells[1] == [HeatCell("▀", palette.SEQUENTIAL[-1], None)]


def test_a_small_matrix_is_enlarged_and_the_rest_is_blank():
    heat = heat_cells(np.array([[0.0, 1.0]]), 5, 2)
    dark, bright = palette.SEQUENTIAL[0], palette.SEQUENTIAL[-1]
    row = [HeatCell("▀", dark, dark)] * 2 + [HeatCell("▀", bright, bright)] * 2 + [BLANK]
    assert heat.cells == [row, row]


def test_a_large_matrix_is_averaged_and_says_so():
    matrix = np.array([[0.0, 2.0, 10.0, 10.0], [4.0, 2.0, 10.0, 10.0]])
    heat = heat_cells(matrix, 2, 1)
    assert (heat.low, heat.high, heat.averaged) == (1.0, 10.0, True)
    assert heat_cells(matrix.repeat(2, axis=0), 2, 1).low == 1.0
    assert "averages" in legend_text(heat)


def test_non_finite_values_are_marked_even_among_many():
    matrix = np.ones((40, 40))
    matrix[0, 0], matrix[0, 39], matrix[39, 39] = np.nan, np.inf, -np.inf
    cells = heat_cells(matrix, 4, 2).cells
    assert [[cell.char for cell in row] for row in cells] == [list("N▀▀^"), list("▀▀▀v")]
    assert cells[0][0].background == palette.NOT_A_NUMBER


def test_averages_leave_out_what_is_not_finite():
    heat = heat_cells(np.array([[np.nan, 4.0, np.inf, 6.0, 1.0, 3.0]]), 3, 1)
    assert (heat.low, heat.high) == (2.0, 6.0)


def test_a_given_scale_clips_and_counts():
    heat = heat_cells(np.array([[0.0, 5.0, -5.0, 1.0]]), 4, 1, scale=(-1.0, 1.0))
    assert (heat.low, heat.high, heat.clipped) == (-1.0, 1.0, 2)
    assert [cell.char for cell in heat.cells[0]] == ["▀", "»", "«", "▀"]
    ends = [palette.DIVERGING[-1], palette.DIVERGING[0], palette.DIVERGING[-1]]
    assert [cell.background or cell.foreground for cell in heat.cells[0][1:]] == ends
    assert legend_text(heat).endswith("2 beyond the limits")


def test_the_largest_floats_do_not_overflow():
    heat = heat_cells(np.array([[1.7e308, -1.7e308], [1.7e308, 1.7e308]]), 1, 1)
    assert heat.high == 1.7e308
    assert heat.cells == [[HeatCell("▀", WHITE, palette.DIVERGING[-1])]]


def test_a_huge_matrix_is_sampled():
    # 10¹² elements that share one row of memory: touching them all would never end.
    matrix = np.broadcast_to(np.repeat([0.0, 1.0], 500_000), (10**6, 10**6))
    heat = heat_cells(matrix, 8, 4)
    assert heat.sampled
    assert [cell.foreground for cell in heat.cells[0]] == [palette.SEQUENTIAL[0]] * 4 + [
        palette.SEQUENTIAL[-1]
    ] * 4
    assert "averages of a sample" in legend_text(heat)


@pytest.mark.parametrize("shape", [(1000, 700), (1, 10**6), (10**6, 1), (37, 20_000)])
def test_a_constant_stays_constant_however_it_is_sampled(shape):
    heat = heat_cells(np.full(shape, 3.0), 13, 7)
    assert heat.high == 3.0
    drawn = {cell for row in heat.cells for cell in row} - {BLANK}
    assert {c for cell in drawn for c in (cell.foreground, cell.background)} - {None} == {
        palette.SEQUENTIAL[-1]
    }


def test_the_ramp_tells_sign_and_size_without_colour():
    assert ramp_text(np.array([[-1.0, -0.5, 0.0, 0.5, 1.0]]), 6, 2) == ["≡~.*# "] * 2
    assert ramp_text(np.array([[0.0, 1.0], [np.nan, -np.inf]]), 2, 2) == [".#", "Nv"]


def test_lightness_orders_both_palettes():
    steps = [palette.luminance(c) for c in palette.table(palette.SEQUENTIAL)]
    assert all(a <= b for a, b in pairwise(steps))
    steps = [palette.luminance(c) for c in palette.table(palette.DIVERGING)]
    middle = len(steps) // 2
    assert all(a <= b for a, b in pairwise(steps[:middle]))
    assert all(a >= b for a, b in pairwise(steps[middle:]))


def test_luminance_and_contrast_follow_wcag():
    assert palette.luminance((255, 255, 255)) == pytest.approx(1.0)
    assert palette.luminance((255, 0, 0)) == pytest.approx(0.2126)
    assert palette.contrasting((20, 20, 20)) == (255, 255, 255)
    assert palette.contrasting((128, 128, 128)) == (0, 0, 0)


@given(MATRICES, st.integers(-1, 12), st.integers(-1, 6))
def test_pictures_have_the_size_asked_for(matrix, width, height):
    heat = heat_cells(matrix, width, height)
    assert [len(row) for row in heat.cells] == [max(0, width)] * max(0, height)
    assert {len(cell.char) for row in heat.cells for cell in row} <= {1}
    assert heat.clipped == 0
    assert [len(line) for line in ramp_text(matrix, width, height)] == [max(0, width)] * max(
        0, height
    )


@given(MATRICES, st.floats(), st.floats())
def test_any_scale_is_survived(matrix, low, high):
    heat = heat_cells(matrix, 4, 2, scale=(low, high))
    assert heat.low <= heat.high
    assert legend_text(heat)
