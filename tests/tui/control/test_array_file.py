from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from engine.errors import GradstepError
from tui.control import array_file
from tui.control.array_file import array_path, writing
from tui.view.versions import Difference

ARRAYS = hnp.arrays(
    st.sampled_from([np.float64, np.float32, np.int64, np.bool_]),
    hnp.array_shapes(min_dims=0, max_dims=6, min_side=0, max_side=3),
)


def write(path, array):
    return list(writing(path, array))


@given(ARRAYS, st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_npy_reads_back_as_the_same_tensor(tmp_path, monkeypatch, array, turned):
    monkeypatch.setattr(array_file, "CHUNK", 4)
    array = array.T if turned else array
    path = tmp_path / "a.npy"
    path.unlink(missing_ok=True)
    reports = write(path, array)
    read = np.load(path, allow_pickle=False)
    assert (read.dtype, read.shape, read.tobytes()) == (array.dtype, array.shape, array.tobytes())
    assert reports[-1] == array.size


@given(hnp.arrays(st.sampled_from([np.float64, np.float32]), st.tuples(*[st.integers(1, 4)] * 2)))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_csv_reads_back_as_the_same_numbers(tmp_path, monkeypatch, matrix):
    monkeypatch.setattr(array_file, "CHUNK", 3)
    path = tmp_path / "a.csv"
    path.unlink(missing_ok=True)
    assert write(path, matrix)[-1] == matrix.size
    rows = [line.split(",") for line in path.read_text().splitlines()]
    read = np.array([[matrix.dtype.type(cell) for cell in row] for row in rows])
    np.testing.assert_array_equal(read, matrix)


def test_a_difference_is_written_without_being_computed_as_a_whole(tmp_path):
    after, before = np.array([[3.0, 5.0]]), np.array([[1.0, 5.0]])
    write(tmp_path / "d.npy", Difference(after, before))
    assert np.load(tmp_path / "d.npy").tolist() == [[2.0, 0.0]]


def test_nothing_is_overwritten(tmp_path):
    path = tmp_path / "a.npy"
    path.write_text("mine")
    with pytest.raises(GradstepError, match="there is a file already; nothing is overwritten"):
        array_path(str(path))
    with pytest.raises(GradstepError, match="File exists"):
        write(path, np.zeros(2))  # made since the question was answered
    assert path.read_text() == "mine"


@pytest.mark.parametrize("name", ["a.txt", "a", ".npy.gz", "", "a.np\x1by"])
def test_another_ending_is_refused(tmp_path, name):
    with pytest.raises(GradstepError, match=r"the name must end in \.npy or \.csv") as error:
        array_path(str(tmp_path / name))
    assert "\x1b" not in str(error.value)


def test_a_directory_that_is_not_there_is_named(tmp_path):
    with pytest.raises(GradstepError, match="none: there is no such directory"):
        array_path(str(tmp_path / "none" / "a.npy"))


def test_home_is_understood(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert array_path("~/a.CSV") == Path(tmp_path / "a.CSV")


def test_an_unfinished_file_is_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(array_file, "CHUNK", 1)
    path = tmp_path / "a.npy"
    steps = writing(path, np.zeros(5))
    next(steps), next(steps)
    assert path.exists()
    steps.close()
    assert not path.exists()


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path, monkeypatch):
    def full(array):
        yield 0, b"head"
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(array_file, "npy_pieces", full)
    with pytest.raises(GradstepError, match="No space left on device"):
        write(tmp_path / "a.npy", np.zeros(5))
    assert list(tmp_path.iterdir()) == []
