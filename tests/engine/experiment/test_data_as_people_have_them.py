"""Tables and arrays as spreadsheets, instruments and other programs write them.

Each is read to the numbers that it means, or the field is named that mends it. GRADSTEP_FUZZ is the
number of tables written in random ways; 2000 is worth a run after changes to reading.
"""

import contextlib
import gzip
import io
import json
import os
import random
import zipfile

import numpy as np
import pytest

from engine.errors import ExperimentError
from engine.experiment.dataset import load_data
from engine.experiment.reader import load_experiment
from engine.program.compiler import compile_program
from tests.tui.cli.shell import assert_refused, invoke

TRIALS = int(os.environ.get("GRADSTEP_FUZZ", "150"))
X = [[1.5, 2.0], [2.5, -300.25], [0.125, 4e3]]
Y = [[1.0], [2.0], [3.5]]


def toml(table):
    return "\n".join(f"{key} = {json.dumps(value)}" for key, value in table.items())


def load(folder, content, loss="mse", name="d.csv", **fields):
    """The data of an experiment with such a file; lists are written as TOML."""
    if content is not None:
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    source = "npz" if name.endswith(".npz") else "csv"
    table = {source: name} | fields
    if source == "csv":
        table = {"inputs": ["a", "b"], "targets": ["y"]} | table
    text = f'[data]\n{toml(table)}\n[[layers]]\ntype = "linear"\nout = 3\n[loss]\ntype = "{loss}"\n'
    (folder / "e.toml").write_text(text)
    return load_data(load_experiment(str(folder / "e.toml")))


def problems(folder, content, **fields):
    with pytest.raises(ExperimentError) as caught:
        load(folder, content, **fields)
    return [(problem.path, problem.message) for problem in caught.value.problems]


POINT = "a,b,y\n1.5,2,1\n2.5,-300.25,2\n0.125,4e3,3.5\n"
COMMA = "a;b;y\n1,5;2;1\n2,5;-300,25;2\n0,125;4000;3,5\n"
READ = {
    "commas": (POINT, {}),
    "semicolons": (POINT.replace(",", ";"), {}),
    "tabs": (POINT.replace(",", "\t"), {}),
    "bars": (POINT.replace(",", "|"), {}),
    "blanks": (POINT.replace(",", "   "), {}),
    "named separator": (POINT.replace(",", ":"), {"separator": ":"}),
    "decimal commas": (COMMA, {}),
    "thousands": (COMMA.replace("4000", "4.000,0"), {}),
    "decimal commas, named": (COMMA, {"decimal": ",", "separator": ";"}),
    "decimal commas in quotes": (
        'a,b,y\n"1,5",2,1\n"2,5","-300,25",2\n"0,125",4000,"3,5"\n',
        {"decimal": ","},
    ),
    "byte order mark": (b"\xef\xbb\xbf" + POINT.encode(), {}),
    "UTF-16": (POINT.encode("utf-16"), {}),
    "UTF-16 without a mark": (POINT.encode("utf-16-le"), {}),
    "UTF-16, the other way": (POINT.encode("utf-16-be"), {}),
    "UTF-32": (POINT.encode("utf-32"), {}),
    "Latin-1": (POINT.replace("b", "größe").encode("latin-1"), {"encoding": "latin-1"}),
    "gzip": (gzip.compress(POINT.encode()), {}),
    "old line ends": (POINT.replace("\n", "\r\n"), {}),
    "older line ends": (POINT.replace("\n", "\r"), {}),
    "no line end": (POINT.rstrip(), {}),
    "comments above": ("# measured on Monday\n# by hand\n" + POINT, {}),
    "comments between": (POINT.replace("2.5,", "# a break\n2.5,"), {}),
    "a header of NumPy": ("# " + POINT, {}),
    "a separator at the end": (POINT.replace("\n", ",\n").replace("y,", "y"), {}),
    "no header": (POINT.partition("\n")[2], {"header": False}),
    "another column of text": (
        "a,b,y,note\n1.5,2,1,x\n2.5,-300.25,2,\n0.125,4e3,3.5,z\n",
        {},
    ),
}


@pytest.mark.parametrize("kind", READ)
def test_it_is_read(kind, tmp_path):
    content, fields = READ[kind]
    if fields.get("header") is False:
        fields = fields | {"inputs": ["0", "1"], "targets": ["2"]}
    if kind == "Latin-1":
        fields = fields | {"inputs": ["a", "größe"]}
    data = load(tmp_path, content, **fields)
    assert (data.x.tolist(), data.y.tolist()) == (X, Y)


def workbook():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>" * 1000)
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return buffer.getvalue()


def npy():
    buffer = io.BytesIO()
    np.save(buffer, np.array(X))
    return buffer.getvalue()


NAMED = {
    "a workbook": (workbook(), {}, "data.csv", "a workbook (Excel)"),
    "an old workbook": (b"\xd0\xcf\x11\xe0" + bytes(100), {}, "data.csv", "old Excel"),
    "an array": (npy(), {}, "data.csv", "np.savez"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(50), {}, "data.csv", "a picture"),
    "a database": (b"SQLite format 3\0", {}, "data.csv", "SQLite database"),
    "Parquet": (b"PAR1" + bytes(50), {}, "data.csv", "Parquet"),
    "a cut gzip": (gzip.compress(POINT.encode())[:-9], {}, "data.csv", "damaged gzip"),
    "Latin-1": (
        POINT.replace("b", "ö").encode("latin-1"),
        {},
        "data.csv",
        'encoding = "cp1252"',
    ),
    "a wrong encoding": ("aö".encode("latin-1"), {"encoding": "ascii"}, "data.encoding", "ascii"),
    "no encoding": (POINT, {"encoding": "klingon"}, "data.encoding", "klingon"),
    "no header": (POINT.partition("\n")[2], {}, "data.header", "header = false"),
    "no such column": (POINT, {"inputs": ["*"]}, "data.inputs", 'inputs = "others"'),
    "decimal commas": (
        'a,b,y\n"1,5",2,1\n"2,5",3,2\n',
        {},
        "data.inputs",
        'decimal = ","',
    ),
    "both decimals": ("a;b;y\n1,5;2.5;1\n", {}, "data.inputs", 'decimal = ","'),
    "ragged": (
        "a,b,y\n" + "1,2,3\n" * 4 + "1,2\n" * 3,
        {},
        "data.csv",
        "line 6 has 2 cells, the header has 3, and 2 more lines",
    ),
    "all empty": ("a,b,y\n,1,2\n,3,4\n", {"missing": "mean"}, "data.missing", "no number to take"),
    "nothing left": ("a,b,y\n,1,2\n,3,4\n", {"missing": "drop"}, "data.missing", "no row is left"),
    "a target without": ("a,b,y\n1,1,\n2,2,2\n", {"missing": "mean"}, "data.targets", '"drop"'),
}


@pytest.mark.parametrize("kind", NAMED)
def test_it_is_named(kind, tmp_path):
    content, fields, path, words = NAMED[kind]
    found = problems(tmp_path, content, **fields)
    assert path in [place for place, _ in found]
    assert words in dict(reversed(found))[path]


def test_everything_wrong_is_counted(tmp_path):
    rows = "".join(f"{'' if i % 3 == 0 else i},{'x' if i % 2 else i},{i}\n" for i in range(12))
    found = problems(tmp_path, "a,b,y\n" + rows)
    assert [path for path, _ in found] == ["data.inputs", "data.inputs"]
    assert "line 2, column 'a': an empty cell" in found[0][1]
    assert "(4 in all)" in found[0][1]
    assert "line 3, column 'b': 'x' is not a number, and 5 more (6 in all)" in found[1][1]


HOLES = "a,b,y\n1,2,1\n,3,2\n3,NA,3\n5,?,\n"


def test_rows_with_holes_are_dropped(tmp_path):
    data = load(tmp_path, HOLES, missing="drop")
    assert (data.x.tolist(), data.y.tolist()) == ([[1, 2]], [[1]])


def test_holes_are_filled_with_the_mean(tmp_path):
    data = load(tmp_path, HOLES.replace("5,?,\n", "5,?,4\n"), missing="mean")
    assert data.x.tolist() == [[1, 2], [3, 3], [3, 2.5], [5, 2.5]]


def test_labels_with_holes(tmp_path):
    content = "a,b,y\n1,2,cat\n3,4,\n5,6,dog\n7,8,\n"
    found = problems(tmp_path, content, loss="cross_entropy")
    assert "(2 in all)" in found[0][1]
    data = load(tmp_path, content, loss="cross_entropy", missing="drop")
    assert (data.classes, data.y.tolist()) == (("cat", "dog"), [0, 1])


def test_all_other_columns(tmp_path):
    data = load(tmp_path, "y,a,c,b\n1,2,3,4\n", inputs="others")
    assert (data.inputs, data.x.tolist()) == (("a", "c", "b"), [[2, 3, 4]])
    found = problems(tmp_path, None, inputs="other")
    assert found[0][0] == "data.inputs"
    assert '"others" takes all other columns' in found[0][1]


def test_a_hash_in_a_label_is_no_comment(tmp_path):
    content = "y,a,b\n#1,1,2\n#2,3,4\n"
    data = load(tmp_path, content, loss="cross_entropy")
    assert (data.classes, len(data.x)) == (("#1", "#2"), 2)


def test_a_gzip_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.experiment.data_text.MAX_CSV_BYTES", 1000)
    found = problems(tmp_path, gzip.compress(b"a,b,y\n" + b"1,2,3\n" * 1000))
    assert "more than the limit of 1,000 bytes when it is decompressed" in found[0][1]


# -- arrays


def archive(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


IMAGES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)


@pytest.mark.parametrize("shape", [(2, 3, 4), (2, 3, 4, 1), (2, 1, 3, 4)])
def test_pictures_are_rows_where_their_size_is_said(shape, tmp_path):
    content = archive(x=IMAGES.reshape(shape), y=np.array([0, 1]))
    data = load(tmp_path, content, "cross_entropy", "d.npz", image=[3, 4])
    assert data.x.tolist() == IMAGES.reshape(2, 12).tolist()
    found = problems(tmp_path, content, loss="cross_entropy", name="d.npz")
    assert found[0][0] == "data.npz"
    assert "image = [3, 4] reads such pictures as 12 columns" in found[0][1]


def test_coloured_pictures_are_to_be_reshaped(tmp_path):
    content = archive(x=np.zeros((2, 3, 4, 3)), y=np.array([0, 1]))
    found = problems(tmp_path, content, loss="cross_entropy", name="d.npz")
    assert "x.reshape(2, 36)" in found[0][1]


def test_a_column_of_class_indices(tmp_path):
    content = archive(x=np.eye(3), y=np.array([[2], [0], [1]]))
    data = load(tmp_path, content, "cross_entropy", "d.npz")
    assert (data.y.tolist(), data.y.dtype) == ([2, 0, 1], np.int64)
    rows = load(tmp_path, content, "mse", "d.npz")
    assert rows.y.tolist() == [[2], [0], [1]]


def test_arrays_by_other_names(tmp_path):
    content = archive(x_train=np.eye(3), y_train=np.arange(3), x_test=np.eye(3))
    found = problems(tmp_path, content, loss="cross_entropy", name="d.npz")
    assert 'arrays = ["x_train", "y_train"]' in found[0][1]
    data = load(tmp_path, content, "cross_entropy", "d.npz", arrays=["x_train", "y_train"])
    assert data.x.tolist() == np.eye(3).tolist()


@pytest.mark.parametrize(
    ("content", "words"),
    [(npy(), "np.savez"), (POINT.encode(), "csv = …"), (gzip.compress(b"x"), "gzip")],
    ids=["an array", "a table", "compressed"],
)
def test_what_is_no_archive(content, words, tmp_path):
    found = problems(tmp_path, content, loss="cross_entropy", name="d.npz")
    assert words in found[0][1]


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"separator": ";"}, "separator"),
        ({"header": False}, "header"),
        ({"missing": "drop"}, "missing"),
    ],
)
def test_fields_of_tables_belong_to_tables(fields, path, tmp_path):
    content = archive(x=np.eye(3), y=np.arange(3))
    assert problems(tmp_path, content, name="d.npz", **fields)[0] == (
        f"data.{path}",
        "belongs to csv only",
    )
    assert problems(tmp_path, POINT, arrays=["a", "b"])[0][0] == "data.arrays"


# -- in random ways


def written(chance, numbers):
    """A table of numbers in one of the ways that people have, and the fields that it needs."""
    fields = {}
    separator = chance.choice([",", ";", "\t", "|"])
    comma = separator != "," and chance.random() < 0.5
    header = chance.random() < 0.8
    quote = chance.random() < 0.3

    def cell(value):
        text = f"{value:.3f}" if chance.random() < 0.8 else repr(value)
        text = text.replace(".", ",") if comma else text
        text = f'"{text}"' if quote else text
        return f" {text} " if not quote and chance.random() < 0.2 else text

    lines = [separator.join(cell(v) for v in row) for row in numbers]
    if header:
        lines.insert(0, separator.join(["a", "b", "y"]))
    else:
        fields |= {"header": False, "inputs": ["0", "1"], "targets": ["2"]}
    if chance.random() < 0.2:
        lines.insert(0, "# a remark")
    if chance.random() < 0.2:
        lines.insert(chance.randrange(1, len(lines)), "")
    text = chance.choice(["\n", "\r\n"]).join(lines) + chance.choice(["", "\n", "\n\n"])
    content = text.encode(chance.choice(["utf-8", "utf-8-sig", "utf-16", "ascii"]))
    return (gzip.compress(content) if chance.random() < 0.2 else content), fields


@pytest.mark.parametrize("block", range(3))
def test_tables_written_in_random_ways(block, tmp_path):
    for seed in range(block, TRIALS, 3):
        chance = random.Random(seed)
        numbers = [
            [round(chance.uniform(-99, 99), 3) for _ in range(3)]
            for _ in range(chance.randint(3, 9))
        ]
        content, fields = written(chance, numbers)
        data = load(tmp_path, content, **fields)
        found = np.hstack([data.x, data.y]).tolist()
        assert found == numbers, (seed, content[:200], fields)


@pytest.mark.parametrize("block", range(3))
def test_damaged_tables_are_problems_and_nothing_else(block, tmp_path):
    for seed in range(block, TRIALS, 3):
        chance = random.Random(seed)
        content, fields = written(chance, [[1.5, 2.5, 3.5]] * 5)
        content = bytearray(content)
        for _ in range(chance.choice([1, 3, 20])):
            content[chance.randrange(len(content))] = chance.randrange(256)
        with contextlib.suppress(ExperimentError):
            load(tmp_path, bytes(content[: chance.randint(1, len(content))]), **fields)


# -- an experiment fitted to a table


FITTED = {
    "numbers": (POINT * 1 + "7,8,9.5\n" * 60, ["y"], "mse"),
    "decimal commas": (COMMA, ["y"], "mse"),
    "labels": ("a,b,y\n" + "1,2,cat\n3,4,dog\n" * 30, ["y"], "cross_entropy"),
    "classes": ("a,b,y\n" + "1,2,0\n3,4,1\n5,6,2\n" * 30, ["y"], "cross_entropy"),
    "two targets": (POINT, ["b", "y"], "mse"),
    "holes": ("a,b,y\n" + "1,,0\n3,4,1\n5,6,2\n" * 30, ["y"], "cross_entropy"),
    "a column of text": ("id,a,y\n" + "u1,2,0\nu2,4,1\n" * 30, ["y"], "cross_entropy"),
    "no header": ("1.5,2,cat\n2.5,3,dog\n" * 30, ["2"], "cross_entropy"),
    "odd names": ('"a ""b"" é",y\n' + "1,2\n3,5\n" * 4, ["y"], "cross_entropy"),
    "one row": ("a,y\n1,2\n", ["y"], "mse"),
}


@pytest.mark.parametrize("kind", FITTED)
def test_an_experiment_fitted_to_a_table_runs(kind, tmp_path, monkeypatch):
    content, targets, loss = FITTED[kind]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "my table.csv").write_text(content)
    chosen = [word for name in targets for word in ("--target", name)]
    result = invoke("new", "net.toml", "--csv", "data/my table.csv", *chosen)
    assert result.exit_code == 0, result.stderr
    experiment = load_experiment("net.toml")
    assert experiment.loss.type == loss
    compile_program(experiment)
    result = invoke("train", "net.toml", "--iterations", 3)
    assert result.exit_code == 0, result.stderr


def test_what_cannot_be_fitted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_text(POINT)
    (tmp_path / "words.csv").write_text("a,y\nx,1\nz,2\n")
    assert_refused(invoke("new", "n.toml", "--csv", "t.csv"), "--target", "a, b, y")
    assert_refused(invoke("new", "n.toml", "--csv", "t.csv", "--target", "z"), "'z'", "a, b, y")
    assert_refused(invoke("new", "n.toml", "--csv", "no.csv", "--target", "y"), "No such file")
    assert_refused(
        invoke("new", "n.toml", "--csv", "words.csv", "--target", "y"), "no other column"
    )
    assert_refused(invoke("new", "n.toml", "--target", "y"), "--csv")
    assert_refused(invoke("new", "n.toml", "--csv", "t.csv", "--from", "xor"), "exclude")
    assert not (tmp_path / "n.toml").exists()
    (tmp_path / "n.toml").write_text("mine")
    assert_refused(invoke("new", "n.toml", "--csv", "t.csv", "--target", "y"), "not overwritten")
    assert (tmp_path / "n.toml").read_text() == "mine"
