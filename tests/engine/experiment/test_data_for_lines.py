"""Files and generated sets as networks written as lines take them: any rank, integers, no y."""

import io
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from engine.experiment.data_files import MAX_BYTES
from engine.experiment.data_inline import MAX_RANK
from tests.engine.experiment.bits import same
from tests.engine.experiment.lines_data import load, problems

SHAPES = array_shapes(min_dims=1, max_dims=MAX_RANK, min_side=1, max_side=3)
DTYPES = st.sampled_from(["?", "i1", "<i2", ">i4", "<i8", "u1", "<u4"])
FLOATS = arrays("<f8", SHAPES, elements=st.floats(width=32)) | arrays(">f4", SHAPES)
ARRAYS = DTYPES.flatmap(lambda dtype: arrays(dtype, SHAPES)) | FLOATS | arrays("<f2", SHAPES)


def npz(folder, **named):
    np.savez(folder / "d.npz", **named)
    return {"npz": "d.npz"}


def csv(folder, content, **more):
    (folder / "d.csv").write_text(content)
    return {"csv": "d.csv", "inputs": ["a"], "targets": ["b"], **more}


# -- arrays


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(ARRAYS, st.sampled_from(["float32", "float64"]))
def test_arrays_of_any_rank_there_and_back(tmp_path, array, dtype):
    data = load(npz(tmp_path, x=array, y=array[::-1]), tmp_path, dtype=dtype)
    wanted = array.astype(dtype if array.dtype.kind == "f" else np.int64)
    assert same(data.x, wanted)
    assert same(data.y, wanted[::-1])


def test_integers_and_booleans_stay_whole_and_columns_stay_columns(tmp_path):
    table = npz(tmp_path, x=np.array([[[True], [False]]]), y=np.array([[2]], np.uint8))
    data = load(table, tmp_path, loss="cross_entropy")
    assert (data.x.tolist(), data.x.dtype) == ([[[1], [0]]], np.int64)
    assert (data.y.tolist(), data.y.dtype) == ([[2]], np.int64)


def test_without_y(tmp_path):
    x = np.arange(6).reshape(2, 3)
    for name, more in (("x", {}), ("a", {"arrays": ["a"]})):
        data = load(npz(tmp_path, **{name: x}) | more, tmp_path)
        assert data.x.tolist() == x.tolist()
        assert (data.y.tolist(), data.y.dtype, data.given) == ([0.0, 0.0], np.float64, ("x",))


X = np.zeros((2, 3))
NPZ_PROBLEMS = [
    ({"y": X}, {}, "data.npz", "d.npz: no array 'x'; found y"),
    ({"x": X, "y": X}, {"arrays": ["x", "b"]}, "data.npz", "d.npz: no array 'b'; found x, y"),
    (
        {"x": np.zeros(())},
        {},
        "data.npz",
        "d.npz: x has shape (); it must have 1 to 8 axes, the first of them the samples",
    ),
    (
        {"x": X, "y": np.zeros((1,) * 9)},
        {},
        "data.npz",
        "d.npz: y has shape (1, 1, 1, 1, 1, 1, 1, 1, 1); it must have 1 to 8 axes, "
        "the first of them the samples",
    ),
    (
        {"x": X, "y": np.zeros((2, 0, 4))},
        {},
        "data.y",
        "is empty, shape (2, 0, 4): at least one number a row",
    ),
    (
        {"x": np.array([2**63], np.uint64)},
        {},
        "data.x",
        "9223372036854775808 is beyond the integers of 64 bits with a sign",
    ),
    ({"x": X, "y": np.zeros((3, 2, 2))}, {}, "data.y", "has 3 rows, but x has 2: one each"),
    ({"x": X}, {"arrays": ["a"] * 3}, "data.arrays", "must be a list of 1 or 2 values, not 3"),
]


@pytest.mark.parametrize(
    ("named", "more", "path", "said"), NPZ_PROBLEMS, ids=[said[:50] for *_, said in NPZ_PROBLEMS]
)
def test_what_is_wrong_with_arrays(tmp_path, named, more, path, said):
    found = problems(npz(tmp_path, **named) | more, tmp_path)
    assert found[0][0] == path
    assert found[0][1] == said or found[0][1].startswith(f"{said}:")


def test_a_float_too_large_is_named_with_its_place(tmp_path):
    x = np.zeros((2, 2, 2))
    x[1, 0, 1] = 1e300
    said = ("data.x", "1e+300 at [1, 0, 1] is too large for float32")
    assert problems(npz(tmp_path, x=x), tmp_path, dtype="float32") == [said]


def test_small_integers_that_become_too_many_bytes_are_not_even_read(tmp_path):
    shape = (2**15, 2**14)  # 512 MiB of bytes in the file, 4 GiB as int64
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        head, {"descr": "|u1", "fortran_order": False, "shape": shape}
    )
    with (
        zipfile.ZipFile(tmp_path / "d.npz", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("x.npy", "w", force_zip64=True) as file,
    ):
        file.write(head.getvalue())
        for _ in range(shape[0] * shape[1] // 2**24):
            file.write(bytes(2**24))
    said = f"takes {2**32:,} bytes as int64, more than the limit of {MAX_BYTES:,}"
    table = {"npz": "d.npz"}
    assert problems(table, tmp_path, dtype="float32") == [
        ("data.npz", f"d.npz: array 'x' of shape {shape} {said}")
    ]


def test_pictures_of_a_file_keep_their_axes(tmp_path):
    table = npz(tmp_path, x=np.zeros((2, 1, 3, 4)), y=np.array([0, 1])) | {"image": [3, 4]}
    assert load(table, tmp_path).x.shape == (2, 1, 3, 4)


# -- tables


COLUMNS = [
    ("integers", "5 -7 5", [5, -7, 5], ()),
    ("text", "cat dog ant", [1, 2, 0], ("ant", "cat", "dog")),
    ("numbers", "1.5 2 -3", [[1.5], [2.0], [-3.0]], ()),
    ("numbers with a point", "1.0 2.0 3.0", [[1.0], [2.0], [3.0]], ()),
]


@pytest.mark.parametrize(
    ("cells", "y", "classes"), [row[1:] for row in COLUMNS], ids=[row[0] for row in COLUMNS]
)
def test_the_cells_of_a_target_tell_what_it_is(tmp_path, cells, y, classes):
    content = "a,b\n" + "".join(f"{i},{cell}\n" for i, cell in enumerate(cells.split()))
    data = load(csv(tmp_path, content), tmp_path)
    assert (data.y.tolist(), data.classes) == (y, classes)
    assert data.y.dtype == (np.int64 if data.y.ndim == 1 else np.float64)
    assert (data.x.tolist(), data.inputs) == ([[0.0], [1.0], [2.0]], ("a",))


def test_a_loss_of_the_table_says_what_targets_are(tmp_path):
    table = csv(tmp_path, "a,b\n1,5\n2,7\n")
    assert load(table, tmp_path, loss="mse").y.tolist() == [[5.0], [7.0]]
    classes = load(table, tmp_path, loss="cross_entropy")
    assert (classes.y.tolist(), classes.y.dtype, classes.classes) == ([0, 1], np.int64, ("5", "7"))


def test_several_targets_and_one_hot_are_as_for_layers(tmp_path):
    table = csv(tmp_path, "a,b,c\n1,0,x\n2,1,y\n", targets=["a", "b"])
    assert load(table, tmp_path).y.tolist() == [[1.0, 0.0], [2.0, 1.0]]
    table |= {"targets": ["b"], "one_hot": True}
    assert load(table, tmp_path).y.tolist() == [[1.0, 0.0], [0.0, 1.0]]


CSV_PROBLEMS = [
    # A slip in a column of numbers does not make labels of it.
    ("a,b\n1,1.5\n2,x\n", "line 3, column 'b': 'x' is not a number; one_hot = true turns labels"),
    ("a,b\n1,1\n2,x\n", "line 3, column 'b': 'x' is not a number; one_hot = true turns labels"),
    ("a,b\n1,1\n2,\n", "line 3, column 'b': an empty cell is not a number; missing = \"drop\""),
    ("a,b\n1,cat\n2,\n", "line 3, column 'b': an empty cell is no label; missing = \"drop\""),
    (f"a,b\n1,1\n2,{2**63}\n", f"line 3, column 'b': '{2**63}' is beyond the integers of 64 bits"),
    (f"a,b\n1,1\n2,{'9' * 5000}\n", "is beyond the integers of 64 bits"),
]


@pytest.mark.parametrize(("content", "said"), CSV_PROBLEMS, ids=[s for _, s in CSV_PROBLEMS])
def test_what_is_wrong_with_a_target(tmp_path, content, said):
    ((path, message),) = problems(csv(tmp_path, content), tmp_path)
    assert path == "data.targets"
    assert said in message


def test_smallest_and_largest_integers_and_signs(tmp_path):
    content = f"a,b\n1,{-(2**63)}\n2,{2**63 - 1}\n3, +4 \n"
    data = load(csv(tmp_path, content), tmp_path)
    assert data.y.tolist() == [-(2**63), 2**63 - 1, 4]


def test_integers_with_decimal_commas(tmp_path):
    content = "a;b\n1,5;1.000\n2,5;2\n"
    data = load(csv(tmp_path, content, decimal=",", separator=";"), tmp_path)
    assert (data.x.tolist(), data.y.tolist()) == ([[1.5], [2.5]], [1000, 2])


# -- generated sets


def test_generated_classes_are_flat_integers_unless_columns_are_asked_for():
    flat = load({"generate": "moons", "samples": 6})
    assert (flat.y.dtype, flat.y.shape, set(flat.y.tolist())) == (np.int64, (6,), {0, 1})
    rows = load({"generate": "moons", "samples": 6, "one_hot": True})
    assert (rows.y.argmax(axis=1) == flat.y).all()
    assert load({"generate": "sine", "samples": 6}).y.shape == (6, 1)
    assert load({"generate": "moons", "samples": 6}, loss="bce").y.shape == (6, 1)


def test_targets_of_bce_are_looked_at_whatever_their_rank():
    table = {"x": [1.0], "y": [[[0.5, 2.0]]]}
    ((path, said),) = problems(table, loss="bce")
    assert path == "data.y"
    assert said.startswith("bce takes targets between 0 and 1, but y[0, 0, 1] is 2: ")
