"""The data of a recording, of any rank and with integers: the same bits back, no size believed."""

import json
import math
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from engine.errors import GradstepError
from engine.experiment.data_inline import MAX_RANK
from engine.experiment.dataset import Dataset
from engine.experiment.reader import Reader
from engine.experiment.spec import DataSpec
from engine.recording.canonical import (
    canonical,
    experiment_text,
    labels_text,
    numbers,
    parse,
    parse_labels,
)
from engine.recording.digests import root_digest
from engine.recording.plausible import implausible
from engine.recording.reader import Damaged
from tests.engine.experiment.bits import same
from tests.engine.experiment.lines_data import load
from tests.engine.recording.recordings import opened, writer
from tests.engine.small_experiments import experiment, program

PROGRAM = program()
SHAPES = array_shapes(min_dims=1, max_dims=MAX_RANK, min_side=1, max_side=3)
ARRAYS = st.sampled_from(["<f4", "<f8", "<i8"]).flatmap(lambda dtype: arrays(dtype, SHAPES))
RELAXED = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(autouse=True)
def lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Recordings in this module are taken for those of networks written as lines."""
    monkeypatch.setattr("engine.recording.recorded.in_lines", lambda _: True)


def recorded(path: Path, data: Dataset) -> Path:
    """A recording of these data before its first event."""
    path.unlink(missing_ok=True)
    writer(path, replace(PROGRAM, data=data), "full").close()
    return path


def read(path: Path) -> Dataset:
    with opened(path) as recording:
        return recording.dataset


@RELAXED
@given(ARRAYS, st.sampled_from([(), ("x",), ("y",), ("x", "y")]))
def test_the_same_bits_and_what_was_given(
    tmp_path: Path, array: Any, named: tuple[str, ...]
) -> None:
    data = Dataset(array, array[::-1], given=named)
    found = read(recorded(tmp_path / "r.gradstep", data))
    assert same(found.x, array)
    assert same(found.y, array[::-1])
    assert found.given == named


@RELAXED
@given(st.sampled_from([np.asfortranarray, np.ascontiguousarray]))
def test_data_of_a_file_are_in_the_order_of_their_axes(tmp_path: Path, order: Any) -> None:
    x = order(np.arange(24.0).reshape(2, 3, 4))
    np.savez(tmp_path / "d.npz", x=x, y=order(np.arange(6).reshape(2, 3)))
    data = load({"npz": "d.npz"}, tmp_path)
    assert data.x.flags.c_contiguous
    assert data.y.flags.c_contiguous
    assert same(read(recorded(tmp_path / "r.gradstep", data)).x, np.ascontiguousarray(x))


@RELAXED
@given(ARRAYS)
def test_numbers_in_the_text_of_an_experiment(array: Any) -> None:
    """What a recording says of inline data is read as the file was: integers are integers."""
    reader = Reader()
    reader.lines = True
    spec = reader.table(DataSpec, {"x": array.tolist()}, "data")
    raw = numbers(parse(canonical(msgspec.to_builtins(spec)), "data")["x"])
    found, wanted = load({"x": raw}).x, np.array(array.tolist())
    if wanted.dtype.kind == "f":  # a text has one NaN alone
        found, wanted = (np.where(np.isnan(a), math.nan, a) for a in (found, wanted))
    assert same(found, wanted)


def test_the_text_of_layers_has_floats_as_ever() -> None:
    raw = json.loads(experiment_text(experiment(data={"x": [[1, 2]], "y": [[3]]})))
    assert (str(raw["data"]["x"]), str(raw["data"]["y"])) == ("[[1.0, 2.0]]", "[[3.0]]")


def forged(path: Path, name: str, **about: Any) -> Path:
    """A recording that says something else of its x or y."""
    connection = sqlite3.connect(path, isolation_level=None)
    (text,) = connection.execute("SELECT data FROM run").fetchone()
    data = json.loads(text)
    data[name] |= about
    connection.execute("UPDATE run SET data = ?", (json.dumps(data),))
    connection.close()
    return path


DATA = Dataset(np.arange(24.0).reshape(2, 3, 4), np.arange(2).reshape(2, 1))  # type: ignore[arg-type]
FORGED: list[tuple[dict[str, Any], str]] = [
    ({"shape": [1] * 9}, r"its data x: dtype '<f8', shape \(1, 1, 1, 1, 1, 1, 1, 1, 1\)"),
    ({"shape": [2**39] * 8}, "its data x: its bytes are not there"),
    ({"shape": [2, 3, 2**40]}, r"its data x: dtype '<f8', shape \(2, 3, 1099511627776\)"),
    ({"shape": [2, -3, -4]}, r"its data x: dtype '<f8', shape \(2, -3, -4\)"),
    ({"shape": [2, 3.0, 4]}, r"its data x: dtype '<f8', shape \(2, 3\.0, 4\)"),
    ({"shape": [2, 4, 3]}, "its data x: its bytes are not the ones that were recorded"),
    ({"shape": [24]}, "its data x: its bytes are not the ones that were recorded"),
    ({"dtype": "<i8"}, "its data x: its bytes are not the ones that were recorded"),
    ({"dtype": "|O"}, r"its data x: dtype '\|O', shape \(2, 3, 4\)"),
    ({"shape": "abc"}, "its data x: dtype '<f8', shape"),
    ({"shape": 3}, "its data x"),
]


@pytest.mark.parametrize(("about", "said"), FORGED, ids=[said[:60] for _, said in FORGED])
def test_what_is_said_of_the_data_is_not_believed(
    tmp_path: Path, about: dict[str, Any], said: str
) -> None:
    path = forged(recorded(tmp_path / "r.gradstep", DATA), "x", **about)
    with pytest.raises(Damaged, match=said):
        read(path)


SHAPED = [
    (np.zeros(()), np.zeros(1), r"its data has shapes \(\) and \(1,\)"),
    (np.zeros((2, 0)), np.zeros(2), r"its data has shapes \(2, 0\) and \(2,\)"),
    (np.zeros((2, 3)), np.zeros((2, 0)), r"its data has shapes \(2, 3\) and \(2, 0\)"),
    (np.zeros((2, 3)), np.zeros(3), r"its data has shapes \(2, 3\) and \(3,\)"),
]


@pytest.mark.parametrize(("x", "y", "said"), SHAPED, ids=[said for *_, said in SHAPED])
def test_data_that_nobody_can_have_run_on(tmp_path: Path, x: Any, y: Any, said: str) -> None:
    with pytest.raises(Damaged, match=said):
        read(recorded(tmp_path / "r.gradstep", Dataset(x, y)))


LAYERS = [
    (np.zeros((2, 3, 4)), np.zeros((2, 1)), r"its data has shapes \(2, 3, 4\) and \(2, 1\)"),
    (np.zeros(2), np.zeros((2, 1)), r"its data has shapes \(2,\) and \(2, 1\)"),
    (np.zeros((2, 2), int), np.zeros((2, 1)), "its data has dtypes int64 and float64"),
    (np.zeros((2, 2)), np.zeros(2), "its data has dtypes float64 and float64"),
    (np.zeros((2, 2)), np.zeros((2, 1), int), "its data has dtypes float64 and int64"),
]


@pytest.mark.parametrize(("x", "y", "said"), LAYERS, ids=[said for *_, said in LAYERS])
def test_layers_have_rows_of_floats(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, x: Any, y: Any, said: str
) -> None:
    monkeypatch.setattr("engine.recording.recorded.in_lines", lambda _: False)
    with pytest.raises(Damaged, match=said):
        read(recorded(tmp_path / "r.gradstep", Dataset(x, y)))


def test_what_a_file_can_hold_is_asked_of_data_of_any_rank() -> None:
    wide = np.zeros((1, 2**20, 2**5))
    said = implausible(experiment(), Dataset(wide, np.zeros(1)), 2**20)
    assert said.startswith("its experiment: one iteration takes 805,3")
    assert implausible(experiment(), Dataset(np.zeros(3), np.zeros(3)), 2**20) == ""


def test_labels_say_what_is_given_only_where_it_is_not_both() -> None:
    assert labels_text(DATA) == '{"classes":[],"inputs":[]}'
    for wrong in ('["z"]', '["y","x"]', '"x"', "{}", "3", "null"):
        text = f'{{"classes":[],"inputs":[],"given":{wrong}}}'
        with pytest.raises(GradstepError, match=r"its labels: given .*, which is not of x and y"):
            parse_labels(text)


def test_what_is_given_is_bound_by_the_chain(tmp_path: Path) -> None:
    path = recorded(tmp_path / "r.gradstep", DATA)
    connection = sqlite3.connect(path, isolation_level=None)
    lie = '{"classes":[],"given":["x"],"inputs":[]}'
    connection.execute("UPDATE run SET labels = ?", (lie,))
    with pytest.raises(Damaged, match="its experiment is not the one that was recorded"):
        read(path)
    experiment_, data = connection.execute("SELECT experiment, data FROM run").fetchone()
    digests = [bytes.fromhex(json.loads(data)[name]["digest"]) for name in ("x", "y")]
    connection.execute("UPDATE run SET root = ?", (root_digest(experiment_, lie, *digests),))
    connection.close()
    assert read(path).given == ("x",)
