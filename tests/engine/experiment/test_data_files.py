"""CSV and NPZ files: what is read, and what is refused with file, line, column and remedy."""

import io
import os
import struct
import zipfile

import numpy as np
import pytest

from engine.errors import ExperimentError
from engine.experiment.dataset import load_data
from engine.experiment.reader import read_experiment
from tests.engine.small_experiments import document


def load(folder, data, loss="mse", dtype="float64"):
    raw = document(loss={"type": loss}, dtype=dtype) | {"data": data}
    return load_data(read_experiment(raw, "test.toml", directory=str(folder)))


def problems(folder, data, **options):
    with pytest.raises(ExperimentError) as caught:
        load(folder, data, **options)
    return [
        (problem.path, problem.message.replace(f"{folder}{os.sep}", ""))
        for problem in caught.value.problems
    ]


def csv_of(folder, content, inputs=("a",), targets=("b",), **more):
    (folder / "d.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    return {"csv": "d.csv", "inputs": list(inputs), "targets": list(targets), **more}


def test_named_columns_in_their_order(tmp_path):
    data = load(tmp_path, csv_of(tmp_path, "b,c,a\n1,x,2\n3,y,-4e1\n", inputs=["a", "b"]))
    assert data.x.tolist() == [[2.0, 1.0], [-40.0, 3.0]]
    assert data.y.tolist() == [[1.0], [3.0]]
    assert (data.inputs, data.classes) == (("a", "b"), ())


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffa,b\n1,2\n3,4\n",
        "a,b\r\n1,2\r\n3,4\r\n",
        "a , b\n 1 , 2 \n\n3,4\n\n",
        '"a","b"\n"1","2"\n"3",4',
        "a,b,\n1,2,\n3,4,",
    ],
    ids=["byte order mark", "CRLF", "blanks", "quotes", "trailing commas"],
)
def test_csv_as_programs_write_it(tmp_path, content):
    data = load(tmp_path, csv_of(tmp_path, content))
    assert data.x.tolist() == [[1.0], [3.0]]
    assert data.y.tolist() == [[2.0], [4.0]]


def test_a_quoted_cell_may_hold_commas_quotes_and_line_ends(tmp_path):
    content = 'a,b\n1,"x, ""y""\nz"\n2,plain\n'
    data = load(tmp_path, csv_of(tmp_path, content), loss="cross_entropy")
    assert data.classes == ("plain", 'x, "y"\nz')
    assert data.y.tolist() == [1, 0]


LABELS = [
    ("cat dog cat ant", ("ant", "cat", "dog"), [1, 2, 1, 0]),
    ("10 9 2 10", ("2", "9", "10"), [2, 1, 0, 2]),
    ("1.0 0.0 2 1", ("0", "1", "2"), [1, 0, 2, 1]),
    ("1.5 0 1.5 0", ("0", "1.5"), [1, 0, 1, 0]),
    ("-1 1 -1 1", ("-1", "1"), [0, 1, 0, 1]),
]


@pytest.mark.parametrize(("cells", "classes", "index"), LABELS)
def test_labels_become_class_indices_or_columns(tmp_path, cells, classes, index):
    content = "a,b\n" + "\n".join(f"{i},{cell}" for i, cell in enumerate(cells.split()))
    flat = load(tmp_path, csv_of(tmp_path, content), loss="cross_entropy")
    assert (flat.classes, flat.y.tolist(), flat.y.dtype) == (classes, index, np.int64)
    rows = load(tmp_path, csv_of(tmp_path, content, one_hot=True))
    assert rows.classes == classes
    assert rows.y.tolist() == np.eye(len(classes))[index].tolist()


CSV_PROBLEMS = [
    (
        "a,b\n1,2\n3,x\n",
        {},
        [("data.targets", "d.csv: line 3, column 'b': 'x' is not a number; one_hot = true turns")],
    ),
    (
        "a,b\n\n1,2\n,4\n",
        {},
        [("data.inputs", "line 4, column 'a': an empty cell is")],
    ),
    ("a,b\n1_0,2\n", {}, [("data.inputs", "line 2, column 'a': '1_0' is not a number")]),
    ("a,b\n1,2\n3\n", {}, [("data.csv", "d.csv: line 3 has 1 cells, the header has 2")]),
    ("a,b\n1,2,3\n", {}, [("data.csv", "d.csv: line 2 has 3 cells, the header has 2")]),
    ("", {}, [("data.csv", "d.csv: the file is empty; it needs a header line and rows")]),
    ("\n \n", {}, [("data.csv", "the file is empty")]),
    ("a,b\n", {}, [("data.csv", "d.csv: there is a header but no row of data")]),
    (
        "width,b\n1,2\n",
        {"inputs": ["widht", "c"], "targets": ["d"]},
        [
            ("data.inputs", "d.csv: no column 'widht'; did you mean 'width'? allowed: width, b"),
            ("data.inputs", "d.csv: no column 'c'; allowed: width, b"),
            ("data.targets", "d.csv: no column 'd'; allowed: width, b"),
        ],
    ),
    ("a,a,b\n1,2,3\n", {}, [("data.inputs", "d.csv: the header has 'a' more than once")]),
    ('a,b\n1,"2\n', {}, [("data.csv", "line 2: not a CSV file: unexpected end of data")]),
    (b"a,b\n1,\xff\n", {}, [("data.csv", "d.csv: line 2: not UTF-8 text: invalid start")]),
    ("a,b\n1," + "2" * 200_000, {}, [("data.csv", "field larger than field limit")]),
    (
        "a,b,c\n1,2,3\n",
        {"targets": ["b", "c"], "one_hot": True},
        [("data.one_hot", "needs exactly one target column, not 2")],
    ),
    ("a,b\n1,x\n2,\n", {"one_hot": True}, [("data.targets", "line 3, column 'b': an empty cell")]),
]


@pytest.mark.parametrize(("content", "options", "found"), CSV_PROBLEMS, ids=lambda v: str(v)[:25])
def test_what_is_wrong_with_a_csv_file(tmp_path, content, options, found):
    actual = problems(tmp_path, csv_of(tmp_path, content, **options))
    assert [path for path, _ in actual] == [path for path, _ in found]
    for (_, message), (_, said) in zip(actual, found, strict=True):
        assert said in message


def test_one_hot_of_too_many_labels_is_refused_before_memory_is_taken(tmp_path):
    content = "a,b\n" + "\n".join(f"1,label{i}" for i in range(20_000))
    assert problems(tmp_path, csv_of(tmp_path, content, one_hot=True)) == [
        (
            "data.one_hot",
            "20000 rows of 20000 classes take 3,200,000,000 bytes, "
            "more than the limit of 2,147,483,648",
        )
    ]


def test_files_that_are_not_there_or_no_files(tmp_path):
    for name, said in (
        ("absent.csv", "absent.csv': No such file or directory"),
        (".", "not a file"),
        ("n" * 300, "File name too long"),
        ("a\0b", "not a path"),
    ):
        for kind in ("csv", "npz"):
            named = {"inputs": ["a"], "targets": ["b"]} if kind == "csv" else {}
            ((path, message),) = problems(tmp_path, {kind: name, **named})
            assert path == f"data.{kind}"
            assert said in message


def test_a_huge_csv_file_is_refused_unread(tmp_path):
    with (tmp_path / "d.csv").open("wb") as file:
        file.truncate(2**28 + 1)  # a hole: no disk is taken
    data = {"csv": "d.csv", "inputs": ["a"], "targets": ["b"]}
    assert problems(tmp_path, data) == [
        ("data.csv", "d.csv: 268,435,457 bytes, more than the limit of 268,435,456")
    ]


X, Y = np.arange(6.0).reshape(3, 2), np.array([[1.0], [2.0], [3.0]])


def npz_of(folder, **arrays):
    np.savez(folder / "d.npz", **arrays)
    return {"npz": "d.npz"}


@pytest.mark.parametrize(
    "dtype", ["float64", "float32", "float16", "int8", "uint64", "bool", ">f4"]
)
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_of_any_numbers(tmp_path, dtype, order):
    x = np.array([[0, 1], [1, 1]], dtype=dtype, order=order)
    data = load(tmp_path, npz_of(tmp_path, x=x, y=Y[:2]))
    assert (data.x.tolist(), data.x.dtype) == ([[0.0, 1.0], [1.0, 1.0]], np.float64)


def test_standardizing_small_number_types_does_not_overflow(tmp_path):
    x = np.array([[64_000], [48_000], [32_000]], dtype="float16")
    data = load(tmp_path, npz_of(tmp_path, x=x, y=Y) | {"standardize": True})
    np.testing.assert_allclose(data.x[:, 0], np.array([1, 0, -1]) * np.sqrt(1.5), rtol=1e-12)


def test_flat_integers_are_class_indices(tmp_path):
    data = load(tmp_path, npz_of(tmp_path, x=X, y=np.array([2, 0, 1], "u1")), loss="cross_entropy")
    assert (data.y.tolist(), data.y.dtype) == ([2, 0, 1], np.int64)


NPZ_PROBLEMS = [
    ({"x": X}, "d.npz: no array 'y'; found x"),
    ({"a": X, "b": Y}, "d.npz: no array 'x'; found a, b"),
    ({"x": X[0], "y": Y}, "d.npz: x has shape (2,); it must be (rows, columns)"),
    ({"x": X, "y": Y[:, :, None]}, "d.npz: y has shape (3, 1, 1); it must have 1 or 2 axes"),
    ({"x": X.astype(complex), "y": Y}, "array 'x' has dtype complex128; numbers are needed"),
    ({"x": X.astype(str), "y": Y}, "array 'x' has dtype <U32; numbers are needed"),
    (
        {"x": X.astype(object), "y": Y},
        "array 'x' has dtype object, which only a pickle can hold; numbers are needed",
    ),
]


@pytest.mark.parametrize(("arrays", "said"), NPZ_PROBLEMS, ids=lambda v: str(v)[:30])
def test_what_is_wrong_with_an_npz_file(tmp_path, arrays, said):
    ((path, message),) = problems(tmp_path, npz_of(tmp_path, **arrays))
    assert path == "data.npz"
    assert said in message


def test_lengths_that_differ(tmp_path):
    found = problems(tmp_path, npz_of(tmp_path, x=X, y=Y[:2]))
    assert found == [("data.y", "has 2 rows, but x has 3: one each")]


def header(shape, descr="<f8"):
    """The bytes of an .npy file up to its data."""
    text = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape!r}, }}"
    text += " " * (-(len(text) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


def archive(folder, x, y=None, compression=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, Y)
    with zipfile.ZipFile(folder / "d.npz", "w", compression) as file:
        file.writestr("x.npy", x)
        file.writestr("y.npy", buffer.getvalue() if y is None else y)
    return {"npz": "d.npz"}


LIES = [
    (header((10**9, 10**6)), "promises shape (1000000000, 1000000), 8,000,000,000,000,000 bytes"),
    (header((3, 3)) + X.tobytes(), "promises shape (3, 3), 72 bytes, but it has 48"),
    (header((-3, -2)) + X.tobytes(), "promises shape (-3, -2)"),
    (header((10**400,)), "promises shape"),
    (header((2, 2), "|O") + b"cos\nsystem\n", "only a pickle can hold"),
    (header((2, 2), [("a", "<f8")]) + X.tobytes(), "numbers are needed"),
    (header("__import__('os')"), "not a readable NPZ file"),
    (b"\x93NUMPY\x07\x00" + X.tobytes(), "not a readable NPZ file: array x has format version"),
    (b"no array at all", "not a readable NPZ file"),
    (b"", "not a readable NPZ file"),
    (b"\x93NUMPY\x02\x00\xff\xff\xff\x7f", "not a readable NPZ file"),
]


@pytest.mark.parametrize(("member", "said"), LIES, ids=lambda v: str(v)[:40])
def test_headers_that_lie_are_not_believed(tmp_path, member, said):
    ((path, message),) = problems(tmp_path, archive(tmp_path, member))
    assert path == "data.npz"
    assert said in message
    assert len(message) < 1000


def test_an_archive_that_would_unfold_to_gigabytes_is_refused(tmp_path):
    """2²⁹ zero bytes as uint8 are 4 GiB as float64, and a few hundred kilobytes in the file."""
    with zipfile.ZipFile(tmp_path / "d.npz", "w", zipfile.ZIP_DEFLATED) as file:
        with file.open("x.npy", "w") as member:
            member.write(header((2**28, 2), "|u1"))
            for _ in range(32):
                member.write(bytes(2**24))
        file.writestr("y.npy", b"")
    ((path, message),) = problems(tmp_path, {"npz": "d.npz"})
    assert path == "data.npz"
    assert "takes 4,294,967,296 bytes as float64, more than the limit" in message


@pytest.mark.parametrize("place", [0, 30, 60, 150, -30, -1])
def test_a_damaged_archive_is_said_to_be_damaged(tmp_path, place):
    npz_of(tmp_path, x=X, y=Y)
    content = bytearray((tmp_path / "d.npz").read_bytes())
    cut = content[:place] if place > 0 else content[:place] or b"not a zip file"
    (tmp_path / "d.npz").write_bytes(cut)
    ((path, message),) = problems(tmp_path, {"npz": "d.npz"})
    assert path == "data.npz"
    assert "not a readable NPZ file" in message


def test_a_flipped_byte_in_the_data_is_noticed(tmp_path):
    npz_of(tmp_path, x=X, y=Y)
    content = bytearray((tmp_path / "d.npz").read_bytes())
    content[content.index(X.tobytes()) + 9] ^= 1
    (tmp_path / "d.npz").write_bytes(content)
    ((_, message),) = problems(tmp_path, {"npz": "d.npz"})
    assert "Bad CRC" in message
