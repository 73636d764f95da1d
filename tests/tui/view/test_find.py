import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tui.view import find as module
from tui.view.find import Field, Hit, Sought, find, pieces, work
from tui.view.region import Region, parse_region
from tui.view.value_range import ValueRange
from tui.view.versions import Version

SPECIAL = st.sampled_from([0.0, -0.0, 1.0, -2.0, np.nan, np.inf, -np.inf])
TENSORS = hnp.arrays(
    np.float64, hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4), elements=SPECIAL
)
BOUNDS = ValueRange(-2.0, 0.0)
TESTS = {
    Sought.NAN: np.isnan,
    Sought.INFINITE: np.isinf,
    Sought.ZERO: lambda values: values == 0,
    Sought.IN_RANGE: lambda values: (values >= -2) & (values <= 0),
}


def field_of(array, region=None, **changes):
    region = region or Region.default(array.ndim)
    return Field(
        region, changes.pop("version", Version.AFTER), array, changes.pop("before", None), BOUNDS
    )


def found(field, sought, start, direction):
    """What a search returns, and the amounts of work that it reports."""
    reports, steps = [], find(field, sought, start, direction)
    while True:
        try:
            reports.append(next(steps))
        except StopIteration as end:
            return end.value, reports


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch):
    monkeypatch.setattr(module, "CHUNK", 3)


@given(hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=4), st.integers(1, 9))
def test_pieces_take_every_element_once_and_in_order(shape, limit):
    tensor = np.arange(np.prod(shape, dtype=int)).reshape(shape)
    taken = []
    for first, key in pieces(shape, limit):
        assert first == len(taken)
        assert tensor[key].size <= limit
        taken += tensor[key].reshape(-1).tolist()
    assert taken == tensor.reshape(-1).tolist()


@given(TENSORS, st.sampled_from(list(TESTS)), st.sampled_from([1, -1]), st.data())
def test_a_walk_meets_every_cell_of_the_kind_in_order(array, sought, direction, data):
    field = field_of(array)
    start = data.draw(st.integers(0, array.size - 1))
    expected = np.flatnonzero(TESTS[sought](array)).tolist()
    ahead = [at for at in expected if (at > start if direction > 0 else at < start)]
    behind = [at for at in expected if at not in ahead]
    order = [(at, False) for at in ahead[::direction]] + [(at, True) for at in behind[::direction]]
    hit, reports = found(field, sought, start, direction)
    assert hit == (Hit(np.unravel_index(order[0][0], array.shape), order[0][1]) if order else None)
    assert reports == sorted(reports)


@given(TENSORS, st.sampled_from([1, -1]))
def test_extremes_leave_nan_out(array, direction):
    field = field_of(array)
    numbers = array[~np.isnan(array)]
    for sought, extreme in ((Sought.MAXIMUM, np.max), (Sought.MINIMUM, np.min)):
        hit, reports = found(field, sought, 0, direction)
        if numbers.size == 0:
            assert hit is None
        else:
            assert array[hit.index] == extreme(numbers)
        assert max(reports) <= work(field, sought) + 2 * module.CHUNK


def test_changed_cells_are_found_by_their_bits():
    after, before = np.array([0.0, np.nan, 2.0, 3.0]), np.array([-0.0, np.nan, 2.0, 4.0])
    field = field_of(after, before=before)
    assert found(field, Sought.CHANGED, 0, 1)[0] == Hit((3,), False)
    assert found(field, Sought.CHANGED, 3, 1)[0] == Hit((0,), True)
    assert found(field_of(after), Sought.CHANGED, 0, 1)[0] is None
    assert found(field_of(after, before=after), Sought.CHANGED, 0, 1)[0] is None
    other = field_of(after, before=before.astype(np.float32))
    assert found(other, Sought.CHANGED, 0, 1)[0] == Hit((1,), False)


def test_the_side_that_is_shown_is_searched():
    after, before = np.array([1.0, 5.0, 2.0]), np.array([9.0, 4.0, 1.0])
    hits = {
        side: found(field_of(after, version=side, before=before), Sought.MAXIMUM, 0, 1)[0]
        for side in Version
    }
    assert {side: hit.index for side, hit in hits.items()} == {
        Version.AFTER: (1,),
        Version.BEFORE: (0,),
        Version.DIFFERENCE: (1,),
    }


def test_the_order_of_reading_is_that_of_the_region():
    tensor = np.zeros((2, 3, 4))
    tensor[0, 1, 2] = tensor[1, 0, 0] = tensor[1, 2, 3] = np.nan
    region = parse_region("0, :, 1:", tensor.shape, Region.default(3)).transposed()
    field = field_of(tensor, region)
    assert field.shape == (2, 3, 3)
    assert found(field, Sought.NAN, 0, 1)[0] == Hit((0, 1, 2), False)
    assert found(field, Sought.NAN, field.flat_of((0, 1, 2)), 1)[0] == Hit((1, 2, 3), False)
    assert found(field, Sought.NAN, field.flat_of((1, 2, 3)), 1)[0] == Hit((0, 1, 2), True)


def test_a_search_stops_at_its_first_find():
    array = np.zeros(3000)
    assert found(field_of(array), Sought.ZERO, 4, 1)[1] == []
