"""The samples of an experiment, and the batches they are cut into.

``Dataset.x`` is (N, n) in the experiment's dtype; ``Dataset.y`` is (N, K) in the same dtype, or
class indices (N,) of int64. Batch k of epoch e is a pure function of (seed, e, k).
"""

import csv
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Array, Shape, frozen
from engine.errors import ExperimentError, GradstepError, Problem
from engine.experiment import DataSpec, Experiment
from engine.experiment_reader import nearest
from engine.initializers import stream
from engine.losses import LOSSES

MAX_BYTES = 2 * 2**30
SHUFFLE = 2**31  # keeps the streams of shuffling apart from those of the initial values


@dataclass(frozen=True, eq=False)
class Dataset:
    """All samples; ``classes`` are the labels behind class indices or one-hot columns."""

    x: Array
    y: Array
    classes: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.x)


class DataProblem(Exception):
    """One problem of the data, with the field it belongs to."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.problem = Problem(f"data.{field}", message)


def load_data(experiment: Experiment) -> Dataset:
    """The samples that an experiment names, checked; an ExperimentError says what is wrong."""
    spec = experiment.data
    classes = LOSSES[experiment.loss.type].takes_classes
    try:
        if spec.csv is not None:
            data = read_csv(spec, experiment.path_of(spec.csv), classes)
        elif spec.npz is not None:
            data = read_npz(experiment.path_of(spec.npz))
        else:
            data = read_inline(spec)
        return finished(data, spec, experiment.dtype, classes)
    except DataProblem as error:
        raise ExperimentError(experiment.source or experiment.name, [error.problem]) from None


def finished(data: Dataset, spec: DataSpec, dtype: str, classes: bool) -> Dataset:
    """The samples in their final dtype and shapes, standardized if asked for, read-only."""
    if len(data.x) != len(data.y):
        raise DataProblem("y", f"has {len(data.y)} rows, but x has {len(data.x)}: one each")
    if len(data.x) == 0 or data.x.shape[1] == 0:
        raise DataProblem("x", f"is empty, shape {data.x.shape}: at least one row and one column")
    x = data.x.astype(dtype)
    y: Array = data.y
    y = class_indices(y) if classes and y.ndim == 1 else y.astype(dtype)
    if spec.standardize:
        x = standardized(x)
    return Dataset(frozen(x), frozen(y), data.classes, data.inputs)


def class_indices(y: Array) -> Any:
    """Flat targets as int64; a DataProblem where one is not a whole number of at least 0."""
    whole = np.asarray(y, dtype=np.int64) if np.all(np.isfinite(y)) else None
    if whole is None or not np.array_equal(whole, y) or whole.min(initial=0) < 0:
        raise DataProblem("y", "flat targets are class indices: whole numbers from 0")
    return whole


def standardized(x: Array) -> Array:
    """Each column with mean 0 and standard deviation 1 (over N); a constant column becomes 0."""
    spread = x.std(axis=0)
    spread[spread == 0] = 1
    out: Array = (x - x.mean(axis=0)) / spread
    return out


def read_inline(spec: DataSpec) -> Dataset:
    """The x and y of the experiment file itself."""
    assert spec.x is not None
    assert spec.y is not None
    rows = [row for row in spec.y if isinstance(row, list)]
    if rows and len(rows) < len(spec.y):
        raise DataProblem("y", "mixes rows and single values: all rows, or all class indices")
    y = matrix(rows, "y") if rows else np.array(spec.y, dtype=np.float64)
    return Dataset(matrix(spec.x, "x"), y)


def matrix(rows: Sequence[Any], field: str) -> Array:
    """Rows of one length as (N, n)."""
    for i, row in enumerate(rows):
        if len(row) != len(rows[0]):
            raise DataProblem(
                field, f"ragged: row {i} has {len(row)} values, row 0 has {len(rows[0])}"
            )
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(rows[0]) if rows else 0)


def check_size(path: Path, field: str) -> None:
    """A DataProblem when the file is not there or too large to load."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise DataProblem(field, f"{path}: {error.strerror}") from None
    if not path.is_file():
        raise DataProblem(field, f"{path}: not a file")
    if size > MAX_BYTES:
        raise DataProblem(field, f"{path}: {size} bytes, more than the limit of {MAX_BYTES}")


def read_csv(spec: DataSpec, path: Path, classes: bool) -> Dataset:
    """The named columns of a CSV file with a header line."""
    check_size(path, "csv")
    assert spec.inputs is not None
    assert spec.targets is not None
    table = CSVTable(path)
    x = table.numbers(spec.inputs, "inputs")
    names = tuple(spec.inputs)
    if len(spec.targets) == 1 and (spec.one_hot or classes):
        labels, index = table.labels(spec.targets[0])
        y = np.eye(len(labels))[index] if spec.one_hot else index.astype(np.float64)
        return Dataset(x, y, labels, names)
    if spec.one_hot:
        raise DataProblem("one_hot", "needs exactly one target column")
    return Dataset(x, table.numbers(spec.targets, "targets"), (), names)


class CSVTable:
    """The cells of a CSV file, with the line each row stands on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                self.lines = list(self.read(csv.reader(file)))
        except (UnicodeDecodeError, csv.Error) as error:
            raise DataProblem("csv", f"{path}: not a CSV file in UTF-8: {error}") from None
        if not self.lines:
            raise DataProblem("csv", f"{path}: the file is empty; it needs a header line and rows")
        self.header = [name.strip() for name in self.lines.pop(0)[1]]
        if not self.lines:
            raise DataProblem("csv", f"{path}: there is a header but no row of data")
        for line, row in self.lines:
            if len(row) != len(self.header):
                said = f"has {len(row)} cells, the header has {len(self.header)}"
                raise DataProblem("csv", f"{path}: line {line} {said}")

    def read(self, reader: Any) -> Iterator[tuple[int, list[str]]]:
        """The rows that are not blank, each with its line number."""
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, row

    def place(self, column: str, field: str) -> int:
        """The index of a named column."""
        if self.header.count(column) != 1:
            how = "no" if column not in self.header else "more than one"
            raise DataProblem(
                field, f"{self.path}: {how} column {column!r}; {nearest(column, self.header)}"
            )
        return self.header.index(column)

    def numbers(self, columns: Sequence[str], field: str) -> Array:
        """Numeric columns as (N, len(columns))."""
        places = [self.place(column, field) for column in columns]
        out = np.empty((len(self.lines), len(places)))
        for i, (line, row) in enumerate(self.lines):
            for j, place in enumerate(places):
                try:
                    out[i, j] = float(row[place])
                except ValueError:
                    found = repr(row[place]) if row[place].strip() else "an empty cell"
                    said = f"line {line}, column {columns[j]!r}: {found} is not a number"
                    raise DataProblem(field, f"{self.path}: {said}") from None
        return out

    def labels(self, column: str) -> tuple[tuple[str, ...], NDArray[np.int64]]:
        """The distinct labels of a column in order, and each row's index among them."""
        place = self.place(column, "targets")
        cells = [row[place].strip() for _, row in self.lines]
        for (line, _), cell in zip(self.lines, cells, strict=True):
            if not cell:
                raise DataProblem(
                    "targets", f"{self.path}: line {line}, column {column!r} is empty"
                )
        try:
            labels = tuple(str(n) for n in sorted({int(cell) for cell in cells}))
            cells = [str(int(cell)) for cell in cells]
        except ValueError:
            labels = tuple(sorted(set(cells)))
        index = {label: i for i, label in enumerate(labels)}
        return labels, np.array([index[cell] for cell in cells], dtype=np.int64)


def read_npz(path: Path) -> Dataset:
    """The arrays x and y of an NPZ file; their headers are checked before they are loaded."""
    check_size(path, "npz")
    try:
        with zipfile.ZipFile(path) as archive:
            x, y = (read_member(archive, name, path) for name in ("x", "y"))
    except (zipfile.BadZipFile, ValueError, EOFError, OSError, SyntaxError) as error:
        raise DataProblem("npz", f"{path}: not a readable NPZ file: {error}") from None
    if x.ndim != 2:
        raise DataProblem("npz", f"{path}: x has shape {x.shape}; it must be (rows, columns)")
    if y.ndim not in (1, 2):
        raise DataProblem("npz", f"{path}: y has shape {y.shape}; it must have 1 or 2 axes")
    return Dataset(x, y)


def read_member(archive: zipfile.ZipFile, name: str, path: Path) -> Array:
    """One array of an NPZ archive, without pickles and without trusting its size."""
    if f"{name}.npy" not in archive.namelist():
        found = ", ".join(member.removesuffix(".npy") for member in archive.namelist()) or "nothing"
        raise DataProblem("npz", f"{path}: no array {name!r}; found {found}")
    with archive.open(f"{name}.npy") as file:
        version = np.lib.format.read_magic(file)
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"array {name} has format version {version}")
        head = np.lib.format.read_array_header_1_0
        shape, _, dtype = (head if version == (1, 0) else np.lib.format.read_array_header_2_0)(file)
    check_member(shape, dtype, archive.getinfo(f"{name}.npy").file_size, f"{path}: array {name!r}")
    with archive.open(f"{name}.npy") as file:
        array: Array = np.lib.format.read_array(file, allow_pickle=False)
    return array


def check_member(shape: Shape, dtype: np.dtype[Any], size: int, where: str) -> None:
    """A DataProblem when a header promises what must not or cannot be loaded."""
    if dtype.kind not in "biuf":
        raise DataProblem("npz", f"{where} has dtype {dtype}; numbers are needed")
    promised = dtype.itemsize
    for length in shape:
        promised *= length
    if promised > size or promised > MAX_BYTES:
        raise DataProblem("npz", f"{where}: its header promises {promised} bytes, it has {size}")


@lru_cache(maxsize=4)
def epoch_order(seed: int, epoch: int, rows: int) -> NDArray[np.int64]:
    """The shuffled order of the rows in an epoch, from (seed, epoch) alone."""
    return stream(seed, SHUFFLE, epoch).permutation(rows)


@dataclass(frozen=True)
class Batches:
    """How ``rows`` samples are cut into batches; epochs and batches count from 0."""

    rows: int
    size: int
    shuffle: bool
    drop_last: bool
    seed: int

    @property
    def count(self) -> int:
        """Batches in one epoch."""
        whole = self.rows // self.size
        return whole if self.drop_last or self.rows % self.size == 0 else whole + 1

    def rows_of(self, epoch: int, k: int) -> slice | NDArray[np.int64]:
        """The rows of batch k of an epoch."""
        part = slice(k * self.size, min((k + 1) * self.size, self.rows))
        return epoch_order(self.seed, epoch, self.rows)[part] if self.shuffle else part

    def batch(self, data: Dataset, epoch: int, k: int) -> tuple[Array, Array]:
        """The inputs and targets of batch k of an epoch, read-only."""
        rows = self.rows_of(epoch, k)
        return frozen(data.x[rows]), frozen(data.y[rows])


def batches(experiment: Experiment, data: Dataset) -> Batches:
    """The batches of an experiment; an error when there would be none."""
    spec = experiment.data
    size = min(spec.batch_size or len(data), len(data))
    if spec.drop_last and spec.batch_size and spec.batch_size > len(data):
        said = f"drop_last with {len(data)} rows and batch_size {spec.batch_size} leaves no batch"
        raise GradstepError(f"{experiment.source}: data.drop_last: {said}")
    return Batches(len(data), size, spec.shuffle, spec.drop_last, experiment.seed)
