import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from engine.errors import GradstepError
from tui.view.axes import Axes
from tui.view.region import Region, parse_region

SHAPES = hnp.array_shapes(min_dims=1, max_dims=6, min_side=1, max_side=4)
ENDS = st.none() | st.integers(-5, 5)


def numbered(shape):
    return np.arange(np.prod(shape, dtype=int)).reshape(shape)


@st.composite
def slices(draw):
    """A shape of rank 1 to 6, and a NumPy key that leaves one or two axes."""
    shape = draw(SHAPES)
    shown = draw(st.sets(st.integers(0, len(shape) - 1), min_size=1, max_size=2))
    step = st.none() | st.sampled_from([-2, -1, 1, 2])
    key = [
        slice(draw(ENDS), draw(ENDS), draw(step)) if axis in shown else draw(st.integers(-n, n - 1))
        for axis, n in enumerate(shape)
    ]
    return shape, tuple(key)


def typed(key):
    """A key as a person types it."""

    def part(end):
        return "" if end is None else str(end)

    return ", ".join(
        f"{part(k.start)}:{part(k.stop)}" + ("" if k.step is None else f":{k.step}")
        if isinstance(k, slice)
        else str(k)
        for k in key
    )


@given(slices())
def test_a_slice_shows_what_numpy_takes(drawn):
    shape, key = drawn
    tensor = numbered(shape)
    region = parse_region(f"[{typed(key)}]", shape, Region.default(len(shape)))
    np.testing.assert_array_equal(region.matrix(tensor), np.atleast_2d(tensor[key]))
    assert np.shares_memory(region.matrix(tensor), tensor) or region.matrix(tensor).size == 0
    assert parse_region(region.text(), shape, Region.default(len(shape))) == region


@given(slices())
def test_every_cell_knows_its_index_and_every_index_its_cell(drawn):
    shape, key = drawn
    tensor = numbered(shape)
    region = parse_region(typed(key), shape, Region.default(len(shape)))
    matrix = region.matrix(tensor)
    assert matrix.shape == (len(region.row_range(shape)), len(region.col_range(shape)))
    for row, col in np.ndindex(matrix.shape):
        index = region.index_at(shape, row, col)
        assert tensor[index] == matrix[row, col]
        assert region.place_of(shape, index) == (row, col)
        assert region.showing(shape, index) == region


@given(SHAPES, st.data())
def test_any_element_can_be_shown(shape, data):
    index = tuple(data.draw(st.integers(0, n - 1)) for n in shape)
    narrow = parse_region("..., :1", shape, Region.default(len(shape)))
    shown = narrow.showing(shape, index)
    assert shown.fits(shape)
    row, col = shown.place_of(shape, index)
    assert shown.matrix(numbered(shape))[row, col] == numbered(shape)[index]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1, 2, 3, 4", r"4 entries, but the shape \(2, 3, 4\) has 3 axes"),
        ("2", "index 2 is outside axis 0, which has 2 entries"),
        ("0, -4", "index -4 is outside axis 1, which has 3 entries"),
        ("x", "'x' is neither a number nor a slice"),
        ("0, a:b", "'a:b' is no slice"),
        ("0, -:2", "'-:2' is no slice"),
        ("0, ::0", "must not be 0"),
        ("..., ...", "only one ..."),
        (":1, :, :", r"only two axes can be shown: give axis 0 a number instead of :1"),
    ],
)
def test_what_is_no_slice_is_refused_with_the_reason(text, message):
    with pytest.raises(GradstepError, match=message):
        parse_region(text, (2, 3, 4), Region.default(3))


def test_without_a_name_an_axis_is_whole():
    now = Region(Axes(0, 2, (0, 1, 0)))
    assert parse_region("", (2, 3, 4), now) == Region(Axes(1, 2, (0, 1, 0)))
    assert parse_region("1", (2, 3, 4), now) == Region(Axes(1, 2, (1, 1, 0)))
    assert parse_region("..., 3", (2, 3, 4), now) == Region(Axes(0, 1, (0, 1, 3)))


def test_a_slice_keeps_rows_and_columns_swapped():
    swapped = Region.default(2).transposed()
    assert parse_region("1:, 2:", (3, 4), swapped).label() == "[1:→, 2:↓]"
    assert parse_region("1:, 2:", (3, 4), Region.default(2)).label() == "[1:↓, 2:→]"


@given(st.integers(1, 6))
def test_the_choices_of_axes_come_round(ndim):
    start = Region.default(ndim)
    seen, region = [], start
    for _ in range(max(2, ndim * (ndim - 1))):
        seen.append((region.axes.row, region.axes.col))
        assert region.other_axes(1).other_axes(-1) == region
        region = region.other_axes(1)
    assert region == start
    assert len(set(seen)) == len(seen)


def test_the_other_indices_come_round():
    shape, region = (2, 3, 1, 4), Region(Axes(3, 2, (0, 0, 0, 0)))
    seen = []
    for _ in range(6):
        seen.append(region.axes.index[:2])
        region = region.other_index(shape, 1)
    assert seen == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    assert region.other_index(shape, -1).axes.index[:2] == (1, 2)
    assert Region.default(2).other_index((3, 4), 1) == Region.default(2)
    assert Region.default(3).other_index((0, 3, 4), 1) == Region.default(3)


def test_a_region_of_another_shape_does_not_fit():
    region = parse_region("3, :, :", (4, 2, 2), Region.default(3))
    assert region.fits((5, 2, 2))
    assert not region.fits((3, 2, 2))
    assert not region.fits((4, 2))
