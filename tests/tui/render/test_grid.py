import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tui.render.grid import Cell, Window, grid_window
from tui.view.axes import Axes, as_matrix
from tui.view.number_format import NumberFormat

EVERYTHING = range(1000)


def test_ranks_up_to_two():
    assert as_matrix(np.array(3.0)).tolist() == [[3.0]]
    assert as_matrix(np.arange(3)).tolist() == [[0, 1, 2]]
    assert as_matrix(np.arange(3), Axes(row=0, col=None, index=(0,))).tolist() == [[0], [1], [2]]
    assert as_matrix(np.arange(6).reshape(2, 3)).tolist() == [[0, 1, 2], [3, 4, 5]]


def test_axes_of_a_tensor_can_be_chosen():
    tensor = np.arange(24).reshape(2, 3, 4)
    np.testing.assert_array_equal(as_matrix(tensor), tensor[0])
    chosen = Axes(row=2, col=0, index=(0, 1, 0))
    np.testing.assert_array_equal(as_matrix(tensor, chosen), tensor[:, 1, :].T)
    assert tensor[chosen.tensor_index(3, 1)] == as_matrix(tensor, chosen)[3, 1]


@given(hnp.array_shapes(min_dims=0, max_dims=6, min_side=1, max_side=3), st.data())
def test_a_view_of_any_rank_and_its_indices(shape, data):
    tensor = np.arange(np.prod(shape, dtype=int)).reshape(shape)
    axis = st.sampled_from([None, *range(len(shape))])
    row, col = data.draw(st.tuples(axis, axis).filter(lambda a: a[0] != a[1] or a[0] is None))
    axes = Axes(row, col, tuple(data.draw(st.integers(0, n - 1)) for n in shape))
    matrix = as_matrix(tensor, axes)
    assert matrix.ndim == 2
    assert np.shares_memory(matrix, tensor)
    for place in np.ndindex(matrix.shape):
        assert matrix[place] == tensor[axes.tensor_index(*place)]


def test_axes_that_do_not_fit_are_refused():
    tensor = np.zeros((2, 3))
    with pytest.raises(ValueError, match=r"does not fit a tensor of shape \(2, 3\)"):
        as_matrix(tensor, Axes(0, 1, (0,)))
    with pytest.raises(ValueError, match="does not fit"):
        as_matrix(tensor, Axes(0, 0, (0, 0)))
    with pytest.raises(ValueError, match="no axis 2"):
        as_matrix(tensor, Axes(0, 2, (0, 0)))
    with pytest.raises(IndexError, match="index 3 is outside axis 1, which has 3 entries"):
        as_matrix(tensor, Axes(0, None, (0, 3)))


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (0, 2, 3), (2, 0, 3), (2, 3, 0)])
def test_tensors_without_elements(shape):
    window = grid_window(as_matrix(np.zeros(shape)), EVERYTHING, EVERYTHING)
    assert all(row == [] for row in window.cells)
    assert len(window.labels) == len(window.cells)


def test_a_window_with_labels_kinds_and_changes():
    after = np.array([[0.0, 1.5, np.nan], [9.0, np.inf, -0.0]])
    before = np.array([[9.0, 1.5, np.nan], [9.0, 2.0, 0.0]])
    window = grid_window(after, range(0, 9), range(1, 9), digits=1, before=before)
    assert window.window == Window(range(0, 2), range(1, 3))
    assert window.header == ["  1", "  2"]
    assert window.labels == ["0", "1"]
    assert window.cells == [
        [Cell("1.5", False, "normal"), Cell("nan", False, "nan")],
        [Cell("inf", True, "inf"), Cell("0.0", True, "zero")],
    ]


@pytest.mark.parametrize("rows", [range(-5, -1), range(2, 1), range(7, 9), range(0)])
def test_a_window_outside_is_empty(rows):
    window = grid_window(np.zeros((3, 2)), rows, range(-1, 9))
    assert (window.labels, window.cells) == ([], [])


def test_wide_labels_widen_their_column():
    window = grid_window(np.zeros((120, 120), np.int64), range(9, 11), range(99, 101))
    assert window.header == ["99", "100"]
    assert window.labels == [" 9", "10"]
    assert [len(cell.text) for cell in window.cells[0]] == [2, 3]


def test_without_a_matching_before():
    matrix = np.zeros((1, 2))

    def changes(before):
        return [
            cell.changed for cell in grid_window(matrix, range(1), range(2), before=before).cells[0]
        ]

    assert changes(None) == [False, False]
    assert changes(np.zeros((2, 2))) == [True, True]
    assert changes(np.zeros((1, 2), np.float32)) == [True, True]


def test_the_cost_depends_on_the_window_alone():
    # 10¹² elements that share one place in memory: touching them all would never end.
    matrix = np.broadcast_to(np.float64(2.5), (10**6, 10**6))
    window = grid_window(
        matrix, range(999_999, 10**6), range(500, 502), before=matrix + 0 if False else matrix
    )
    assert [[cell.text for cell in row] for row in window.cells] == [["2.5000", "2.5000"]]
    assert window.labels == ["999999"]


@given(
    hnp.arrays(
        st.sampled_from([np.float64, np.float32, np.int64, np.bool_]),
        hnp.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=5),
    ),
    st.tuples(*[st.integers(-3, 8)] * 4),
    st.sampled_from(NumberFormat),
)
def test_every_line_is_as_wide_as_the_header(matrix, ends, fmt):
    window = grid_window(matrix, range(*ends[:2]), range(*ends[2:]), fmt=fmt, before=matrix.copy())
    for row in window.cells:
        assert [len(cell.text) for cell in row] == [len(label) for label in window.header]
        assert not any(cell.changed for cell in row)
    assert len({len(label) for label in window.labels}) <= 1
