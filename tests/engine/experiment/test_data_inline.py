"""Nested lists of an experiment file: any depth there and back, bounded, named where wrong."""

import itertools
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from engine.errors import ExperimentError
from engine.experiment.data_inline import MAX_NUMBERS, MAX_RANK, Walk
from engine.experiment.dataset import load_data
from engine.experiment.reader import MAX_FILE_BYTES, Reader, read_experiment
from engine.program.compiler import compile_program
from tests.engine.experiment import lines_data
from tests.engine.experiment.bits import same
from tests.engine.small_experiments import document, experiment

SHAPES = array_shapes(min_dims=1, max_dims=MAX_RANK, min_side=1, max_side=3)
FLOATS = arrays(np.float64, SHAPES, elements=st.floats())
INTEGERS = arrays(np.int64, SHAPES)


@settings(max_examples=100, deadline=None)
@given(st.one_of(FLOATS, INTEGERS))
def test_any_rank_there_and_back_in_lines(array):
    data = lines_data.load({"x": array.tolist(), "y": array.tolist()})
    assert same(data.x, array)
    assert same(data.y, array)
    assert not data.x.flags.writeable
    assert data.given == ("x", "y")


@settings(max_examples=50, deadline=None)
@given(arrays(np.int64, array_shapes(min_dims=2, max_dims=2)))
def test_layers_have_floats_whatever_is_written(array):
    table = {"x": array.tolist(), "y": array.tolist()}
    data = load_data(experiment(data=table))
    assert same(data.x, array.astype(float))
    assert same(data.y, array.astype(float))
    # and the experiment says so, as it always has: recordings are known by its text
    spec = read_experiment(document(data=table), "t").data
    assert {type(n) for row in spec.x for n in row} == {float}


def test_one_float_among_integers_makes_all_of_them_floats():
    data = lines_data.load({"x": [[1, 2], [3, 4.0]], "y": [1, 2]}, dtype="float32")
    assert (data.x.dtype, data.y.dtype) == (np.float32, np.int64)


def test_flat_floats_stay_flat_and_may_be_negative_integers_in_lines():
    assert lines_data.load({"x": [1.0, 2.0], "y": [0.5, -1.0]}).y.tolist() == [0.5, -1.0]
    data = lines_data.load({"x": [1.0, 2.0], "y": [-1, 1]})
    assert (data.x.shape, data.y.tolist(), data.y.dtype) == ((2,), [-1, 1], np.int64)


def nested(depth: int) -> Any:
    items: Any = 1.0
    for _ in range(depth):
        items = [items]
    return items


WIDE = [1.0] * 1000
for _ in range(3):
    WIDE = [WIDE] * 1000  # 10¹² numbers in a few kilobytes
LOOP: list[Any] = []
LOOP.append(LOOP)
WRONG: list[tuple[Any, str, str]] = [
    ([[True]], "[0][0]", "must be a number, not true"),
    ([1.0, True], "[1]", "must be a number, or a list, not true"),
    ([[1.0], ["a"]], "[1][0]", "must be a number, not 'a'"),
    ([[[1.0, {}]]], "[0][0][1]", "must be a number, not a table"),
    ([1, [10**400]], "[1][0]", "a number of 1329 bits is out of range"),
    ("a", "", "must be a list, not 'a'"),
    (1.0, "", "must be a list, not 1.0"),
    (nested(9), "[0]" * 8, "lists nest deeper than the limit of 8"),
    (nested(10**5), "[0]" * 8, "lists nest deeper than the limit of 8"),
    (LOOP, "[0]" * 8, "lists nest deeper than the limit of 8"),
    ([[1.0] * 1000] * 101, "", "more than 100,000 numbers and lists: npz = … reads larger data"),
    (WIDE, "", "more than 100,000 numbers and lists: npz = … reads larger data"),
]


@pytest.mark.parametrize("field", ["x", "y"])
@pytest.mark.parametrize("number", range(len(WRONG)))  # pytest would print the endless ones
def test_what_is_no_number_is_named_with_its_place(field, number, monkeypatch):
    monkeypatch.setattr("engine.experiment.data_inline.MAX_NUMBERS", 100_000)
    value, place, said = WRONG[number]
    table = {"x": [[1.0]], "y": [[1.0]], field: value}
    assert lines_data.problems(table) == [(f"data.{field}{place}", said)]
    with pytest.raises(ExperimentError) as caught:
        read_experiment({**document(), "data": table}, "test.toml")
    assert [(p.path, p.message) for p in caught.value.problems] == [(f"data.{field}{place}", said)]


def test_too_many_take_no_memory(monkeypatch):
    monkeypatch.setattr("engine.experiment.data_inline.MAX_NUMBERS", 100_000)
    empty: list[Any] = [[[]] * 60_000] * 2
    tracemalloc.start()
    try:
        for value in (WIDE, empty, LOOP, nested(10**5)):
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            assert Walk().fault(value) is not None
            assert tracemalloc.get_traced_memory()[1] - before < 2**16
    finally:
        tracemalloc.stop()


def test_what_a_file_can_hold_is_not_too_many():
    assert Walk().fault([[1.0] * 999] * (MAX_NUMBERS // 1000)) is None
    assert 2 * MAX_NUMBERS >= MAX_FILE_BYTES


RAGGED = [
    ([[1.0], [2.0, 3.0]], "ragged: row 1 has 2 values, row 0 has 1"),
    ([[], [1.0]], "ragged: row 1 has 1 values, row 0 has 0"),
    ([[[1.0], [2.0]], [[3.0], []]], "ragged: x[1][1] has 0 values, x[0][0] has 1"),
    ([[[1.0], [2.0]], [[3.0]]], "ragged: row 1 has 1 values, row 0 has 2"),
    ([[[[1, 2]]], [[[3, 4, 5]]]], "ragged: x[1][0][0] has 3 values, x[0][0][0] has 2"),
    ([[1.0], 2.0], "mixes rows and single values: x[1] is a single value, x[0] is a row"),
    ([1.0, [2.0]], "mixes rows and single values: x[1] is a row, x[0] is a single value"),
    (
        [[[1.0], 2.0]],
        "mixes rows and single values: x[0][1] is a single value, x[0][0] is a row",
    ),
    (
        [[1.0, 2.0], [3.0, [4.0]]],
        "mixes rows and single values: x[1][1] is a row, x[0][0] is a single value",
    ),
]


@pytest.mark.parametrize(("x", "said"), RAGGED, ids=[said for _, said in RAGGED])
def test_where_lists_are_ragged(x, said):
    assert lines_data.problems({"x": x}) == [("data.x", said)]
    with pytest.raises(ExperimentError) as caught:
        load_data(experiment(data={"x": x, "y": [[1.0], [2.0]]}))
    assert [(p.path, p.message) for p in caught.value.problems] == [("data.x", said)]


@settings(max_examples=60, deadline=None)
@given(arrays(np.float64, array_shapes(min_dims=2, max_dims=4, min_side=2, max_side=3)), st.data())
def test_a_number_less_anywhere_is_ragged(array, data):
    rows = array.tolist()
    index = data.draw(st.tuples(*[st.integers(0, side - 1) for side in array.shape]))
    inner = rows
    for i in index[:-1]:
        inner = inner[i]
    del inner[index[-1]]
    ((path, said),) = lines_data.problems({"x": rows})
    assert path == "data.x"
    assert said.startswith("ragged: ")


def test_an_integer_beyond_64_bits_is_refused_in_lines_and_a_float_to_layers():
    x = [[1, 2], [3, -(2**63) - 1]]
    said = "-9223372036854775809 at [1, 1] is beyond 64 bits: written with a point, as 1.0 is, "
    assert lines_data.problems({"x": x}) == [("data.x", said + "it is a float")]
    assert load_data(experiment(data={"x": x, "y": [[1.0], [2.0]]})).x[1, 1] == -(2.0**63)


# -- what layers take


CHAIN = [
    (
        {"x": [1.0, 2.0], "y": [[1.0], [2.0]]},
        "data.x",
        "linear1 takes rows (N, n), but x has shape (2,): write each sample as a row, [[…], […]]",
    ),
    (
        {"x": [[[1, 2, 3], [4, 5, 6]]], "y": [[1.0]]},
        "loss",
        "linear2.out has shape (1, 2, 1) and y has shape (1, 1): the shapes must agree",
    ),
    (
        {"x": [[1.0]], "y": [[[1.0]]]},
        "data.y",
        "y has shape (1, 1, 1), but linear2.out has shape (N, 1): the columns must agree",
    ),
]


@pytest.mark.parametrize(("table", "path", "said"), CHAIN, ids=["flat", "deep", "deep y"])
def test_layers_take_rows(table, path, said):
    with pytest.raises(ExperimentError) as caught:
        compile_program(experiment(data=table))
    assert [(p.path, p.message) for p in caught.value.problems] == [(path, said)]


def test_nll_takes_no_rows_of_rows():
    raw = {"data": {"x": [[1.0]], "y": [[[1.0]]]}, "loss": {"type": "nll"}}
    with pytest.raises(ExperimentError, match=r"nll takes class indices \(N,\), but y has shape"):
        compile_program(experiment(**raw))


def test_pictures_in_the_file_are_rows_where_their_size_is_said():
    table = {"x": [[[1.0, 2.0], [3.0, 4.0]]], "y": [[1.0]], "image": [2, 2]}
    assert load_data(experiment(data=table)).x.tolist() == [[1.0, 2.0, 3.0, 4.0]]
    assert lines_data.load(table).x.shape == (1, 2, 2)


# -- what lines leave out


def test_lines_may_do_without_y_without_x_and_without_both():
    without_y = lines_data.load({"x": [[1, 2], [3, 4]]})
    assert (without_y.y.tolist(), without_y.y.dtype) == ([0.0, 0.0], np.float64)
    assert without_y.given == ("x",)
    without_x = lines_data.load({"y": [1, 2, 3]}, dtype="float32")
    assert (without_x.x.tolist(), without_x.x.dtype) == ([[0.0]] * 3, np.float32)
    assert without_x.given == ("y",)
    nothing = lines_data.load({}, dtype="float32")
    assert (nothing.x.tolist(), nothing.y.tolist(), nothing.given) == ([[0.0]], [0.0], ())
    assert (nothing.x.dtype, nothing.y.dtype) == (np.float32, np.float32)


@pytest.mark.parametrize(("has", "lacks"), [("x", "y"), ("y", "x")])
def test_layers_do_without_neither(has, lacks):
    with pytest.raises(ExperimentError) as caught:
        read_experiment({**document(), "data": {has: [[1.0]]}}, "test.toml")
    said = (f"data.{lacks}", "missing: inline data has both x and y")
    assert [(p.path, p.message) for p in caught.value.problems] == [said]


EMPTY = [
    ({"x": []}, "data.x", "is empty, shape (0,): at least one row and one column"),
    ({"x": [[[]]]}, "data.x", "is empty, shape (1, 1, 0): at least one row and one column"),
    ({"x": [1.0], "y": [[]]}, "data.y", "is empty, shape (1, 0): at least one number a row"),
    ({"x": [1.0], "y": [1, 2]}, "data.y", "has 2 rows, but x has 1: one each"),
    ({"x": [1.0], "csv": "a"}, "data", "needs exactly one source of x/y, csv, npz, generate; "),
]


@pytest.mark.parametrize(("table", "path", "said"), EMPTY, ids=lambda v: str(v)[:30])
def test_what_is_empty_or_does_not_fit(table, path, said):
    found = lines_data.problems(table)
    assert found[0][0] == path
    assert found[0][1].startswith(said)


# -- shares and means


@settings(max_examples=40, deadline=None)
@given(arrays(np.int64, array_shapes(min_dims=1, max_dims=4, min_side=2, max_side=4)))
def test_rows_set_aside_and_the_others_are_all_of_them(array):
    array = np.arange(array.size).reshape(array.shape)
    data = lines_data.load({"x": array.tolist(), "y": array.tolist(), "validation": 0.4})
    assert data.validation is not None
    both = np.concatenate([data.x, data.validation.x])
    assert same(both[np.argsort(both.reshape(len(both), -1)[:, 0])], array)
    assert same(data.x, data.y)
    assert data.validation.given == ("x", "y")


@settings(max_examples=40, deadline=None)
@given(
    arrays(
        np.float64,
        array_shapes(min_dims=1, max_dims=4, min_side=2, max_side=4),
        elements=st.integers(-9, 9).map(float),
    )
)
def test_standardized_is_each_element_of_a_sample(array):
    x = lines_data.load({"x": array.tolist(), "standardize": True}).x
    columns = array.reshape(len(array), -1)
    spread = columns.std(axis=0)
    wanted = (columns - columns.mean(axis=0)) / np.where(spread, spread, 1)
    np.testing.assert_allclose(x, wanted.reshape(array.shape), atol=1e-9)


def test_standardized_integers_are_floats():
    x = lines_data.load({"x": [[1], [3]], "standardize": True}, dtype="float32").x
    assert (x.tolist(), x.dtype) == ([[-1.0], [1.0]], np.float32)


@pytest.mark.parametrize("y", [[0.0, 1.0] * 3, [[[0], [1]]] * 6], ids=["flat floats", "rank 3"])
def test_only_classes_are_stratified(y):
    table = {"x": [1.0] * 6, "y": y, "validation": 0.5, "stratify": True}
    said = ("data.stratify", "needs targets that are classes, and these are not")
    assert lines_data.problems(table) == [said]


def test_flat_integers_are_stratified():
    table = {"x": [1.0] * 8, "y": [-1, 1] * 4, "validation": 0.5, "stratify": True}
    data = lines_data.load(table)
    assert data.validation is not None
    assert sorted(data.y.tolist()) == sorted(data.validation.y.tolist()) == [-1, -1, 1, 1]


# -- pictures


GOOD = [(2, 12), (2, 3, 4), (2, 1, 3, 4), (2, 5, 3, 4), (2, 3, 4, 5)]
BAD = [(2, 4, 3), (2, 1, 4, 3), (2, 1, 1, 3, 4), (2, 12, 1)]


@pytest.mark.parametrize("shape", GOOD)
def test_pictures_may_have_axes_of_their_own(shape):
    assert lines_data.load({"x": np.zeros(shape).tolist(), "image": [3, 4]}).x.shape == shape


@pytest.mark.parametrize("shape", BAD)
def test_what_are_no_pictures(shape):
    said = f"x has shape {shape}, which has no pictures of 3 × 4: (N, 3, 4) or (N, C, 3, 4)"
    table = {"x": np.zeros(shape).tolist(), "image": [3, 4]}
    assert lines_data.problems(table) == [("data.image", said)]


def test_a_flat_x_is_no_row_of_a_picture():
    said = "3 × 4 is 12 numbers, but a row of x has 1"
    assert lines_data.problems({"x": [1.0] * 12, "image": [3, 4]}) == [("data.image", said)]


def test_every_order_of_wrong_fields_is_told_at_once():
    for x, y in itertools.permutations([[["a"]], [[True]]], 2):
        found = lines_data.problems({"x": x, "y": y, "arrays": ["a"]})
        assert [path for path, _ in found] == ["data.x[0][0]", "data.y[0][0]", "data.arrays"]


@pytest.mark.parametrize(
    ("more", "missing"), [({}, True), ({"network": {"lines": "z = 1"}}, False)]
)
def test_only_a_network_of_lines_needs_no_table_of_data(more, missing):
    raw = document() | more
    del raw["data"]
    reader = Reader()
    reader.experiment(raw, "test.toml", "test", "")
    assert ("data" in [problem.path for problem in reader.problems]) is missing
